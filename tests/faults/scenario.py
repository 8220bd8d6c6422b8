"""One fault of the matrix: what is done to a plant in the middle of a job, and what came of it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from tests.faults.library import make_faulty_library
from tests.faults.oracle import violations
from tests.faults.plant import Plant, footprint
from tests.faults.trial import Inject, Trial

__all__ = ["SCENARIOS", "Outcome", "Scenario", "Trial", "run", "scenario"]

HEALED_WITHIN_S = 180
"""Longest time, after a fault, in which no file of a job ends: what goes on for longer is slow, not lost."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A row of the matrix."""

    number: int
    title: str
    inject: Inject
    quick: bool = True
    """Whether CI runs it too: within a minute."""
    spoils: bool = False
    """Whether it leaves a plant that is no good for others: with two analysers, or a million files."""

    @property
    def name(self) -> str:
        """As the matrix has it; what is beside it is K."""
        return f"{'F' if self.number < 100 else 'K'}{self.number}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one trial."""

    scenario: str
    seed: int
    files: int
    recovery_s: float
    """From the end of the fault to the end of the job."""
    wrong: tuple[str, ...]
    took_s: float = 0.0
    """The whole trial with its oracle."""
    notes: tuple[str, ...] = ()
    """What was measured on the way."""


SCENARIOS: list[Scenario] = []


def scenario(number: int, title: str, *, quick: bool = True, spoils: bool = False) -> Callable[[Inject], Inject]:
    """Put a fault into the matrix."""

    def register(inject: Inject) -> Inject:
        SCENARIOS.append(Scenario(number, title, inject, quick, spoils))
        return inject

    return register


def run(one: Scenario, plant: Plant, *, files: int, seed: int) -> Outcome:
    """Submit a job, let the fault happen, heal, wait for the end, and ask the oracle."""
    began = time.monotonic()
    chance = random.Random(f"{one.name} {seed}")
    folder = f"{one.name}-{seed}"
    library = make_faulty_library(plant.folder / "library" / folder, files, chance.randrange(2**31))
    before = footprint(plant)
    trial = Trial(plant, plant.cluster.submit(folder), library, chance, files, seed)
    wrong: list[str] = []
    try:
        one.inject(trial)
    except AssertionError as error:
        wrong.append(_first_line(error))
    finally:
        plant.heal()
    healed = time.monotonic()
    try:
        _wait_while_files_end(trial)
        recovery = time.monotonic() - healed
        plant.cluster.wait_ready(60)
        wrong += violations(trial, before)
    except AssertionError as error:
        recovery = time.monotonic() - healed
        wrong.append(_left_undone(trial) or _first_line(error))
    took = time.monotonic() - began
    return Outcome(one.name, seed, files, recovery, tuple(wrong), took, tuple(trial.notes))


def _first_line(error: AssertionError) -> str:
    """What is wrong, without the ends of logs that may follow: `--evidence` keeps those whole."""
    return (str(error).splitlines() or ["an assertion failed"])[0][:600]


def _wait_while_files_end(trial: Trial) -> None:
    """Wait for the end of the job as long as it gets nearer."""
    pending = [-1]

    def over_or_nearer() -> bool:
        before = pending[0]
        try:
            pending[0] = trial.plant.cluster.job(trial.job_id)["counts"]["pending"]
        except (AssertionError, httpx.HTTPError):
            return False
        return trial.over or (before >= 0 and pending[0] < before)

    while not trial.over:
        trial.plant.wait_for_end(over_or_nearer, HEALED_WITHIN_S)


def _left_undone(trial: Trial) -> str:
    """What there is of a job that does not end; nothing where that is not it."""
    try:
        job = trial.plant.cluster.job(trial.job_id)
    except (AssertionError, httpx.HTTPError) as error:
        return f"nobody says how the job is: {error}"
    counts = job["counts"]
    if not counts["pending"] and job["state"] == "complete":
        return ""
    return f"lost: {counts['pending']} of {counts['submitted']} files never ended, the job is {job['state']} for ever"
