"""What the ledger keeps, as values. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

from workers.model import VECTOR_VERSION

T = TypeVar("T")


class Status(StrEnum):
    """How a submitted file ended. `PENDING` is the only one that is not an end."""

    PENDING = "pending"
    DONE = "done"
    """Analysed for this file."""
    REUSED = "reused"
    """The same content was known from an earlier job."""
    DUPLICATE = "duplicate"
    """The same content came earlier in this job."""
    SKIPPED = "skipped"
    FAILED = "failed"


class JobState(StrEnum):
    """A job's life: receiving -> scanning -> running -> complete, cancelled or failed; paused in between."""

    RECEIVING = "receiving"
    """A manifest is still coming in; not accepted yet."""
    SCANNING = "scanning"
    """Accepted; its source is being walked (chunks may already be at work)."""
    RUNNING = "running"
    """Every file is in the ledger."""
    PAUSED = "paused"
    """Nothing of it is begun until it is resumed; underneath it is still scanning or running."""
    COMPLETE = "complete"
    CANCELLED = "cancelled"
    FAILED = "failed"
    """The source itself could not be read to its end; `reason` says why. Files found before it ended as usual."""

    @property
    def ended(self) -> bool:
        return self in (JobState.COMPLETE, JobState.CANCELLED, JobState.FAILED)


class Priority(StrEnum):
    """Which queue a job's chunks go to."""

    INTERACTIVE = "interactive"
    NORMAL = "normal"
    BULK = "bulk"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: a stable code and a sentence."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class FileRef:
    """One submitted file: where it is, and what was seen of it when it was submitted."""

    root: str
    path: str
    """Below the root, `/` between parts, valid UTF-8. Bytes that are not are written ``\\xNN``, and backslashes that
    look like it are doubled; then `raw` has the bytes."""
    raw: bytes | None = None
    size: int = -1
    """Bytes; -1 where it could not be seen."""
    mtime_ns: int = 0
    reason: Reason | None = None
    """Set where the scan already knows that it cannot be analysed (a FIFO, a link out of the root)."""
    known: str | None = None
    """The sample of its content, where the scan knows that without reading it."""
    etag: str | None = None
    """Of an object in a bucket, as it was listed: another one for another content."""


@dataclass(frozen=True, slots=True)
class Row:
    """How one file ended."""

    status: Status
    sample_id: str | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class FileRow:
    """One submitted file as users see it."""

    index: int
    """Its number in the job, from 0."""
    file: FileRef
    row: Row


@dataclass(frozen=True, slots=True)
class FailedFile:
    """A file that failed, and that no job has tried again since."""

    id: str
    job_id: str
    index: int
    """Its number in the job."""
    file: FileRef
    reason: Reason
    attempts: int
    died_of: tuple[str, ...] = ()
    """What workers died of while they were at it, in words; empty where nobody was left to tell."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why files failed, and how many."""

    code: str
    message: str
    """A sentence that holds for all of them."""
    count: int


@dataclass(frozen=True, slots=True)
class Counts:
    """The conservation law: submitted = pending + done + reused + duplicate + skipped + failed."""

    submitted: int = 0
    pending: int = 0
    done: int = 0
    reused: int = 0
    duplicate: int = 0
    skipped: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class FolderSource:
    """A folder below a named root, and which files of it."""

    root: str
    path: str = ""
    pattern: str = "**/*"
    rescan: bool = False
    """Do not read files that are as they were in the last complete job over the same folder."""


@dataclass(frozen=True, slots=True)
class SamplesSource:
    """Samples that an older analyser made."""

    analyzer: str
    """Older than this one."""
    owner: str | None
    """Only theirs; ``None``: everybody's, and what is made of them stays theirs."""


Source = FolderSource | SamplesSource


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job as submitted."""

    owner: str
    priority: Priority
    source: Source | None
    """``None``: the files come with the request (a manifest, an upload)."""
    idempotency_key: str | None = None
    fingerprint: str = ""
    """Hash of the request, to tell a repeated one from another with the same key."""
    label: str = ""
    """What people see in lists: ``library/drums``."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job as kept."""

    id: str
    owner: str
    state: JobState
    priority: Priority
    source: Source | None
    label: str
    created_at: datetime
    counts: Counts
    cancel_requested: bool = False
    finished_at: datetime | None = None
    reason: Reason | None = None
    chunks: int = 0
    """Chunks written so far."""
    fed: int = 0
    """Chunks with a lower number have been published (or swept) at least once."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a cluster is made of, said by its gateways: who joins it must have the same."""

    analyzer: str
    """The version of the analyser."""
    roots: tuple[str, ...]
    """Names of its library roots, `uploads` among them."""
    key_prefix: str
    """Before every key in Redis."""


@dataclass(frozen=True, slots=True)
class Death:
    """A worker died while it was at one file of a chunk."""

    n: int
    """The file's place in the chunk."""
    of: str
    """In words; empty where nobody was left to tell."""


@dataclass(frozen=True, slots=True)
class LastSeen:
    """Where a process was that never left its chunk."""

    attempt: int
    n: int
    """The file's place in the chunk; -1 before any."""
    died_of: str
    """Empty where it is not known to be dead."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A chunk that this caller holds until its lease ends."""

    chunk_id: str
    job_id: str
    first: int
    """Number in the job of its first file."""
    files: tuple[FileRef, ...]
    token: str
    attempt: int
    owner: str
    """Whose the samples will be; empty where they only take the place of older ones."""
    cancelled: bool
    """The job was cancelled: end every file `skipped`."""
    deaths: tuple[Death, ...] = ()
    """Earlier attempts whose worker died at a file that is known."""

    @property
    def unexplained(self) -> int:
        """Attempts, this one among them, of which no file is known to have ended them."""
        return self.attempt - len(self.deaths)


