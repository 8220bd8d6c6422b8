"""Questions that cost the ledger much are put a few at a time, so that work, leases and readiness are not held up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from api.errors import Problem

_AT_ONCE: Final = 2
_WAITING: Final = 8
_PATIENCE_S: Final = 15.0
_RETRY_AFTER_S: Final = 2


class Turns:
    """Who waits holds a thread of the gateway, so few may; the others come again."""

    def __init__(self, at_once: int = _AT_ONCE, waiting: int = _WAITING, patience_s: float = _PATIENCE_S) -> None:
        self._turns = threading.BoundedSemaphore(at_once)
        self._places = threading.BoundedSemaphore(at_once + waiting)
        self._patience_s = patience_s

    @contextmanager
    def one(self) -> Iterator[None]:
        """Take a turn. `Problem` (503 with `Retry-After`) where too many wait, or none comes free."""
        if not self._places.acquire(blocking=False):
            raise _busy()
        try:
            if not self._turns.acquire(timeout=self._patience_s):
                raise _busy()
            try:
                yield
            finally:
                self._turns.release()
        finally:
            self._places.release()


def _busy() -> Problem:
    said = "Too many ask for sorted or counted listings at once; come back in a moment."
    return Problem(503, "busy", said, headers={"Retry-After": str(_RETRY_AFTER_S)})
