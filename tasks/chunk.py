"""The work on one chunk: every file of it to its end, whatever becomes of us meanwhile.

Written so that it may be done again from any point with the same result: samples are keyed by content, a file's
end is read off the sample's origin rather than off what this run happened to do, and the chunk ends in one write.
"""

from __future__ import annotations

import math
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import structlog

from config.settings import S3Settings
from config.tracing import step
from stores.buckets import Bucket
from stores.doors import Ledger, Samples
from stores.outcome import CANCELLED
from stores.records import Claim, FileRef, NewSample, Origin, Reason, Row, Status
from tasks.culprit import suspects, verdict
from tasks.cutting import has_audio_name
from tasks.fetched import Fetches
from tasks.known import is_current
from tasks.lease import ChunkLease, Lost, Tired
from tasks.opened import Seen, hash_file, opened_again
from tasks.patience import patiently
from tasks.settled import MOST_JOBS, Run, runs_of
from tasks.walk import SYMLINK_TO_FOLDER
from workers.errors import (
    AccessRefused,
    AnalysisFailed,
    BucketAway,
    BucketMissing,
    ChangedWhileReading,
    FetchTimedOut,
    FileError,
    Left,
    NotARegularFile,
    NotAudio,
    NotDelivered,
    ObjectArchived,
    OutOfMemory,
    OutsideRoot,
    StoreError,
    SymlinkLoop,
    Unreadable,
    Vanished,
)
from workers.model import ANALYZER_VERSION, VECTOR_DIMENSIONS, Analysis, sample_id

T = TypeVar("T")

log = structlog.stdlib.get_logger(__name__)

Alive = Callable[[float, float], object]
"""Told now and then in the middle of a long file: its seconds so far and in all."""
Analyze = Callable[[int, str, Alive], Analysis]
"""(descriptor, name, ...) -> Analysis, or a `FileError`: `workers.file.analyze_file` with its decoder."""

_OF_THE_PLACE: Final = (
    *(Vanished, Unreadable, NotARegularFile, SymlinkLoop, OutsideRoot, ChangedWhileReading),
    *(BucketMissing, AccessRefused, ObjectArchived, FetchTimedOut, NotDelivered),
)
"""Errors that say nothing of the content: the same content at another place may well be analysed."""


class Ended(StrEnum):
    """How the work on a chunk ended."""

    DONE = "done"
    LOST = "lost"
    """Somebody else has it now: no row was written, but what was analysed is kept."""
    TIRED = "tired"
    """It takes too long for one task: what was analysed is kept and the next attempt goes on from there."""
    RETURNED = "returned"
    """A bucket is away: what was analysed is kept, the chunk waits a while, and this attempt does not count."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What the work on a chunk needs."""

    ledger: Ledger
    samples: Samples
    analyze: Analyze
    roots: Mapping[str, Path]
    buckets: Mapping[str, Bucket] = field(default_factory=dict)
    s3: S3Settings = field(default_factory=S3Settings)
    lease_s: float = 30
    budget_s: float = 150
    """After so long no further file is begun: half of what a task may take."""
    max_file_bytes: int = 8 << 30
    max_deaths: int = 3
    """A file at which so many workers died is not tried again."""
    at: Callable[[Claim, int], object] = lambda claim, n: None
    """Told before each file that is analysed, by its place in the chunk."""
    clock: Callable[[], float] = time.monotonic
    progress: Callable[[float], object] = lambda longer_s: None
    """Told before each file, and how much longer than usual it may take, in seconds."""


@dataclass(slots=True)
class _Work:
    """What is known so far of a chunk's files, by their place in it, and of their contents, by sample id."""

    claim: Claim
    fetches: Fetches
    rows: dict[int, Row] = field(default_factory=dict)
    seen: dict[int, Seen] = field(default_factory=dict)
    ids: dict[int, str] = field(default_factory=dict)
    unsettled: list[Run] = field(default_factory=list)
    origins: dict[str, Origin] = field(default_factory=dict)
    new: dict[str, NewSample] = field(default_factory=dict)
    bad: dict[str, FileError] = field(default_factory=dict)


def work_on(claim: Claim, bench: Bench) -> Ended:
    """Bring every file of a chunk to its end, and the chunk to its own.

    Raises
    ------
    StoreUnavailable
        A database stayed away although it was tried for a while. The lease runs out and the chunk is done again.
    """
    if claim.cancelled:
        return _finish(claim, bench, [CANCELLED] * len(claim.files))
    with Fetches(claim.files, _is_read, bench.buckets, bench.s3, bench.max_file_bytes) as fetches:
        return _work_on(_Work(claim, fetches), bench)


