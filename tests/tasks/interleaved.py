"""Processes that a test advances one effect at a time, and lets die, or lose a database, between any two.

Each runs in a thread of its own, but only while the test lets it: it stops before every call of a door. So two
workers may be in the middle of one chunk, a reconciler may sleep through its lease, and it is the same each time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from workers.errors import StoreUnavailable


class Crash(BaseException):
    """The process died here. No error: nothing may catch it."""


class Order(StrEnum):
    """What becomes of the call before which a process stands."""

    GO = "go"
    DIE = "die"
    DIE_AFTER = "die after"
    AWAY = "away"
    """The database is away."""
    REPLY_LOST = "reply lost"
    """It did what it was asked for, and could not say so."""


_here = threading.local()


class Actor:
    """One process, from here to its end or its death."""

    def __init__(self, work: Callable[[], object]) -> None:
        self.over = False
        self.died = False
        self._order = Order.GO
        self._bug: BaseException | None = None
        self._go, self._stands = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    def step(self, order: Order = Order.GO) -> None:
        """Let the call happen before which it stands, so or so, and go on to the next."""
        if not self.over:
            self._order = order
            self._go.release()
            self._stands.acquire()
        if self._bug is not None:
            raise self._bug

    def run(self, steps: int | None = None) -> None:
        """So many calls go well, or all to its end."""
        while not self.over and steps != 0:
            self.step()
            steps = None if steps is None else steps - 1

    def _run(self, work: Callable[[], object]) -> None:
        _here.actor = self
        self._go.acquire()
        try:
            work()
        except Crash:
            self.died = True
        except StoreUnavailable:
            pass  # as a loop or a task would, which comes again
        except BaseException as bug:  # noqa: BLE001 - raised again in the test's own thread
            self._bug = bug
        self.over = True
        self._stands.release()

    def _next_order(self) -> Order:
        self._stands.release()
        self._go.acquire()
        return self._order


def effect(call: Callable[[], Any]) -> Any:
    """A call of a door, as the actor that makes it is ordered; outside of an actor just the call."""
    actor: Actor | None = getattr(_here, "actor", None)
    order = actor._next_order() if actor is not None else Order.GO
    if order is Order.DIE:
        raise Crash
    if order is Order.AWAY:
        raise StoreUnavailable("away")
    said = call()
    if order is Order.DIE_AFTER:
        raise Crash
    if order is Order.REPLY_LOST:
        raise StoreUnavailable("reply lost")
    return said


class Fragile:
    """A door, each call of which is an effect."""

    def __init__(self, door: object) -> None:
        self._door = door

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._door, name)
        if not callable(found):
            return found
        return lambda *args, **named: effect(lambda: found(*args, **named))
