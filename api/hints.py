"""Hints to the queue, sent behind the answer: a 202 waits for the ledger, never for the broker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import structlog
from anyio import CapacityLimiter, to_thread

from config import tracing
from stores.doors import Ledger
from stores.records import Job, Priority
from tasks.send import Sends
from workers.errors import StoreError

_THREADS: Final = 4
_MOST_WAITING: Final = 200

_log = structlog.get_logger(__name__)


class Hints:
    """Tells the queue of new jobs. A hint that cannot be sent is logged and dropped: the reconciler finds the job."""

    def __init__(self, sender: Sends, ledger: Ledger) -> None:
        self._sender = sender
        self._ledger = ledger
        self._waiting = 0
        self._limiter: CapacityLimiter | None = None

    async def scan(self, job: Job) -> None:
        """A job's source is to be walked."""
        await self._send(job, lambda: self._sender.scan(job.id, ahead=job.priority is Priority.INTERACTIVE))

    async def chunks(self, job: Job) -> None:
        """A job's first chunk can be worked on: sooner than the reconciler would see it."""
        await self._send(job, lambda: self._first_chunk(job))

    def _first_chunk(self, job: Job) -> None:
        ids = self._ledger.unfed(job.id, 1)
        if ids:
            self._sender.chunks(job.priority, ids)
            self._ledger.mark_fed(job.id, ids)

    async def _send(self, job: Job, call: Callable[[], None]) -> None:
        job_id, priority = job.id, job.priority.value
        _log.info("job_submitted", job=job_id, priority=priority)
        tracing.submitted(job_id, priority=priority)
        self._limiter = self._limiter or CapacityLimiter(_THREADS)
        if self._waiting >= _MOST_WAITING:
            _log.warning("no hint was sent: too many wait for the broker", job=job_id)
            return
        self._waiting += 1
        try:
            with tracing.span(job_id, "publish"):
                await to_thread.run_sync(call, limiter=self._limiter)
        except StoreError as error:
            _log.warning("no hint was sent; the reconciler will", job=job_id, error=error.message)
        finally:
            self._waiting -= 1