def _is_read(file: FileRef) -> bool:
    """Whether the file itself must be looked into."""
    return file.reason is None and not (file.known is not None and is_current(file.known))


def _work_on(work: _Work, bench: Bench) -> Ended:
    claim = work.claim
    lease = ChunkLease(
        claim,
        bench.ledger,
        lease_s=bench.lease_s,
        budget_s=bench.budget_s,
        clock=bench.clock,
        progress=bench.progress,
    )
    try:
        with step("hash"):
            _hash_all(work, bench, lease)
        with step("look up"):
            _look_up(work, bench)
        _analyse_unknown(work, bench, lease)
    except (Lost, Tired, BucketAway) as stopped:
        _keep_samples(work, bench)
        if isinstance(stopped, Lost):
            return Ended.LOST
        if isinstance(stopped, BucketAway):
            log.warning("bucket_away", chunk=claim.chunk_id, why=stopped.detail)
            patiently(lambda: bench.ledger.return_chunk(claim, bench.s3.later_s))
            return Ended.RETURNED
        lease.give_up()
        return Ended.TIRED
    _keep_samples(work, bench)
    _read_off_origins(work)
    _keep_places(work, bench)
    _settle(work, bench)
    return _finish(claim, bench, [work.rows[n] for n in range(len(claim.files))])


def _look_up(work: _Work, bench: Bench) -> None:
    """What is known of these contents already."""
    _reuse_settled(work, bench)
    unknown = {of_content for n, of_content in work.ids.items() if n not in work.rows}
    if unknown:
        work.origins = patiently(lambda: bench.samples.known(unknown))


def _hash_all(work: _Work, bench: Bench, lease: ChunkLease) -> None:
    for n, file in enumerate(work.claim.files):
        if file.reason is not None:
            work.rows[n] = _row_of_reason(file.reason)
        elif lease.cancelled_before(file):
            work.rows[n] = CANCELLED
        elif not _is_read(file) and file.known is not None:
            work.rows[n] = Row(Status.REUSED, sample_id=file.known)
        else:
            try:
                work.seen[n] = _guarded(file, partial(_hash, work, n, bench, lease))
                work.ids[n] = sample_id(work.seen[n].content)
            except FileError as error:
                work.rows[n] = _row_of_error(error, file)


def _hash(work: _Work, n: int, bench: Bench, lease: ChunkLease) -> Seen:
    if work.fetches.has(n):
        fetched = work.fetches.take(n, lease.hold)
        return Seen(fetched.content, fetched.etag)
    return hash_file(bench.roots, work.claim.files[n], bench.max_file_bytes)


def _reuse_settled(work: _Work, bench: Bench) -> None:
    """End the runs of files that are known as they are, if no sample of theirs is this job's own."""
    runs = runs_of(work.claim.files, work.ids, work.claim.owner)
    settled = patiently(lambda: bench.samples.settled([run.digest for run in runs])) if runs else {}
    for run in runs:
        if work.claim.job_id in settled.get(run.digest, {work.claim.job_id}):
            work.unsettled.append(run)
        else:
            work.rows |= {n: Row(Status.REUSED, sample_id=work.ids[n]) for n in run.places}


def _analyse_unknown(work: _Work, bench: Bench, lease: ChunkLease) -> None:
    """Analyse each content without a sample once, from the first of its files that can still be read.

    Those at which a worker died come last, and alone: what the others gave is safe by then.
    """
    deadly = suspects(work.claim, work.ids)
    for n, of_content in sorted(work.ids.items(), key=lambda item: item[1] in deadly):
        file = work.claim.files[n]
        if n in work.rows or of_content in work.origins or of_content in work.new:
            continue
        if of_content in work.bad:
            work.rows[n] = _row_of_error(work.bad[of_content], file)
        elif lease.cancelled_before(file):
            work.rows[n] = CANCELLED
        else:
            try:
                if of_content in deadly:
                    _keep_samples(work, bench)
                    if len(deadly[of_content]) >= bench.max_deaths:
                        raise verdict(deadly[of_content])
                bench.at(work.claim, n)
                work.new[of_content] = _new_sample(work, n, _analyse(work, n, bench, lease))
            except FileError as error:
                work.rows[n] = _row_of_error(error, file)
                if not isinstance(error, _OF_THE_PLACE):
                    work.bad[of_content] = error


def _analyse(work: _Work, n: int, bench: Bench, lease: ChunkLease) -> Analysis:
    file = work.claim.files[n]

    def analyse() -> Analysis:
        with step("analyse", root=file.root, path=file.path), _opened_again(work, n, bench, lease) as fd:
            return bench.analyze(fd, file.path.rpartition("/")[2], lambda done_s, whole_s: lease.hold())

    return _guarded(file, analyse)


