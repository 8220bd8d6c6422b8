"""What clients get, for the description of the API. Answers are made by `api.views` and not checked against these
again: an analysis kept by an older version must still be shown. The tests compare the two."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Shape(BaseModel):
    """An answer."""

    model_config = ConfigDict(extra="forbid")


class ProblemShape(BaseModel):
    """RFC 9457. Further members depend on `code`."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:samplemind:problem:not_found",
                    "title": "Not Found",
                    "status": 404,
                    "code": "not_found",
                    "detail": "There is no such job.",
                }
            ]
        },
    )
    type: str
    title: str
    status: int
    code: str
    detail: str


PROBLEMS: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "Problem",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemShape"}}},
    },
}


FILE_BODY: dict[str, Any] = {
    "required": True,
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}
"""A body that is a file's bytes."""


class ReasonShape(Shape):
    """Why: a stable code and a sentence."""

    code: str = Field(examples=["not_audio"])
    message: str = Field(examples=["This is not an audio file."])


class CountsShape(Shape):
    """submitted = pending + done + reused + duplicate + skipped + failed."""

    submitted: int
    pending: int
    done: int
    reused: int
    duplicate: int
    skipped: int
    failed: int


class SourceShape(Shape):
    """What was submitted."""

    root: str
    path: str
    pattern: str
    rescan: bool


class JobShape(Shape):
    """A job."""

    id: str = Field(examples=["01JD4V8Q2M6T9X3K7B5N1C0ZWE"])
    state: Literal["receiving", "scanning", "running", "paused", "complete", "cancelled", "failed"]
    counts: CountsShape
    label: str = Field(examples=["library/drums"])
    priority: Literal["interactive", "normal", "bulk"]
    source: SourceShape | None
    created_at: str = Field(examples=["2026-11-22T09:30:00.000Z"])
    finished_at: str | None
    cancel_requested: bool
    reason: ReasonShape | None
    links: dict[str, str]


class JobsShape(Shape):
    """A page of jobs."""

    items: list[JobShape]
    next: str | None


class FindingShape(Shape):
    """Something wrong with a file: what, where, how much."""

    code: str = Field(examples=["clipping"])
    message: str
    at_s: float | None
    amount: float | None


class FoundShape(FindingShape):
    """Something wrong, and with which file."""

    path: str = Field(examples=["drums/kick.wav"])
    sample_id: str | None


class DefectCountShape(Shape):
    """How many files have a defect, and what to do about it."""

    code: str = Field(examples=["clipping"])
    title: str
    what_to_do: str
    files: int
    worst: list[FoundShape]


class WorstShape(Shape):
    """A file with all that is wrong with it."""

    path: str = Field(examples=["drums/kick.wav"])
    sample_id: str | None
    score: int
    findings: list[FindingShape]


class UnreadShape(Shape):
    """Why files could not be read, and some of them."""

    code: str = Field(examples=["not_audio"])
    message: str
    files: int
    examples: list[str]


class ReportFilesShape(Shape):
    """Of `all`, `analysed` = `clean` + `with_defects`."""

    all: int
    analysed: int
    clean: int
    with_defects: int
    failed: int
    skipped: int
    pending: int


class ReportShape(Shape):
    """What is wrong among a job's files."""

    job: str
    title: str
    files: ReportFilesShape
    hours: float
    defects: list[DefectCountShape]
    worst: list[WorstShape]
    unread: list[UnreadShape]


_Bytes = Annotated[
    str | None,
    Field(
        description="Only where `path` is not the name itself, which is no UTF-8 or looks escaped: its bytes.",
    ),
]


class FileShape(Shape):
    """A submitted file."""

    index: int
    path: str = Field(examples=["drums/kick.wav"])
    path_b64: _Bytes = None
    root: str
    status: Literal["pending", "done", "reused", "duplicate", "skipped", "failed"]
    reason: ReasonShape | None
    sample_id: str | None


class FilesShape(Shape):
    """A page of files."""

    items: list[FileShape]
    next: str | None


class CauseShape(Shape):
    """Why files failed, and how many."""

    code: str = Field(examples=["decode_failed"])
    message: str = Field(examples=["The audio is damaged and could not be decoded."])
    count: int


class FailedShape(Shape):
    """A file that failed and was not tried again since."""

    id: str = Field(examples=["01JD4V8Q2M6T9X3K7B5N1C0ZWE.0.0.17"])
    job: str
    index: int
    root: str
    path: str
    path_b64: _Bytes = None
    reason: ReasonShape
    attempts: int
    died_of: list[str] = Field(
        description="What workers died of while they were at it.", examples=[["ended by SIGSEGV"]]
    )
    reproduce: str = Field(examples=["./samplemind analyze -j 1 library:drums/kick.wav"])


class QuarantineShape(Shape):
    """What failed; the causes come with the first page only."""

    causes: list[CauseShape] | None
    items: list[FailedShape]
    next: str | None


class PlaceShape(Shape):
    """Where a content was seen."""

    root: str
    path: str
    path_b64: _Bytes = None


class AnalyzedShape(Shape):
    """How a file was listened to: tempo and key are of the windows, [start, end] in seconds, all else of the whole."""

    policy: Literal["whole", "windows"]
    windows: list[tuple[float, float]]


class AudioShape(BaseModel):
    """What was read; the fields are described in docs/descriptors.md."""

    model_config = ConfigDict(extra="allow")
    duration_s: float
    sample_rate_hz: int
    channels: int
    container: str
    subtype: str
    frames: int
    analyzed_s: float
    analyzed: AnalyzedShape | None = Field(None, description="Missing in analyses before 1.2.0.")
    pcm_xxh128: str | None = Field(None, description="Of its decoded samples: the same in a WAV and a FLAC of it.")


