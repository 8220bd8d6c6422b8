"""A job under way on a plant while a fault happens."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.faults.library import Library
from tests.faults.plant import Plant
from workers.model import ANALYZER_VERSION

FULL = 2000
"""Files of a trial from which on it is the full matrix, not CI."""

LAST_SEED = 9
"""Of the full matrix. With it what takes long is done at its full length: ten minutes of clients, a million files."""

SMALL_JOB = {"source": {"root": "library", "path": "warm", "pattern": "**/blip_0000*"}}
"""The body of a request for ten files that every plant has."""


@dataclass
class Trial:
    """A job under way, and the chance by which moments and victims are chosen."""

    plant: Plant
    job_id: str
    library: Library
    chance: random.Random
    size: int
    """Files of the job: 5,000 in the full matrix, fewer in CI."""
    seed: int = 0
    versions: set[str] = field(default_factory=lambda: {ANALYZER_VERSION})
    """Of the analysers that took part."""
    others: list[str] = field(default_factory=list)
    """Further jobs that were accepted, so that they have to end too."""
    notes: list[str] = field(default_factory=list)
    """What was measured on the way."""

    @property
    def full(self) -> bool:
        """Whether it is one of the full matrix."""
        return self.size >= FULL

    @property
    def hold_s(self) -> float:
        """How long a frozen or lost part stays so: past the leases, which are 6 s, and the pulse of a worker."""
        return 14 if self.full else 9

    @property
    def over(self) -> bool:
        """Whether the job has ended."""
        return self.plant.over(self.job_id)

    def pause(self, low_s: float, high_s: float) -> None:
        """Wait for a random time."""
        self.plant.wait(self.chance.uniform(low_s, high_s))


Inject = Callable[[Trial], None]
