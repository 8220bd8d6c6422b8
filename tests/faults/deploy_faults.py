"""F20: workers of another version take over, one after the other, in the middle of a job."""

from __future__ import annotations

import pytest

from tests.faults.scenario import Trial, scenario
from workers.model import ANALYZER_VERSION

_NEXT = f"{ANALYZER_VERSION}.1"
_FILES = 1500
"""A smaller job has ended before the first worker has."""


def _restart_workers(trial: Trial) -> None:
    """SIGTERM to one after the other, as a rolling deployment does it; the supervisor starts the next."""
    plant = trial.plant
    for old in plant.worker_parents():
        count = len(plant.worker_children())
        old.terminate()
        plant.wait_for(lambda old=old: not old.is_running(), 60)
        plant.wait_for(lambda count=count: len(plant.worker_children()) >= count, 60)


@scenario(20, "a rolling deployment of another version of the analyser, by SIGTERM", quick=False, spoils=True)
def deployed(trial: Trial) -> None:
    if trial.size < _FILES:
        pytest.skip(f"needs {_FILES} files")
    plant, told = trial.plant, trial.plant.said_to_hook / "analyzer_version"
    trial.versions.add(_NEXT)
    plant.under_way(trial.job_id)
    try:
        told.write_text(_NEXT)
        _restart_workers(trial)
        again = plant.cluster.wait_job(plant.cluster.submit(trial.library.folder.name), 300)
        plant.wait_for_end(lambda: trial.over, 180)
    finally:
        told.unlink()
        _restart_workers(trial)
    assert again["state"] == "complete", again
    versions = [_version(row["sample_id"]) for row in plant.cluster.files(again["id"]) if row["sample_id"]]
    assert set(versions) == {_NEXT}, f"the second job has samples of {set(versions)}"
    assert len(versions) == len(trial.library.good), f"{len(versions)} of {len(trial.library.good)} have a sample"


def _version(sample_id: str) -> str:
    return sample_id.split("-")[1]
