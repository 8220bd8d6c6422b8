"""Twins of the databases in this process's memory, behind the same doors: for tests, never for work.

They pass the same contract tests as the real ones (`tests/stores/`). Their clock can be set: leases end when a
test says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from stores.memory.keys import MemoryKeys
from stores.memory.ledger import MemoryLedger
from stores.memory.marks import MemoryMarks
from stores.memory.pulse import MemoryPulse
from stores.memory.samples import MemorySamples
from stores.memory.searches import MemorySearches
from stores.memory.vectors import MemoryVectors

__all__ = [
    "ManualClock",
    "MemoryKeys",
    "MemoryLedger",
    "MemoryMarks",
    "MemoryPulse",
    "MemorySamples",
    "MemorySearches",
    "MemoryStores",
    "MemoryVectors",
]


class ManualClock:
    """Seconds since 1970 that pass only when told to."""

    def __init__(self, now: float = 1_750_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class MemoryStores:
    """Every door, in memory. `clock` gives seconds since 1970."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self.ledger = MemoryLedger(clock)
        self.samples = MemorySamples(clock)
        self.keys = MemoryKeys(clock)
        self.marks = MemoryMarks()
        self.searches = MemorySearches(clock)
        self.vectors = MemoryVectors()
        self.pulse = MemoryPulse(clock)

    def close(self) -> None:
        """Nothing to give back."""


if TYPE_CHECKING:
    from stores import doors

    def _fit(
        stores: MemoryStores,
    ) -> tuple[doors.Stores, doors.Ledger, doors.Samples, doors.Keys, doors.Marks, doors.Vectors, doors.Pulse]:
        return stores, stores.ledger, stores.samples, stores.keys, stores.marks, stores.vectors, stores.pulse
