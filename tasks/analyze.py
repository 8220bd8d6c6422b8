"""The task that analyses the files of one chunk."""

from __future__ import annotations

import time

import structlog
from structlog.contextvars import bound_contextvars

from config.tracing import span
from stores.identity import ChunkId
from tasks.app import app
from tasks.chunk import Ended, work_on
from tasks.culprit import claim_chunk
from tasks.lifecycle import Child, this_child
from tasks.names import TaskName
from workers.errors import StoreUnavailable

log = structlog.stdlib.get_logger(__name__)


# The retries are for processes that died; a chunk may hold some files that end one, each three times.
@app.task(name=TaskName.ANALYZE.value, max_retries=12, default_retry_delay=0, Request="tasks.lost:TellingRequest")
def analyze(chunk_id: str) -> None:
    """Bring every file of a chunk to its end. Safe to run twice, and by two workers at once."""
    with this_child().working() as child:
        analyze_chunk(chunk_id, child)


def analyze_chunk(chunk_id: object, child: Child) -> Ended | None:
    """Do what the task does; ``None`` where there was nothing to do.

    Ends quietly where a database is away or memory ran out outside of any one file: the lease runs out and the
    reconciler publishes the chunk again. (A MemoryError that leaves a task ends the whole Celery worker.)
    """
    found = ChunkId.parse(chunk_id) if isinstance(chunk_id, str) else None
    if found is None:
        log.warning("message_refused", task=TaskName.ANALYZE.value, said=repr(chunk_id)[:100])
        return None
    with bound_contextvars(job=found.job, chunk=str(found)):
        return _analyze_chunk(str(found), child)


def _analyze_chunk(chunk_id: str, child: Child) -> Ended | None:
    began = time.monotonic()
    try:
        queue = child.settings.queue
        claim = claim_chunk(chunk_id, child.stores.ledger, child.marks, queue.lease_s)
        if claim is None:
            return None
        if claim.unexplained > queue.max_attempts:  # who can say why: taken apart when its lease is over
            log.warning("chunk_left", chunk=chunk_id, why="its workers died for no known reason", attempt=claim.attempt)
            return None
        about = span(claim.job_id, "chunk", chunk=chunk_id, files=len(claim.files), attempt=claim.attempt)
        with child.marks.chunk(claim), about:
            ended = work_on(claim, child.bench)
    except (StoreUnavailable, MemoryError) as error:
        log.warning("chunk_left", chunk=chunk_id, why=str(error) or type(error).__name__)
        return None
    log.info(
        "chunk_ended",
        chunk=chunk_id,
        ended=ended.value,
        files=len(claim.files),
        attempt=claim.attempt,
        seconds=round(time.monotonic() - began, 3),
    )
    child.did(len(claim.files))
    return ended
