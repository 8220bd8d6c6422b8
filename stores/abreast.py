"""Calls that wait for a server side by side: where it is far away they take the time of one, not of all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from typing import TypeVar

T = TypeVar("T")

_THREADS = 4
"""Callers at once that find one waiting; others wait for their turn."""


class Abreast:
    """Makes calls side by side. Starts its threads when it is first used, so one made before a fork is no harm."""

    def __init__(self) -> None:
        self._threads: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()

    def __call__(self, *calls: Callable[[], T]) -> list[T]:
        """What each of the calls gives. When it returns or raises none of them is at work any more."""
        others: list[Future[T]] = [self._opened().submit(call) for call in calls[1:]]
        try:
            first = [call() for call in calls[:1]]
        finally:
            wait_for(others)
        return [*first, *(other.result() for other in others)]

    def _opened(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._threads is None:
                self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="abreast")
            return self._threads

    def close(self) -> None:
        """Let the threads end."""
        with self._lock:
            if self._threads is not None:
                self._threads.shutdown(wait=False)
                self._threads = None
