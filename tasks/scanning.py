"""One slice of a scan: walk a job's source for a while and write chunks of files to the ledger.

Whoever gets the next slice goes on behind the last file in the ledger. Nothing is remembered anywhere else, so
a scan may die at any point.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Final

import structlog

from config.settings import QueueSettings
from stores.buckets import Bucket
from stores.doors import Ledger, Samples
from stores.records import FileRef, FolderSource, Reason, Row, ScanClaim, Source, Status
from tasks.cutting import Cutter
from tasks.known import is_current
from tasks.remembered import Remembered
from tasks.sources import entries
from tasks.walk import Entries
from workers.errors import (
    AccessRefused,
    BadPattern,
    BucketMissing,
    NotFound,
    OutsideRoot,
    SampleMindError,
    Unreadable,
)

log = structlog.stdlib.get_logger(__name__)


_LOOK_S: Final = 1.0
"""So often the lease is renewed: that also shows a job that was cancelled or paused."""


class Slice(StrEnum):
    """How a slice of a scan ended."""

    NOTHING = "nothing"
    """Somebody else is at it, or there is nothing to scan (any more)."""
    MORE = "more"
    """The walk is not at its end: publish the scan again."""
    END = "end"
    LOST = "lost"
    """The lease was lost or the job cancelled; whoever took it goes on."""


class _Lost(Exception):
    """This scan is no longer ours."""


class _Overtaken(Exception):
    """Another scanner wrote the chunk that we were about to write."""


def scan_slice(
    job_id: str,
    ledger: Ledger,
    samples: Samples,
    roots: Mapping[str, Path],
    queue: QueueSettings,
    *,
    buckets: Mapping[str, Bucket] | None = None,
    max_analyzed_s: float = 600,
    clock: Callable[[], float] = time.monotonic,
    urgent: Callable[[], bool] = lambda: False,
) -> Slice:
    """Walk a job's source for at most `scan_slice_s`, or until something is `urgent`, and say how it ended.

    A slice that found nothing to write goes on until it does: there would be nothing to go on from.

    Raises
    ------
    StoreUnavailable
        A database or a bucket is away. The lease runs out by itself and the scan is published again.
    """
    claim = ledger.claim_scan(job_id, queue.lease_s)
    if claim is None or claim.job.source is None:
        return Slice.NOTHING
    cutter = Cutter(queue.chunk_cost_s, queue.chunk_files, max_analyzed_s)
    slice_ = _Slice(ledger, claim, queue, cutter, clock, urgent)
    source, buckets = claim.job.source, buckets or {}
    try:
        earlier = _remembered(job_id, source, ledger, buckets)
        return slice_.run(entries(source, roots, buckets, samples, claim.after), earlier)
    except _Lost:
        return Slice.LOST
    except _Overtaken:
        ledger.release_scan(job_id, claim.token)
        return Slice.MORE
    except (NotFound, OutsideRoot, Unreadable, BadPattern, BucketMissing, AccessRefused) as error:
        return slice_.end(_reason(error))


class _Slice:
    def __init__(
        self,
        ledger: Ledger,
        claim: ScanClaim,
        queue: QueueSettings,
        cutter: Cutter,
        clock: Callable[[], float],
        urgent: Callable[[], bool],
    ) -> None:
        self._ledger, self._claim, self._queue, self._cutter, self._clock = ledger, claim, queue, cutter, clock
        self._job_id = claim.job.id
        self._next_chunk, self._next_file = claim.next_chunk, claim.next_file
        self._ends = clock() + queue.scan_slice_s
        self._renewed = clock()
        self._urgent = urgent

    def run(self, found: Entries, earlier: Remembered | None) -> Slice:
        with closing(found) as files:
            for file in files:
                self._keep_lease()
                if file is not None:
                    known = earlier.sample_of(file) if earlier else None
                    self._write(self._cutter.add(replace(file, known=known) if known else file))
                if self._clock() >= self._ends and self._may_pause():
                    self._ledger.release_scan(self._job_id, self._claim.token)
                    return Slice.MORE
        self._write(self._cutter.end())
        return self.end(None)

    def end(self, reason: Reason | None) -> Slice:
        ended = self._ledger.finish_scan(self._job_id, self._claim.token, reason)
        log.info(
            "scan_finished" if ended else "scan_lost",
            job=self._job_id,
            files=self._next_file,
            chunks=self._next_chunk,
            reason=reason.code if reason else None,
        )
        return Slice.END if ended else Slice.LOST

    def _may_pause(self) -> bool:
        """Write what can be, and whether the next slice has something to go on from that this one had not."""
        self._write(self._cutter.pause(nothing_yet=self._wrote_nothing))
        return not self._wrote_nothing

    @property
    def _wrote_nothing(self) -> bool:
        return self._next_chunk == self._claim.next_chunk

    def _write(self, chunks: Iterable[list[FileRef]]) -> None:
        for chunk in chunks:
            rows = _rows_of_known(chunk)
            if not self._ledger.add_chunk(self._job_id, self._next_chunk, self._next_file, chunk, rows):
                raise _Overtaken
            self._next_chunk += 1
            self._next_file += len(chunk)
            self._keep_lease()

    def _keep_lease(self) -> None:
        now = self._clock()
        if now - self._renewed < min(self._queue.lease_s / 3, _LOOK_S):
            return
        if not self._ledger.renew_scan(self._job_id, self._claim.token, self._queue.lease_s):
            raise _Lost
        self._renewed = now
        if self._urgent():
            self._ends = now


def _remembered(job_id: str, source: Source, ledger: Ledger, buckets: Mapping[str, Bucket]) -> Remembered | None:
    if not isinstance(source, FolderSource) or not source.rescan:
        return None
    earlier = ledger.earlier(job_id)
    return Remembered(ledger, earlier, by_key=source.root in buckets) if earlier else None


def _rows_of_known(chunk: Sequence[FileRef]) -> list[Row] | None:
    """The ends of a chunk of which every file is known: no worker has to look at it."""
    ids = [file.known for file in chunk if file.known is not None and is_current(file.known)]
    return [Row(Status.REUSED, sample_id=each) for each in ids] if len(ids) == len(chunk) else None


def _reason(error: SampleMindError) -> Reason:
    return Reason(error.code, error.message)
