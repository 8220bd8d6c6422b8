"""How many chunks wait in a queue: as few as keep the workers busy, so that the order of work is decided late."""

from __future__ import annotations

from typing import Final

LEAST: Final = 3
"""Chunks for each worker, however slowly they are taken."""
_AHEAD: Final = 3
"""... and as many as were taken since the last look, so many times: the next look may be late."""


class Depth:
    """One queue's depth. Doubles whenever it was found empty, and falls slowly where less is taken.

    Parameters
    ----------
    most : int
        Most chunks that may wait for each worker.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._level = 0
        self._wanted = 0

    def room(self, length: int, workers: int) -> int:
        """How many chunks the queue takes now, of which `length` are waiting."""
        workers = max(1, workers)
        wanted = max(LEAST * workers, _AHEAD * (self._level - length), self._wanted * 4 // 5)
        if self._level and not length:
            wanted = max(wanted, 2 * self._wanted)
        self._wanted = min(wanted, self._most * workers)
        return max(0, self._wanted - length)

    def filled(self, length: int, fed: int) -> None:
        """So many were put to those waiting."""
        self._level = length + fed
