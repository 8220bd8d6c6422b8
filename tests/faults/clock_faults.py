"""F12: parts of the cluster whose clocks are an hour off, or jump."""

from __future__ import annotations

from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest
from pydantic import SecretStr

from config.settings import RedisSettings
from stores.pulse import RedisPulse
from tests.faults.process_faults import kill
from tests.faults.scenario import Trial, scenario

_NAME = "odd@clock"
_LIBRARIES = (
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
)


@scenario(
    12, "a reconciler and an index writer whose clocks jump by hours and seconds, and a worker killed an hour ahead"
)
def wrong_clocks(trial: Trial) -> None:
    library = next((path for path in _LIBRARIES if Path(path).exists()), None)
    if library is None:
        pytest.skip("libfaketime is not installed")
    plant = trial.plant
    clock = plant.folder / f"clock-{trial.job_id}"
    odd = {
        "LD_PRELOAD": library,
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # a step of the clock does not move it either
    }
    clock.write_text(trial.chance.choice(["+1h", "-1h"]))
    with ExitStack() as stack:
        straight = [*plant.cluster.processes("tasks.reconcile"), *plant.cluster.processes("tasks.index")]
        for part in ("tasks.reconcile", "tasks.index"):
            stack.enter_context(plant.extra(part, **plant.hooked(), **odd))
        with plant.suspended([*straight, *plant.worker_parents()]):  # so that the one with the odd clock has work
            _die_in_the_future(trial, clock, odd)
        stack.enter_context(plant.suspended(straight))  # so that those with the odd clock take over
        for off in ("-3600s", "+10s", "-10s"):
            clock.write_text(off)
            plant.wait(trial.hold_s / 3)
        plant.wait_for_end(lambda: trial.over, 180)


def _die_in_the_future(trial: Trial, clock: Path, odd: dict[str, str]) -> None:
    """A worker whose clock is an hour ahead is killed while it holds a chunk: nobody is to wait for that hour."""
    plant, killed = trial.plant, False
    with (
        closing(RedisPulse(RedisSettings(url=SecretStr(plant.servers["redis"].url)))) as pulse,
        suppress(AssertionError),  # an extra part should not end; this one has to
        plant.extra("tasks.worker", **plant.hooked(), **odd, SAMPLEMIND_WORKER__NAME=_NAME) as worker,
    ):

        def works() -> bool:
            return any(said.get("name") == _NAME and int(said.get("chunks", "0")) > 0 for said in pulse.alive())

        plant.wait_for(lambda: trial.over or works(), 120)
        clock.write_text("+3600s")
        plant.wait(trial.chance.uniform(0.5, 2))
        for process in (worker, *worker.children(recursive=True)):
            kill(process)
        killed = True
    assert killed, "the worker that is to be killed never worked"
