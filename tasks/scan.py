"""The task that walks a job's source, a slice at a time."""

from __future__ import annotations

import re
from typing import Final

import structlog
from structlog.contextvars import bound_contextvars

from config.tracing import span
from tasks.app import app
from tasks.lifecycle import Child, this_child
from tasks.names import QueueName, TaskName
from tasks.scanning import Slice, scan_slice
from workers.errors import StoreUnavailable

log = structlog.stdlib.get_logger(__name__)

_JOB_ID: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")


@app.task(name=TaskName.SCAN.value, max_retries=3, default_retry_delay=0)
def scan(job_id: str) -> None:
    """Walk a job's source for a while; publishes itself again until it is at its end. Safe to run twice."""
    with this_child().working() as child:
        scan_job(job_id, child)


def scan_job(job_id: object, child: Child) -> Slice:
    """Do what the task does. Ends quietly where a database is away: the reconciler publishes the scan again."""
    if not isinstance(job_id, str) or not _JOB_ID.fullmatch(job_id):
        log.warning("message_refused", task=TaskName.SCAN.value, said=repr(job_id)[:100])
        return Slice.NOTHING
    settings = child.settings
    try:
        with bound_contextvars(job=job_id), span(job_id, "scan"):
            ended = scan_slice(
                job_id,
                child.stores.ledger,
                child.stores.samples,
                settings.all_roots,
                settings.queue,
                buckets=child.bench.buckets,
                max_analyzed_s=settings.decode.max_streamed_s,
                urgent=lambda: _somebody_waits(child),
            )
        if ended is Slice.MORE:
            child.sender.scan(job_id)
    except (StoreUnavailable, MemoryError) as error:
        log.warning("scan_left", job=job_id, why=str(error) or type(error).__name__)
        return Slice.LOST
    return ended


def _somebody_waits(child: Child) -> bool:
    """Whether something interactive is waiting for a worker. Nobody knows while Redis is away."""
    try:
        return child.pulse.queue_lengths().get(QueueName.INTERACTIVE.value, 0) > 0
    except StoreUnavailable:
        return False
