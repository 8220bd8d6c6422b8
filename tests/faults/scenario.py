"""One fault of the matrix: what is done to a plant in the middle of a job, and what must hold afterwards."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.library import Library, make_faulty_library
from tests.faults.oracle import violations
from tests.faults.plant import Plant, footprint

HEALED_WITHIN_S = 180
"""Longest time from the end of a fault to the end of the job."""


@dataclass
class Trial:
    """A job under way on a plant, and the chance by which moments and victims are chosen."""

    plant: Plant
    job_id: str
    library: Library
    chance: random.Random
    size: int
    """Files of the job: 5,000 in the full matrix, fewer in CI."""

    @property
    def hold_s(self) -> float:
        """How long a frozen or lost part stays so: long enough for leases and time-outs to be felt."""
        return 30 if self.size >= 2000 else 9

    @property
    def over(self) -> bool:
        """Whether the job has ended."""
        return self.plant.over(self.job_id)

    def pause(self, low_s: float, high_s: float) -> None:
        """Wait for a random time."""
        self.plant.wait(self.chance.uniform(low_s, high_s))


Inject = Callable[[Trial], None]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A row of the matrix."""

    number: int
    title: str
    inject: Inject
    quick: bool = True
    """Whether CI runs it too: within a minute."""

    @property
    def name(self) -> str:
        """As the matrix has it."""
        return f"F{self.number}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one trial."""

    scenario: str
    seed: int
    files: int
    recovery_s: float
    """From the end of the fault to the end of the job."""
    wrong: tuple[str, ...]


SCENARIOS: list[Scenario] = []


def scenario(number: int, title: str, *, quick: bool = True) -> Callable[[Inject], Inject]:
    """Put a fault into the matrix."""

    def register(inject: Inject) -> Inject:
        SCENARIOS.append(Scenario(number, title, inject, quick))
        return inject

    return register


def run(one: Scenario, plant: Plant, *, files: int, seed: int) -> Outcome:
    """Submit a job, let the fault happen, heal, wait for the end, and ask the oracle."""
    chance = random.Random(f"{one.name} {seed}")
    folder = f"{one.name}-{seed}"
    library = make_faulty_library(plant.folder / "library" / folder, files, chance.randrange(2**31))
    before = footprint(plant)
    job_id = plant.cluster.submit(folder)
    trial = Trial(plant, job_id, library, chance, files)
    try:
        one.inject(trial)
    finally:
        plant.heal()
    healed = time.monotonic()
    wrong: list[str] = []
    try:
        plant.wait_for(lambda: trial.over, HEALED_WITHIN_S, 0.2)
        recovery = time.monotonic() - healed
        plant.cluster.wait_ready(60)
        wrong = violations(plant, job_id, library, before)
    except AssertionError as error:
        recovery = time.monotonic() - healed
        wrong.append(str(error)[:2000])
    return Outcome(one.name, seed, files, recovery, tuple(wrong))
