"""F11: disks that are full, one after the other, and then have room again."""

from __future__ import annotations

import httpx
import pytest

from cli.cluster.probes import mongo_ready
from tests.faults.scenario import Trial, scenario
from tests.faults.trial import SMALL_JOB

_REFUSALS = {429, 503}


@scenario(11, "the disk of the ledger, of Redis, of Chroma and of the logs full, in turn", quick=False)
def full_disks(trial: Trial) -> None:
    plant = trial.plant
    if plant.disks.why_not:
        pytest.skip(plant.disks.why_not)
    plant.under_way(trial.job_id)
    names = ["mongo", "redis", "chroma", "data"]
    trial.chance.shuffle(names)
    for name in names:
        plant.disks.fill(plant.folder / name)
        _submissions_are_safe(trial, name)
        plant.wait(trial.hold_s / 5)
        plant.disks.make_room()
        _started_again(trial, name)
        trial.pause(0.2, 1)


def _submissions_are_safe(trial: Trial, full: str) -> None:
    """Each is taken, or refused with the advice to come again later."""
    for _ in range(5):
        try:
            answer = trial.plant.cluster.http.post("/v1/jobs", json=SMALL_JOB)
        except httpx.TransportError as error:
            raise AssertionError(f"no answer with the disk of {full} full: {error!r}") from error
        if answer.status_code == 202:
            trial.others.append(answer.json()["id"])
        else:
            assert answer.status_code in _REFUSALS, f"with the disk of {full} full: {answer.text}"
            assert int(answer.headers["Retry-After"]) > 0, answer.headers


def _started_again(trial: Trial, name: str) -> None:
    """A server that gave up on its full disk is started by whoever runs it, as a container's runtime does."""
    server = trial.plant.servers.get(name)
    if server is None or server.process is None:
        return
    if name == "mongo" and not mongo_ready(server.port)():
        server.kill()  # mongod ends by itself; the embedded one stays, refuses everything, and is replaced
    if server.process is None or server.process.poll() is not None:
        trial.notes.append(f"{name} ended with its disk full, and was started again")
        server.start()
