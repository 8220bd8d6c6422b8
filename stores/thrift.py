"""Counting that may not become the server's main work. No I/O of its own."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class ThriftyCount:
    """Remembers a count for `rest` times as long as it took: no more than 1 / `rest` of the time goes into it.

    Counting costs the embedded server some 50 microseconds a row, so up to thousands of rows a count is fresh.
    """

    def __init__(self, rest: float = 20.0) -> None:
        self._rest = rest
        self._lock = threading.Lock()
        self._known: tuple[Hashable, int] = (None, 0)
        self._until = 0.0

    def get(self, subject: Hashable, take: Callable[[], int]) -> int:
        """The count of `subject`, taken again if it is another one than before or the rest is over."""
        with self._lock:
            begun = time.monotonic()
            if self._known[0] != subject or begun >= self._until:
                self._known = (subject, take())
                ended = time.monotonic()
                took = ended - begun
                self._until = ended + (took * self._rest if took > 0.05 else 0.0)
            return self._known[1]


class Unchanged(Generic[T]):
    """Remembers the answers to some questions for as long as what they are of has not changed.

    Parameters
    ----------
    most : answers that are kept
    """

    def __init__(self, most: int = 50) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._known: OrderedDict[Hashable, tuple[Hashable, T]] = OrderedDict()

    def get(self, question: Hashable, revision: Hashable, take: Callable[[], T]) -> T:
        """The answer. `revision`, read before, is another after every change: older answers count no more."""
        with self._lock:
            known = self._known.get(question)
        if known is not None and known[0] == revision:
            return known[1]
        answer = take()
        with self._lock:
            self._known[question] = (revision, answer)
            self._known.move_to_end(question)
            if len(self._known) > self._most:
                self._known.popitem(last=False)
        return answer
