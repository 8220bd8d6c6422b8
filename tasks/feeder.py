"""Keep the queues short and never empty: publish chunks from the ledger while there is room.

Ten million files need no more Redis than ten thousand, and losing all of Redis loses a few chunks' hints.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final

from stores.doors import Ledger, Pulse
from stores.records import Job, JobState, Priority
from tasks.send import Sends

_TURN: Final = 20
"""Most chunks of one job before another job of its priority has its turn."""


class Feeder:
    """Publishes chunks that never were.

    Parameters
    ----------
    chunks_per_worker : int
        Most chunks that wait in a queue for each worker alive.
    """

    def __init__(self, ledger: Ledger, sender: Sends, chunks_per_worker: int) -> None:
        self._ledger, self._sender = ledger, sender
        self._per_worker = chunks_per_worker
        self._turn = 0

    def feed(self, jobs: Sequence[Job], lengths: Mapping[str, int], workers: int) -> int:
        """Publish what there is room for, most urgent first, jobs of one priority in turn; how many chunks.

        Parameters
        ----------
        jobs : the active ones
        lengths : messages waiting in each queue
        workers : how many are alive; one is assumed where none is, so that the first finds work waiting

        Raises
        ------
        StoreUnavailable
        """
        self._turn += 1
        return sum(
            self._feed_queue(
                [job for job in jobs if job.priority is priority and _may_have_more(job)],
                priority,
                self.room(lengths, priority, workers),
            )
            for priority in Priority
        )

    def room(self, lengths: Mapping[str, int], priority: Priority, workers: int) -> int:
        """How many chunks a queue takes now."""
        return max(0, self._per_worker * max(1, workers) - lengths.get(priority.value, 0))

    def _feed_queue(self, jobs: Sequence[Job], priority: Priority, room: int) -> int:
        waiting = deque(jobs)
        waiting.rotate(-(self._turn % len(waiting)) if waiting else 0)
        fed = 0
        while waiting and fed < room:
            job = waiting.popleft()
            wanted = min(_TURN, room - fed)
            chunks = self._ledger.unfed(job.id, wanted)
            if chunks:
                self._sender.chunks(priority, chunks)
                self._ledger.mark_fed(job.id, chunks)
                fed += len(chunks)
            if len(chunks) == wanted:
                waiting.append(job)
        return fed


def _may_have_more(job: Job) -> bool:
    """A cancelled job's chunks are swept, a paused one's wait. A scan may have written some since it was read."""
    return (
        not job.cancel_requested
        and job.state is not JobState.PAUSED
        and (job.state is JobState.SCANNING or job.fed < job.chunks)
    )


def workers_alive(pulse: Pulse) -> int:
    """How many workers beat lately."""
    return sum(facts.get("part") == "worker" for facts in pulse.alive())
