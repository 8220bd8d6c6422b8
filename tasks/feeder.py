"""Keep the queues short and never empty: publish chunks from the ledger while there is room.

Ten million files need no more Redis than ten thousand, losing all of Redis loses a few chunks' hints, and who comes
later with little waits behind a few chunks of the others, not behind all of them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

import structlog

from stores.doors import Ledger, Pulse
from stores.records import Job, JobState, Priority
from tasks.depth import Depth
from tasks.send import Sends
from tasks.turns import Turns

log = structlog.stdlib.get_logger(__name__)


class Feeder:
    """Publishes chunks that never were.

    Parameters
    ----------
    chunks_per_worker : int
        Most chunks that wait in a queue for each worker alive; mostly there are far fewer (`tasks.depth`).
    """

    def __init__(self, ledger: Ledger, sender: Sends, chunks_per_worker: int) -> None:
        self._ledger, self._sender = ledger, sender
        self._depths = {priority: Depth(chunks_per_worker) for priority in Priority}
        self._owners = {priority: Turns() for priority in Priority}
        self._jobs: dict[str, Turns] = defaultdict(Turns)

    def feed(self, jobs: Sequence[Job], lengths: Mapping[str, int], workers: int) -> int:
        """Publish what there is room for, most urgent first; of one priority owners in turn, and jobs of an owner.

        Parameters
        ----------
        jobs : the active ones
        lengths : messages waiting in each queue
        workers : how many are alive; one is assumed where none is, so that the first finds work waiting

        Returns
        -------
        fed : how many chunks

        Raises
        ------
        StoreUnavailable
        """
        fed = 0
        for priority in Priority:
            waiting = [job for job in jobs if job.priority is priority and _may_have_more(job)]
            length, depth = lengths.get(priority.value, 0), self._depths[priority]
            sent = self._feed_queue(waiting, priority, depth.room(length, workers))
            depth.filled(length, sent)
            fed += sent
        self._jobs = defaultdict(Turns, {job.owner: self._jobs[job.owner] for job in jobs})
        return fed

    def _feed_queue(self, jobs: Sequence[Job], priority: Priority, room: int) -> int:
        order = list(self._in_turn(jobs, priority, room))
        chunks = {job_id: iter(self._ledger.unfed(job_id, count)) for job_id, count in Counter(order).items()}
        given = [(job_id, next(chunks[job_id], None)) for job_id in order]
        sent = [(job_id, chunk) for job_id, chunk in given if chunk is not None]
        if sent:
            self._sender.chunks(priority, [chunk for _, chunk in sent])
        for job_id in chunks:
            published = [chunk for of, chunk in sent if of == job_id]
            self._ledger.mark_fed(job_id, published)
            log.info("chunks_published", job=job_id, chunks=len(published), queue=priority.value)
        return len(sent)

    def _in_turn(self, jobs: Sequence[Job], priority: Priority, room: int) -> Iterator[str]:
        """The job of each chunk to be published."""
        left: dict[str, dict[str, int]] = defaultdict(dict)
        for job in jobs:
            left[job.owner][job.id] = job.chunks - job.fed
        while left and room > 0:
            owner = self._owners[priority].next(left)
            job_id = self._jobs[owner].next(left[owner])
            yield job_id
            room -= 1
            left[owner][job_id] -= 1
            if not left[owner][job_id]:
                del left[owner][job_id]
            if not left[owner]:
                del left[owner]


def _may_have_more(job: Job) -> bool:
    """A cancelled job's chunks are swept, a paused one's wait."""
    return not job.cancel_requested and job.state is not JobState.PAUSED and job.fed < job.chunks


def workers_alive(pulse: Pulse) -> int:
    """How many workers beat lately."""
    return sum(facts.get("part") == "worker" for facts in pulse.alive())