@dataclass(frozen=True, slots=True)
class ScanClaim:
    """The right to walk a job's source for a while, and where to go on."""

    job: Job
    token: str
    next_chunk: int
    next_file: int
    after: FileRef | None
    """The last file already in the ledger; walk on behind it."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Which submitted file a sample was first analysed for."""

    job_id: str
    index: int


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Vectors on their way to the index, and what is to be noted when it has them."""

    vectors: tuple[PendingVector, ...]
    parcels: tuple[str, ...] = ()
    """Keys of the parcels they came in; none where they are a step of the walk that fills a new generation."""
    walked_to: str | None = None
    """The last sample of that step; ``None`` at the end of the walk."""
    walked: int = 0
    """Vectors in that step."""
    jobs: Mapping[str, int] = field(default_factory=dict)
    """Of these, how many each job brought; those of a walk are nobody's any more."""


@dataclass(frozen=True, slots=True)
class NewSample:
    """One analysis to keep."""

    id: str
    content: str
    """SHA-256 of the bytes, hex."""
    analyzer: str
    analysis: Mapping[str, Any]
    """`Analysis.to_dict()`."""
    vector: bytes
    peaks: bytes
    mel: bytes
    origin: Origin
    owner: str
    file: FileRef
    space: int = VECTOR_VERSION
    """Only vectors of one space can be compared."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One analysis as kept."""

    id: str
    content: str
    analyzer: str
    analysis: Mapping[str, Any]
    files: tuple[FileRef, ...]
    """Where this content was seen, the first one first."""
    created_at: datetime
    space: int | None = None
    """Of its vector; ``None`` where that was not noted."""
    superseded_by: str | None = None
    """The sample of the same content by a newer analyser, which is shown in its place."""


@dataclass(frozen=True, slots=True)
class Outline:
    """As much of a sample as a map shows."""

    id: str
    name: str
    """Of the file where it was seen first, without its folders."""
    kind: str
    bpm: float | None
    key: str | None
    vector: bytes
    """Empty where it is silent."""
    space: int | None
    """Of its vector; ``None`` where that was not noted."""


Choice = str | tuple[str, ...]
"""One value, or any of several."""
Bounds = tuple[float | None, float | None]
"""From, to; both belong to it. ``None``: open."""


@dataclass(frozen=True, slots=True)
class SampleFilter:
    """Which samples. Empty fields do not filter. Every field set must hold."""

    bpm: Bounds | None = None
    bpm_octaves: bool = False
    """Also those of half and of twice the tempo."""
    duration_s: Bounds | None = None
    numbers: tuple[tuple[str, Bounds], ...] = ()
    """Other numbers of the analysis by their place in it, as ``loudness.integrated_lufs``: `stores.descriptors`."""
    key: Choice | None = None
    """``C minor``."""
    camelot: Choice | None = None
    tonic: Choice | None = None
    mode: Choice | None = None
    kind: Choice | None = None
    instrument: Choice | None = None
    note: Choice | None = None
    text: str | None = None
    """Words that must all stand in the path, in any case."""
    defect: Choice | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """A question that an owner keeps by a name, as they sent it."""

    name: str
    asked: Mapping[str, Any]
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Mark:
    """What an owner says of a sound themselves: it belongs to the content, so a new analysis does not touch it."""

    tags: tuple[str, ...] = ()
    favourite: bool = False
    bpm: float | None = None
    key: str | None = None
    kind: str | None = None

    @property
    def corrects(self) -> bool:
        """Whether it says other than what was measured."""
        return (self.bpm, self.key, self.kind) != (None, None, None)


@dataclass(frozen=True, slots=True)
class Among:
    """Samples by their ids, beside what a `SampleFilter` asks of the analysis."""

    only: tuple[str, ...] | None = None
    """None but these; ``None``: all."""
    but: tuple[str, ...] = ()
    """Not these, whatever their analysis says."""
    also: tuple[str, ...] = ()
    """These too, whatever their analysis says."""


class Order(StrEnum):
    """By what samples can be sorted. Those of which it is not known come last, either way."""

    BPM = "bpm"
    DURATION = "duration"
    LOUDNESS = "loudness"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Sort:
    """How a listing is sorted; equals stand in the order of their ids."""

    by: Order
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Facets:
    """How many samples have which value: ``counts["kind"]["loop"]``. `tempo` is in steps of 10 BPM from its number."""

    total: int
    counts: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class PendingVector:
    """A sample that the index does not hold yet."""

    id: str
    vector: bytes
    metadata: Mapping[str, str | int | float | bool]


@dataclass(frozen=True, slots=True)
class Hit:
    """A neighbour: its id, its cosine similarity (1 = the same direction), its vector."""

    id: str
    score: float
    vector: bytes = field(repr=False, default=b"")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of the rows, and where to go on; ``None`` at the end."""

    items: tuple[T, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as kept: never the key itself."""

    id: str
    name: str
    owner: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None = None
    successor: str | None = None
    """The key that took its place when it was rotated: this one only outlives that for the overlap."""
