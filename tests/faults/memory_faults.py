"""F14 and F22: not enough memory, for a whole worker and for a moment anywhere in it."""

from __future__ import annotations

import contextlib
import os

import pytest

from tests.faults.cgroups import MemoryGroup, memory_group
from tests.faults.plant import lives
from tests.faults.scenario import Trial, scenario
from tests.integration.material import make_short_files
from workers.errors import KilledWorker, OutOfMemory

_LIMIT_MB = 1500
"""A worker takes some 500, the bomb 4,000."""


@scenario(14, "a worker in a container of its own, all of which is killed when one file takes too much", quick=False)
def bomb(trial: Trial) -> None:
    plant = trial.plant
    plant.wait_for_end(lambda: trial.over, 300)
    folder = trial.library.folder.parent / f"{trial.library.folder.name}-bomb"
    make_short_files(folder, 30, seed=trial.chance.randrange(2**31))
    (folder / "000" / "blip_00010.wav").rename(folder / "000" / "bomb.wav")
    with contextlib.ExitStack() as stack:
        try:
            group = stack.enter_context(memory_group(f"samplemind-{os.getpid()}-{trial.job_id}", _LIMIT_MB))
        except OSError as error:
            pytest.skip(f"no cgroup can be made here: {error}")
        stack.enter_context(trial.plant.suspended(plant.worker_parents()))
        job_id = plant.cluster.submit(folder.name)
        deaths = _restarted_until_over(trial, group, job_id)
    rows = plant.cluster.files(job_id)
    failed = {row["path"].rpartition("/")[2]: row["reason"]["code"] for row in rows if row["status"] == "failed"}
    assert failed == {"bomb.wav": KilledWorker.code}, f"{failed} after {deaths} deaths"
    assert sum(row["status"] == "done" for row in rows) == len(rows) - 1 == 29, rows


def _restarted_until_over(trial: Trial, group: MemoryGroup, job_id: str) -> int:
    """Run a worker in the group, as a container's runtime does: another when it was killed. How often that was."""
    plant, deaths = trial.plant, 0
    environment = plant.hooked("bomb") | {"SAMPLEMIND_WORKER__NAME": "contained@group"}

    def over_or_dead() -> bool:
        return plant.over(job_id) or not lives(worker)

    while not plant.over(job_id):
        assert deaths < 20, "the bomb goes off again and again"
        with contextlib.suppress(AssertionError), plant.extra("tasks.worker", group.join, **environment) as worker:
            plant.wait_for(over_or_dead, 120)
        deaths += not plant.over(job_id)
    return deaths


@scenario(22, "MemoryError in a file's analysis, in writes to the ledger, in the handlers of signals")
def no_memory(trial: Trial) -> None:
    plant = trial.plant
    folder = trial.library.folder.parent / f"{trial.library.folder.name}-huge"
    make_short_files(folder, 3, seed=trial.chance.randrange(2**31))
    for path in list(folder.rglob("*.wav"))[:2]:
        path.rename(path.with_name(f"huge_{path.name}"))
    environment = plant.hooked("memory_errors") | {"SAMPLEMIND_WORKER__NAME": "forgetful@memory"}
    with plant.suspended(plant.worker_parents()), plant.extra("tasks.worker", **environment) as worker:
        job = plant.cluster.submit(folder.name)
        plant.wait_for_end(lambda: trial.over or not lives(worker), 300)
        plant.wait_for(lambda: plant.over(job) or not lives(worker), 60)
        assert lives(worker), "a MemoryError ended the worker"
    failed = [row["reason"]["code"] for row in plant.cluster.files(job, status="failed")]
    assert failed == [OutOfMemory.code] * 2, failed