def _opened_again(work: _Work, n: int, bench: Bench, lease: ChunkLease) -> AbstractContextManager[int]:
    file, seen = work.claim.files[n], work.seen[n]
    if isinstance(seen.identity, str):
        return work.fetches.opened_again(n, seen.content, seen.identity, lease.hold)
    return opened_again(bench.roots, file, seen)


def _guarded(file: FileRef, call: Callable[[], T]) -> T:
    """What `call` gives; whatever it raises as a `FileError`, so that the file's neighbours go on."""
    try:
        return call()
    except (FileError, Left, StoreError):
        raise
    except MemoryError as error:  # one that leaves a Celery task ends the whole worker
        raise OutOfMemory() from error
    except Exception as error:
        log.exception("analysis_failed", root=file.root, path=file.path)
        raise AnalysisFailed(f"{type(error).__name__}.") from error


def _new_sample(work: _Work, n: int, analysis: Analysis) -> NewSample:
    claim, seen = work.claim, work.seen[n]
    return NewSample(
        id=work.ids[n],
        content=seen.content,
        analyzer=ANALYZER_VERSION,
        analysis=analysis.to_dict(),
        vector=_checked(analysis.vector),
        peaks=analysis.preview.peaks,
        mel=analysis.preview.mel,
        origin=Origin(claim.job_id, claim.first + n),
        owner=claim.owner,
        file=claim.files[n],
    )


def _checked(vector: bytes) -> bytes:
    """A vector that the index takes: one number that is not finite would hold up all behind it."""
    if not vector:
        return vector
    if len(vector) != 4 * VECTOR_DIMENSIONS:
        raise AnalysisFailed(f"A vector of {len(vector)} bytes.")
    if not all(map(math.isfinite, struct.unpack(f"<{VECTOR_DIMENSIONS}f", vector))):
        raise AnalysisFailed("A vector that is not finite.")
    return vector


def _keep_samples(work: _Work, bench: Bench) -> None:
    if work.new:
        batch = list(work.new.values())
        with step("write samples", samples=len(batch)):
            work.origins.update(patiently(lambda: bench.samples.insert(batch)))
        work.new.clear()


def _read_off_origins(work: _Work) -> None:
    """A file's end follows from whose sample it is, so that doing the chunk again says the same."""
    for n, of_content in work.ids.items():
        if n not in work.rows:
            origin = work.origins[of_content]
            work.rows[n] = Row(_status(origin, work.claim.job_id, work.claim.first + n), sample_id=of_content)


def _status(origin: Origin, job_id: str, index: int) -> Status:
    if origin.job_id != job_id:
        return Status.REUSED
    return Status.DONE if origin.index == index else Status.DUPLICATE


def _keep_places(work: _Work, bench: Bench) -> None:
    """Other places where a known content was seen."""
    places = [
        (work.ids[n], work.claim.files[n])
        for run in work.unsettled
        for n in run.places
        if work.rows[n].sample_id is not None and work.rows[n].status is not Status.DONE
    ]
    if places:
        patiently(lambda: bench.samples.seen_at(places, owner=work.claim.owner))


def _settle(work: _Work, bench: Bench) -> None:
    """Remember the runs of which every file has its sample and its place."""
    settled = {}
    for run in work.unsettled:
        if all(work.rows[n].sample_id is not None for n in run.places):
            jobs = frozenset(work.origins[work.ids[n]].job_id for n in run.places)
            if len(jobs) <= MOST_JOBS:
                settled[run.digest] = jobs
    if settled:
        patiently(lambda: bench.samples.settle(settled))


def _finish(claim: Claim, bench: Bench, rows: Sequence[Row]) -> Ended:
    with step("write rows", rows=len(rows)):
        return Ended.DONE if patiently(lambda: bench.ledger.finish_chunk(claim, rows)) else Ended.LOST


def _row_of_reason(reason: Reason) -> Row:
    """What the scan already knew."""
    status = Status.SKIPPED if reason.code == SYMLINK_TO_FOLDER.code else Status.FAILED
    return Row(status, reason=reason)


def _row_of_error(error: FileError, file: FileRef) -> Row:
    """Something else than audio that never said it was audio is skipped; all other errors are failures."""
    skipped = isinstance(error, NotAudio) and not has_audio_name(file.path)
    return Row(Status.SKIPPED if skipped else Status.FAILED, reason=Reason(error.code, error.message))
