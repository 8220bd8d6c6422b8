"""The reconciler: ``python -m tasks.reconcile``. Feeds the queues, revives what was lost, ends jobs once.

Start as many as you like: one works, the others wait until its lease is over.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import structlog

from config.logging import configure_logging
from config.settings import QueueSettings, get_settings
from config.tracing import close_tracing, configure_tracing
from stores.doors import Ledger, Pulse
from stores.records import Job
from tasks.feeder import Feeder, workers_alive
from tasks.loop import Stop, leave, run
from tasks.rabbit import pulse_of
from tasks.send import Sender, Sends
from tasks.signs import ours
from tasks.upkeep import Upkeep
from tasks.watch import watched
from workers.errors import StoreUnavailable

log = structlog.stdlib.get_logger(__name__)

PART: Final = "reconciler"
_HOLD_S: Final = 10.0
_BEAT_TTL_S: Final = 20.0
_TEND_S: Final = 2.0
"""Longest that jobs are tended before the queues are fed again."""
_ABANDONED_EACH_S: Final = 60.0


class Reconciler:
    """One round after another; everything it knows is in the ledger."""

    def __init__(
        self,
        ledger: Ledger,
        pulse: Pulse,
        sender: Sends,
        queue: QueueSettings,
        *,
        holder: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger, self._pulse, self._queue, self._clock = ledger, pulse, queue, clock
        self._holder = holder
        self._feeder = Feeder(ledger, sender, queue.chunks_per_worker)
        self._upkeep = Upkeep(ledger, sender, queue, clock)
        self._rounds = 0
        self._prepared = False
        self._next_drop = 0.0

    def round(self) -> float:
        """Do what there is to do; how long to wait, in seconds.

        Raises
        ------
        StoreUnavailable
            The ledger is away. (Redis being away only means that nothing is published.)
        """
        if not self._prepared:
            self._ledger.prepare()
            self._prepared = True
        if not self._ledger.hold(PART, self._holder, _HOLD_S):
            return self._queue.idle_interval_s
        jobs = self._ledger.active_jobs()
        away = self._publish(jobs)
        self._tend(jobs, None if away else self._lengths())
        self._drop_abandoned()
        if away is not None:
            raise away
        return self._queue.feed_interval_s if jobs else self._queue.idle_interval_s

    def leave(self) -> None:
        """Let another one take over at once."""
        leave(PART, self._holder, self._ledger, self._pulse)

    def _publish(self, jobs: Sequence[Job]) -> StoreUnavailable | None:
        """Everything that needs Redis; the error where it is away."""
        try:
            lengths = self._pulse.queue_lengths()
            workers = workers_alive(self._pulse)
            self._pulse.beat(PART, self._holder, {"jobs": len(jobs), "workers": workers}, _BEAT_TTL_S)
            self._upkeep.scans(lengths)
            self._feeder.feed(jobs, lengths, workers)
            self._upkeep.hasten(jobs, workers)
        except StoreUnavailable as error:
            return error
        return None

    def _lengths(self) -> Mapping[str, int] | None:
        try:
            return self._pulse.queue_lengths()
        except StoreUnavailable:
            return None

    def _tend(self, jobs: Sequence[Job], lengths: Mapping[str, int] | None) -> None:
        """Tend jobs for a while, beginning with another one each round: thousands are not all tended each time."""
        if not jobs:
            return
        ends = self._clock() + _TEND_S
        first = self._rounds % len(jobs)
        for job in [*jobs[first:], *jobs[:first]]:
            self._upkeep.tend(job, lengths)
            self._rounds += 1
            if self._clock() > ends:
                return

    def _drop_abandoned(self) -> None:
        if self._clock() >= self._next_drop:
            self._next_drop = self._clock() + _ABANDONED_EACH_S
            dropped = self._ledger.drop_abandoned()
            if dropped:
                log.info("abandoned_submissions_dropped", jobs=dropped)


def this_process() -> str:
    """A name for a holder: no other process has it while this one lives."""
    return f"{socket.gethostname()}-{os.getpid()}"


def main() -> None:
    """Run until SIGTERM."""
    from stores.mongo import connect
    from stores.pulse import quick

    settings = get_settings()
    configure_logging(settings.log, part="reconcile")
    configure_tracing(settings.tracing, "reconciler")
    stop = Stop()
    stop.on_signals()
    stores = connect(settings.mongo, pool="worker", told=lambda: ours().step())
    pulse, sender = pulse_of(settings, quick(settings.redis)), Sender(settings)
    reconciler = Reconciler(stores.ledger, pulse, sender, settings.queue, holder=this_process())
    log.info("reconciler_started")
    try:
        with watched(settings, PART, pulse, this_process(), _BEAT_TTL_S):
            run(reconciler.round, stop)
    finally:
        reconciler.leave()
        sender.close()
        pulse.close()
        stores.close()
        close_tracing()
    log.info("reconciler_stopped")


if __name__ == "__main__":
    main()
