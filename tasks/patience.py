"""Trying again while a database is away for a moment."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Final, TypeVar

from workers.errors import StoreUnavailable

T = TypeVar("T")

PAUSES_S: Final = (0.25, 0.5, 1.0, 2.0)
"""A primary's election takes seconds; longer than this the lease may as well run out."""


def patiently(call: Callable[[], T], pauses_s: tuple[float, ...] = PAUSES_S) -> T:
    """The result of `call`, which may be repeated, tried again after each pause while its database is away.

    Raises
    ------
    StoreUnavailable
        It was still away at the last try.
    """
    pause = Event()
    for pause_s in pauses_s:
        try:
            return call()
        except StoreUnavailable:
            pause.wait(pause_s)
    return call()


class Backoff:
    """Pauses that double from `first_s` up to `most_s`, until `reset`."""

    def __init__(self, first_s: float = 0.5, most_s: float = 15.0) -> None:
        self._first_s, self._most_s = first_s, most_s
        self._next_s = first_s

    def pause_s(self) -> float:
        """How long to wait now."""
        now, self._next_s = self._next_s, min(self._next_s * 2, self._most_s)
        return now

    def reset(self) -> None:
        """It went well: begin from the shortest pause again."""
        self._next_s = self._first_s
