"""F11: disks that are full, one after the other, and then have room again."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from cli.cluster.probes import Probe, chroma_ready, mongo_ready
from tests.faults.scenario import Trial, scenario
from tests.faults.trial import SMALL_JOB

_REFUSALS = {429, 503}
_READY: dict[str, Callable[[int], Probe]] = {"mongo": mongo_ready, "chroma": chroma_ready}
"""What the supervisor of `up` asks of those that may stay and refuse everything."""
_PATIENCE_S = 10.0
"""It asks for longer."""


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
    """A server that gave up on its full disk is started again by whoever runs it, as the supervisor of `up` does."""
    server = trial.plant.servers.get(name)
    if server is None or server.process is None:
        return
    if name in _READY:
        try:
            trial.plant.wait_for(_READY[name](server.port), _PATIENCE_S, 0.5)
        except AssertionError:
            server.kill()  # mongod ends by itself; these stay, refuse every write, and are replaced
    if server.process is None or server.process.poll() is not None:
        trial.notes.append(f"{name} gave up with its disk full, and was started again")
        server.start()
