"""Look after active jobs: publish again what nobody works on, take apart what kills workers, end what is done.

The rules, for a published chunk that has not ended:

* its lease is over: its worker died or got tired; publish it again at once;
* it was never claimed and its queue is empty: its message is lost; publish it again after `republish_idle_s`;
* it was never claimed and its queue is long: it may well be waiting; only after `republish_after_s`;
* it was claimed `max_attempts` times and nobody knows at which file its workers died (`tasks.culprit`): it is split
  into single files, and a single file that did it so often is failed (`killed_worker`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import structlog

from config import tracing
from config.settings import QueueSettings
from stores.doors import Ledger
from stores.records import Job, JobState, Priority, Reason
from tasks.names import QueueName
from tasks.send import Sends
from workers.errors import KilledWorker

log = structlog.stdlib.get_logger(__name__)

_AT_ONCE: Final = 50
"""Most chunks of a job published again in one round, so that a full restart of Redis is no flood."""
_HASTEN_LOOK_S: Final = 5.0
"""So often somebody looks for what waited too long: a look costs a query a job."""
_SWEEP: Final = 200
"""Cancelled chunks ended in one step."""
_SWEEP_S: Final = 1.0
"""Longest time of a round spent on them: others have their turn in between."""


class Upkeep:
    """Looks after jobs, one call each. Any number may run: every change is one that one caller wins."""

    def __init__(
        self, ledger: Ledger, sender: Sends, queue: QueueSettings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ledger, self._sender, self._queue, self._clock = ledger, sender, queue, clock
        self._scan_sent: dict[str, float] = {}
        self._scan_since: dict[str, float] = {}
        self._hasten_at: dict[Priority, float] = dict.fromkeys(Priority, float("-inf"))

    def scans(self, lengths: Mapping[str, int]) -> int:
        """Publish scans that nobody is at, each not more often than the rules above say; how many.

        Raises
        ------
        StoreUnavailable
        """
        idle = self._ledger.idle_scans()
        wait_s = self._wait_s(lengths, QueueName.SCAN.value)
        now = self._clock()
        self._scan_sent = {job: at for job, at in self._scan_sent.items() if job in idle}
        self._scan_since = {job: self._scan_since.get(job, now) for job in idle}
        due = [job for job in idle if now - self._scan_sent.get(job, float("-inf")) >= wait_s]
        for job_id in due:
            self._sender.scan(job_id, ahead=now - self._scan_since[job_id] >= self._queue.ageing_s)
            self._scan_sent[job_id] = now
        return len(due)

    def hasten(self, jobs: Sequence[Job], workers: int) -> int:
        """Put a few chunks of each class that has waited for `ageing_s` ahead of all others; how many.

        The queues are strictly in order, so a class would starve behind a stream of more urgent work. This way it gets
        one chunk for every two workers in each such time.

        Raises
        ------
        StoreUnavailable
        """
        hastened = 0
        for priority in (Priority.NORMAL, Priority.BULK):
            if self._clock() >= self._hasten_at[priority]:
                waiting = [job for job in jobs if job.priority is priority and job.fed and not job.cancel_requested]
                hastened += self._hasten(waiting, priority, (max(1, workers) + 1) // 2)
        return hastened

    def _hasten(self, jobs: Sequence[Job], priority: Priority, most: int) -> int:
        aged: dict[str, list[str]] = {}
        for job in jobs:
            room = most - sum(map(len, aged.values()))
            if room:
                stale = self._ledger.stale(job.id, published_s_ago=self._queue.ageing_s, limit=room)
                aged[job.id] = [chunk_id for chunk_id, attempts, _ in stale if attempts < self._queue.max_attempts]
        for job_id, chunks in aged.items():
            self._publish(job_id, Priority.INTERACTIVE, chunks)
        wait_s = self._queue.ageing_s if any(aged.values()) else min(_HASTEN_LOOK_S, self._queue.ageing_s)
        self._hasten_at[priority] = self._clock() + wait_s
        return sum(map(len, aged.values()))

    def tend(self, job: Job, lengths: Mapping[str, int] | None) -> JobState | None:
        """Look after one job; its state if it ended now. Without `lengths` (Redis is away) nothing is published.

        Raises
        ------
        StoreUnavailable
        """
        if job.cancel_requested:
            self._sweep(job.id)
        if not self._ledger.fold(job.id).pending:
            ended = self._ledger.finish_job(job.id)
            if ended is not None:
                self._say_finished(job.id)
                return ended
        if lengths is not None:
            self._revive(job, self._wait_s(lengths, job.priority.value))
        return None

    def _sweep(self, job_id: str) -> None:
        """End what has not started, most of it at once: people wait for it."""
        ends = self._clock() + _SWEEP_S
        while self._ledger.sweep_cancelled(job_id, _SWEEP) == _SWEEP and self._clock() < ends:
            continue

    def _revive(self, job: Job, wait_s: float) -> None:
        again: list[str] = []
        for chunk_id, attempts, files in self._ledger.stale(job.id, published_s_ago=wait_s, limit=_AT_ONCE):
            if attempts < self._queue.max_attempts:
                again.append(chunk_id)
            elif files > 1:
                parts = self._ledger.split_chunk(chunk_id)
                log.warning("chunk_split", chunk=chunk_id, attempts=attempts, files=len(parts))
                again.extend(parts)
            elif self._ledger.fail_chunk(chunk_id, Reason(KilledWorker.code, KilledWorker().message)):
                log.warning("file_set_aside", chunk=chunk_id, attempts=attempts)
        self._publish(job.id, job.priority, again)

    def _publish(self, job_id: str, priority: Priority, chunks: list[str]) -> None:
        if chunks:
            self._sender.chunks(priority, chunks)
            self._ledger.mark_fed(job_id, chunks)
            log.info("chunks_published_again", job=job_id, chunks=len(chunks))

    def _wait_s(self, lengths: Mapping[str, int], queue: str) -> float:
        return self._queue.republish_after_s if lengths.get(queue, 0) else self._queue.republish_idle_s

    def _say_finished(self, job_id: str) -> None:
        job = self._ledger.job(job_id)
        counts = job.counts
        tracing.happened(job_id, "job", job.created_at.timestamp(), state=job.state.value, files=counts.submitted)
        log.info(
            "job_finished",
            job=job_id,
            state=job.state.value,
            submitted=counts.submitted,
            done=counts.done,
            reused=counts.reused,
            duplicate=counts.duplicate,
            skipped=counts.skipped,
            failed=counts.failed,
        )
