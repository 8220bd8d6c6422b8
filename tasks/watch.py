"""A process watches itself: a thread that beats while the process can move, and looks whether it gets on.

What it cannot see, that the whole process is frozen, others see by its silence (`tasks.signs`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import structlog

from config.settings import Settings
from stores.doors import Pulse
from tasks.signs import Signs, begin_ours
from workers.errors import StoreUnavailable

log = structlog.stdlib.get_logger(__name__)

LOOK_S: Final = 2.0
_TRUSTED_S: Final = 5.0
"""After Redis was away a worker's parent may wait so much longer for a reply that never comes."""
_BEAT_S: Final = 5.0

Look = Callable[[], str]
"""What is wrong, in words; empty where nothing is."""


def overdue(signs: Signs) -> str:
    """Whether a step took longer than it may, of a process that goes from one to the next."""
    late_s = signs.late_s()
    return f"has been at one step for {late_s:.0f} s longer than it may take" if late_s > 0 else ""


class WorkerLook:
    """What a worker's child can see of its worker: itself, its parent, and the queues.

    While Redis answers, a parent that does not go round its loop is stuck, and one that goes round and hands on
    nothing, although the child rests and messages wait, has lost its place in the queue.

    Parameters
    ----------
    lengths : gives the messages that wait in each queue; raises `StoreUnavailable`
    """

    def __init__(
        self,
        signs: Signs,
        lengths: Callable[[], Mapping[str, int]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._signs, self._lengths, self._clock = signs, lengths, clock
        self._answers_since: float | None = None
        self._hungry_since: float | None = None
        self._tasks = -1

    def __call__(self) -> str:
        """What is wrong, in words."""
        now = self._clock()
        try:
            waiting = sum(self._lengths().values())
        except StoreUnavailable:
            self._answers_since = self._hungry_since = None
            return overdue(self._signs)
        self._answers_since = self._answers_since if self._answers_since is not None else now
        return overdue(self._signs) or self._loop(now - self._answers_since) or self._hunger(now, waiting)

    def _loop(self, answers_s: float) -> str:
        unturned_s = self._signs.unturned_s()
        patience_s = self._signs.patience_s
        if unturned_s > patience_s and answers_s > patience_s + _TRUSTED_S:
            return f"has a main process that has not moved for {unturned_s:.0f} s"
        return ""

    def _hunger(self, now: float, waiting: int) -> str:
        if not waiting or not self._signs.resting or self._signs.tasks != self._tasks:
            self._tasks, self._hungry_since = self._signs.tasks, None
            return ""
        self._hungry_since = self._hungry_since if self._hungry_since is not None else now
        if now - self._hungry_since > self._signs.patience_s:
            return f"takes no work although {waiting} messages wait"
        return ""


class Watch:
    """The thread. `say` is told what is wrong, every few seconds while it is, and once when it is over."""

    def __init__(
        self, signs: Signs, look: Look, say: Callable[[str], None] = lambda why: None, every_s: float = LOOK_S
    ) -> None:
        self._signs, self._look, self._say, self._every_s = signs, look, say, every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._why = ""

    def start(self) -> Watch:
        """Begin; the first beat is at once."""
        self._signs.beat()
        self._thread.start()
        return self

    def close(self) -> None:
        """End, without a word."""
        self._stop.set()
        self._thread.join(self._every_s)

    def _run(self) -> None:
        said = float("-inf")
        while not self._stop.wait(self._every_s):
            self._signs.beat()
            why = self._look()
            self._signs.stuck(why)
            if why and not self._why:
                log.warning("stuck", why=why)
            if why != self._why or (why and time.monotonic() - said >= _BEAT_S):
                self._say(why)
                said = time.monotonic()
            self._why = why


@contextmanager
def watched(settings: Settings, part: str, pulse: Pulse, name: str, ttl_s: float) -> Iterator[None]:
    """Leave this process's signs, and watch that it goes from step to step, as long as the block lasts."""
    signs = begin_ours(settings.signs_dir, part, settings.queue.stuck_after_s)
    signs.step()
    watch = Watch(signs, lambda: overdue(signs), telling(pulse, part, name, ttl_s)).start()
    try:
        yield
    finally:
        watch.close()
        signs.end()


def telling(pulse: Pulse, part: str, name: str, ttl_s: float) -> Callable[[str], None]:
    """Tells the pulse what is wrong with a process."""

    def say(why: str) -> None:
        try:
            pulse.beat(part, name, {"stuck": why}, ttl_s)
        except StoreUnavailable:
            log.debug("pulse_missed")

    return say
