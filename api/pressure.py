"""A queue of jobs with an end: who asks beyond it is told when to come back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from api.errors import Problem
from stores.doors import Ledger

_KNOWN_FOR_S: Final = 1.0
_RETRY_S: Final = "10"


class Pressure:
    """Refuses (429) a new job while there are too many that have not ended: each costs the reconciler its turn.

    Parameters
    ----------
    most : int
        Jobs of all owners together. What was counted is remembered for a second, so it may be passed by a few.
    """

    def __init__(self, ledger: Ledger, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._ledger, self._most, self._clock = ledger, most, clock
        self._lock = threading.Lock()
        self._jobs = 0
        self._counted_at = float("-inf")

    def check(self) -> None:
        """Raise a `Problem` where a new job would be one too many."""
        with self._lock:
            if self._clock() - self._counted_at >= _KNOWN_FOR_S:
                self._jobs, self._counted_at = self._ledger.active_count(), self._clock()
            self._jobs += 1
            full = self._jobs > self._most
        if full:
            raise Problem(
                429,
                "queue_full",
                f"{self._most} jobs are waiting or at work; send this one again when some of them have ended.",
                headers={"Retry-After": _RETRY_S},
            )
