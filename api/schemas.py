"""What clients send, checked field by field; unknown fields are refused, so that a typing error is not a default."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from api.spelling import tag_of
from stores.descriptors import DESCRIPTORS
from stores.records import Priority, Status

MAX_LIMIT = 1000
Scope = Literal["read", "write", "admin"]
Finite = Annotated[float, Field(allow_inf_nan=False, ge=-1e12, le=1e12)]
Bounds = tuple[Finite | None, Finite | None]
Cursor = Annotated[str | None, Field(max_length=2000, description="`next` of the page before.")]
Limit = Annotated[int | None, Field(ge=1, le=MAX_LIMIT, description="Rows of a page.")]


class Sent(BaseModel):
    """Something that a client sends."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Query(Sent):
    """A query string. A parameter without a value (``?status=``) is one that was not given."""

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, said: Any) -> Any:
        if isinstance(said, dict):
            return {name: value for name, value in said.items() if value != ""}
        return said


class JobsQuery(Query):
    """Which page of jobs."""

    cursor: Cursor = None
    limit: Limit = None


class FilesQuery(JobsQuery):
    """Which page of a job's files."""

    status: Status | None = Field(None, description="Only files that stand so.")


class QuarantineQuery(JobsQuery):
    """Which page of what failed."""

    cause: str | None = Field(None, max_length=64, examples=["decode_failed"], description="Only files that failed so.")


class SubmitQuery(Query):
    """With a manifest: its priority. A JSON body says its own."""

    priority: Priority | None = Field(None, description="For a manifest; a JSON body has a field of its own.")


KeyRelation = Literal["same", "relative", "neighbours"]
SortName = Literal["bpm", "-bpm", "duration", "-duration", "loudness", "-loudness", "added", "-added"]
_OR = "Or several, with commas between: any of them."
RELATION = "Also the relative key, or all neighbours on the Camelot wheel, which mix well with it."


class MarkedQuery(Query):
    """Which samples, by what the caller says of them."""

    tag: str | None = Field(None, max_length=500, examples=["dusty"], description=f"A tag of yours. {_OR}")
    favourite: bool = Field(False, description="Only your favourites.")
    corrected: bool = Field(False, description="Only those whose tempo, key or kind you corrected.")


class FacetsQuery(MarkedQuery):
    """Which samples. Every parameter given must hold."""

    bpm: str | None = Field(
        None, max_length=64, examples=["118..122"], description="`118..122`, `118..`, `..122`, `120`."
    )
    bpm_octaves: bool = Field(False, description="Also those of half and of twice the tempo.")
    duration: str | None = Field(None, max_length=64, examples=["0.1..2"], description="Seconds, as `bpm`.")
    range: list[Annotated[str, Field(max_length=100)]] = Field(
        [],
        max_length=20,
        examples=[["loudness.integrated_lufs:-20..-10"]],
        description=f"Any other number of the analysis, as `place:from..to`; more than once. {', '.join(DESCRIPTORS)}.",
    )
    key: str | None = Field(None, max_length=400, examples=["C minor"], description=_OR)
    key_relation: KeyRelation = Field("same", description=RELATION)
    camelot: str | None = Field(None, max_length=100, examples=["5A"], description=_OR)
    tonic: str | None = Field(None, max_length=60, examples=["C#"], description=_OR)
    mode: str | None = Field(None, max_length=20, examples=["minor"])
    kind: str | None = Field(None, max_length=100, examples=["loop"], description=_OR)
    instrument: str | None = Field(None, max_length=200, examples=["kick,snare"], description=_OR)
    note: str | None = Field(None, max_length=200, examples=["A4"], description=f"`A4`, or `A` for every octave. {_OR}")
    text: str | None = Field(None, max_length=500, examples=["kick"], description="Words that all stand in a path.")
    defect: str | None = Field(None, max_length=300, examples=["clipping"], description=_OR)


class ListingQuery(FacetsQuery):
    """Which samples, and in which order."""

    sort: SortName | None = Field(
        None, description="What is not known of a sample puts it last. `-bpm` begins with the fastest."
    )


class SamplesQuery(ListingQuery, JobsQuery):
    """Which samples, in which order, and which page of them."""


class DuplicatesQuery(Query):
    """Which copies, among which samples."""

    kind: Literal["exact", "audio", "near"] | None = Field(None, description="Only groups of this kind.")
    cursor: Cursor = None
    limit: int | None = Field(None, ge=1, le=500, description="Samples to look at in this page; 100 by default.")


class MapQuery(FacetsQuery):
    """Which samples, and which page of them."""

    cursor: Cursor = None
    limit: int = Field(2000, ge=1, le=5000)


class FoldersQuery(Query):
    """Which folder of a root."""

    path: str = Field("", max_length=4096, examples=["drums"])
    limit: int = Field(500, ge=1, le=MAX_LIMIT)


