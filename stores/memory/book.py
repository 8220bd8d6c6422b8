"""What the ledger's twin keeps, and the questions that all its parts ask."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from stores import outcome
from stores.identity import ChunkId
from stores.records import Counts, Death, FileRef, FolderSource, Job, JobState, NewJob, Offer, Reason, Row
from workers.errors import NotFound

OPEN, SPLITTING, SPLIT, DONE = "open", "splitting", "split", "done"


@dataclass
class KeptChunk:
    """A chunk, or one part of a split one."""

    id: ChunkId
    first: int
    files: tuple[FileRef, ...]
    state: str = OPEN
    rows: tuple[Row, ...] | None = None
    lease_until: float | None = None
    token: str | None = None
    attempt: int = 0
    deaths: dict[int, Death] = field(default_factory=dict)
    released: dict[int, str] = field(default_factory=dict)
    fed_at: float = 0.0
    parts: list[KeptChunk] = field(default_factory=list)

    def pieces(self) -> list[KeptChunk]:
        """The chunk, or the parts that stand in its place."""
        return self.parts if self.state == SPLIT else [self]

    def settled(self) -> bool:
        return all(piece.state == DONE for piece in self.pieces())


@dataclass
class KeptJob:
    """A job and its chunks."""

    id: str
    new: NewJob
    created_at: float
    state: JobState
    touched_at: float
    cancel_requested: bool = False
    paused: bool = False
    resumed_at: float = 0.0
    reason: Reason | None = None
    finished_at: float | None = None
    scan_token: str | None = None
    scan_until: float = 0.0
    fed: int = 0
    chunks: list[KeptChunk] = field(default_factory=list)

    @property
    def is_paused(self) -> bool:
        return self.paused and self.state in (JobState.SCANNING, JobState.RUNNING)

    @property
    def submitted(self) -> int:
        return sum(len(chunk.files) for chunk in self.chunks)

    @property
    def place_key(self) -> tuple[str, ...] | None:
        source = self.new.source
        if not isinstance(source, FolderSource):
            return None
        return (self.new.owner, source.root, source.path, source.pattern)

    def pieces(self) -> Iterator[KeptChunk]:
        for chunk in self.chunks:
            yield from chunk.pieces()

    def counts(self) -> Counts:
        ended = outcome.add(outcome.tally(piece.rows or ()) for piece in self.pieces())
        return outcome.counts(self.submitted, ended)

    def seen(self) -> Job:
        return Job(
            id=self.id,
            owner=self.new.owner,
            state=JobState.PAUSED if self.is_paused else self.state,
            priority=self.new.priority,
            source=self.new.source,
            label=self.new.label,
            created_at=moment(self.created_at),
            counts=self.counts(),
            cancel_requested=self.cancel_requested,
            finished_at=None if self.finished_at is None else moment(self.finished_at),
            reason=self.reason,
            chunks=len(self.chunks),
            fed=self.fed,
        )


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


class Book:
    """Every job, behind one lock: each method of the ledger is one step."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._jobs: dict[str, KeptJob] = {}
        self._parts: dict[str, tuple[str, float]] = {}
        self._offer: Offer | None = None
        self.between: Callable[[str], None] = lambda writes: None
        """Called between two writes that are one call of the door: a test may die there."""

    def _kept(self, job_id: str, owner: str | None = None) -> KeptJob:
        kept = self._jobs.get(job_id)
        if kept is None or owner not in (None, kept.new.owner):
            raise NotFound("job")
        return kept

    def _chunk(self, chunk_id: str) -> tuple[KeptJob, KeptChunk] | None:
        """A chunk or part and its job."""
        parsed = ChunkId.parse(chunk_id)
        kept = self._jobs.get(parsed.job) if parsed else None
        if parsed is None or kept is None or parsed.n >= len(kept.chunks):
            return None
        chunk = kept.chunks[parsed.n]
        if parsed.part == 0:
            return kept, chunk
        return (kept, chunk.parts[parsed.part - 1]) if parsed.part <= len(chunk.parts) else None

    def _free(self, chunk: KeptChunk) -> bool:
        """Open, and nobody works on it."""
        return chunk.state == OPEN and (chunk.lease_until is None or chunk.lease_until < self._clock())

    def _scan_live(self, kept: KeptJob) -> bool:
        return kept.scan_token is not None and kept.scan_until >= self._clock()