class MarkShape(Shape):
    """What the caller says of a sound: tags, a star, and corrections where what was measured is wrong."""

    tags: list[str]
    favourite: bool
    bpm: float | None
    key: str | None
    kind: str | None


class SampleShape(BaseModel):
    """What is said of one content; what cannot be known is null, with a `reason`."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "sample_id": "9f2c...-1.5.0-0",
                    "analyzer": "1.5.0",
                    "kind": {"label": "loop", "confidence": 0.97},
                    "tempo": {"bpm": 120.0, "confidence": 0.94, "beats": 16, "evidence": [], "reason": None},
                    "key": {"tonic": "C", "mode": "minor", "label": "C minor", "camelot": "5A", "confidence": 0.81},
                    "files": [{"root": "library", "path": "loops/house.wav"}],
                    "created_at": "2026-11-22T09:30:00.000Z",
                }
            ]
        },
    )
    sample_id: str
    analyzer: str
    audio: AudioShape
    kind: dict[str, Any]
    tempo: dict[str, Any]
    key: dict[str, Any]
    pitch: dict[str, Any]
    loudness: dict[str, Any]
    spectrum: dict[str, Any]
    envelope: dict[str, Any]
    rhythm: dict[str, Any]
    timbre: dict[str, Any]
    defects: list[dict[str, Any]]
    files: list[PlaceShape]
    created_at: str
    yours: MarkShape | None = Field(None, description="What you say of it: tags, a star, corrections.")
    superseded_by: str | None = Field(
        None, description="Where a newer analyser's sample of the same content is shown in its place: that one."
    )


class SamplesShape(Shape):
    """A page of samples."""

    items: list[SampleShape]
    next: str | None


class MapShape(Shape):
    """A page of points, column by column; the n-th of each is of the n-th sound."""

    version: str = Field(description="Places of different versions are not to be compared.", examples=["2.1"])
    ids: list[str]
    names: list[str]
    x: list[float] = Field(description="-1 to 1.")
    y: list[float] = Field(description="-1 to 1.")
    kinds: list[str]
    bpm: list[float | None]
    keys: list[str | None]
    unplaced: int = Field(description="Sounds of this page that are silent, or await the present analyser.")
    next: str | None


class TagsShape(Shape):
    """The caller's tags, and how many sounds have each."""

    tags: dict[str, int]


class FacetsShape(Shape):
    """How many samples match, and how many of them have which value. `tempo` counts in steps of 10 BPM."""

    total: int
    counts: dict[str, dict[str, int]]


class WaveformShape(Shape):
    """(lowest, highest) of each of 256 slices of the sound, -1 to 1."""

    sample_id: str
    peaks: list[tuple[float, float]]


class UploadShape(Shape):
    """An upload in its place, and its job."""

    root: Literal["uploads"]
    path: str
    sha256: str
    size: int
    known: bool = Field(description="The same content was uploaded before.")
    job: JobShape | None


class ResumableShape(Shape):
    """An upload that may go on where it broke off."""

    id: str
    root: str = Field(examples=["library"])
    path: str = Field(description="Where it will be, once it is `done` where it is.", examples=["drums/kick.wav"])
    sha256: str | None
    length: int
    offset: int
    known: bool = Field(description="The same content was there before.")
    job: str | None
    done: bool


class UnfoldedShape(Shape):
    """A file of an archive in its place."""

    path: str
    sha256: str
    size: int
    known: bool = Field(description="The same content was there before.")


class ZipShape(Shape):
    """An archive's files in their places, and their job."""

    root: str = Field(examples=["library"])
    files: list[UnfoldedShape]
    job: JobShape | None


class MissingShape(Shape):
    """Contents that are neither stored nor analysed here."""

    missing: list[str]


class KeyShape(Shape):
    """A key without its secret."""

    id: str
    name: str
    owner: str
    scopes: list[str]
    created_at: str
    expires_at: str | None


class NewKeyShape(Shape):
    """A key, and its secret: shown this once."""

    key: KeyShape
    secret: str = Field(examples=["sm_..."])


class KeysShape(Shape):
    """Every key."""

    items: list[KeyShape]


class RootShape(Shape):
    """A library root by its name, and whether its folder is there now."""

    name: str
    available: bool


class RootsShape(Shape):
    """Every library root."""

    items: list[RootShape]


class FolderShape(Shape):
    """A folder."""

    name: str
    path: str


class FoldersShape(Shape):
    """Folders in a folder; `truncated` where there are more than were asked for."""

    root: str
    path: str
    items: list[FolderShape]
    truncated: bool


class PartShape(Shape):
    """A part of the cluster."""

    ok: bool
    detail: str = Field(examples=["no worker is alive"])


class AuditShape(Shape):
    """What the last walk over all vectors found."""

    audits: int = Field(description="Walks since the index writer began.")
    compared: int
    missing: int = Field(description="Written again.")
    different: int = Field(description="Written again.")
    extra: int = Field(description="Removed.")
    asked: int = Field(description="Looked for by a query with themselves.")
    unreachable: int = Field(description="Of these, not found, also after they were written again.")


class IndexShape(Shape):
    """The vector index."""

    serving: int = Field(description="The generation that searches ask.")
    building: int | None = Field(description="The one that is being made beside it.")
    samples: int
    indexed: int = Field(description="Vectors in the newest generation.")
    audit: AuditShape | None


class HealthShape(Shape):
    """This process runs."""

    status: Literal["alive"]


class ReadyShape(BaseModel):
    """Every part."""

    parts: dict[str, PartShape]