class ExportQuery(Query):
    """In which format."""

    format: str = Field(
        "ndjson", max_length=32, examples=["csv"], description="`ndjson`, `csv`, `parquet` or `rekordbox`."
    )
    location: str | None = Field(
        None,
        min_length=1,
        max_length=1000,
        examples=["D:/Samples"],
        description="For `rekordbox`: where the library's folder is on the machine that reads the collection.",
    )


class ReportQuery(Query):
    """In which format."""

    format: Literal["json", "html", "markdown"] = Field("json", description="For programs, or for people.")


class AudioQuery(Query):
    """In which format."""

    format: Literal["file", "wav"] = Field("file", description="The file as it is, or its beginning as WAV.")


class WaveformQuery(Query):
    """In which format."""

    format: Literal["json", "svg", "png"] = Field("json", description="Peaks as numbers, or a picture.")


class UploadQuery(Query):
    """What is uploaded, and what is to be done with it."""

    name: str = Field(min_length=1, max_length=1024, examples=["kick.wav"], description="The file's name.")
    sha256: str | None = Field(None, pattern="^[0-9a-fA-F]{64}$", description="Of the content; compared on arrival.")
    analyze: bool = Field(True, description="Make a job of it.")


class ZipQuery(Query):
    """Where the files of an archive go."""

    root: str = Field("uploads", max_length=200, examples=["library"], description="Or a root that takes uploads.")
    path: str = Field("", max_length=4096, examples=["packs/new"], description="A folder below that root.")
    analyze: bool = Field(True, description="Make a job of them.")


class Source(Sent):
    """A folder below a library root, and which of its files; or one file."""

    root: str = Field(min_length=1, max_length=200, examples=["library"])
    path: str = Field("", examples=["drums"], description="Below the root; empty for all of it.")
    pattern: str = Field(
        "**/*", examples=["**/*.wav"], description="Which files: `**` any folders, `*` any characters."
    )
    rescan: bool = Field(
        False,
        description="Read only what is new, or has another size or time of change than in the last complete job over "
        "the same folder; everything else ends `reused` unread.",
    )


class JobRequest(Sent):
    """A job over a folder."""

    source: Source
    priority: Priority = Priority.NORMAL

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"source": {"root": "library", "path": "drums", "pattern": "**/*"}, "priority": "interactive"}]
        }
    )


class RetryRequest(Sent):
    """What is to be tried again: files, or all of one cause."""

    cause: str | None = Field(None, min_length=1, max_length=64, examples=["decode_failed"])
    files: list[Annotated[str, Field(max_length=200)]] | None = Field(
        None, min_length=1, max_length=1000, description="Ids from the quarantine."
    )
    priority: Priority = Priority.NORMAL

    @model_validator(mode="after")
    def _one(self) -> RetryRequest:
        if (self.cause is None) == (self.files is None):
            raise ValueError("give either a cause or files")
        return self

    model_config = ConfigDict(json_schema_extra={"examples": [{"cause": "decode_timeout"}]})


Sha256 = Annotated[str, Field(pattern="^[0-9a-fA-F]{64}$")]


class CheckRequest(Sent):
    """Contents that a client has."""

    sha256: list[Sha256] = Field(max_length=1000)


class KeyRequest(Sent):
    """A key to be made."""

    name: str = Field(min_length=1, max_length=100, examples=["studio laptop"])
    scopes: list[Scope] = Field(min_length=1, max_length=3, examples=[["read", "write"]])
    owner: str | None = Field(None, min_length=1, max_length=100, description="Whose jobs it makes and sees.")
    ttl_s: float | None = Field(None, gt=0, le=10 * 366 * 86400, description="Seconds until it expires.")


class ExpireRequest(Sent):
    """When a key is to end."""

    in_s: float = Field(ge=0, le=10 * 366 * 86400, description="Seconds from now.", examples=[86400])


class RotateRequest(Sent):
    """How a key's successor begins."""

    overlap_s: float = Field(
        0, ge=0, le=366 * 86400, description="Seconds for which the old secret still opens.", examples=[3600]
    )


def _tag(text: str) -> str:
    tag = tag_of(text)
    if not tag or "," in tag or not tag.isprintable():
        raise ValueError("a tag is a word or a few, without commas")
    return tag


Tag = Annotated[str, Field(min_length=1, max_length=40), AfterValidator(_tag)]


class MarkRequest(Sent):
    """What you say of a sound yourself. All of it takes the place of what you said before; nothing takes it back."""

    tags: list[Tag] = Field([], max_length=20, examples=[["dusty", "for the album"]], description="Kept in lower case.")
    favourite: bool = False
    bpm: float | None = Field(None, ge=10, le=1000, allow_inf_nan=False, description="Its tempo, where ours is wrong.")
    key: str | None = Field(None, max_length=32, examples=["C minor"], description="Its key, where ours is wrong.")
    kind: str | None = Field(None, max_length=32, examples=["loop"])
