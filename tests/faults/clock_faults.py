"""F12: parts of the cluster whose clocks are an hour off, or jump."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.scenario import Trial, scenario

_LIBRARIES = (
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
)


@scenario(12, "a reconciler, an index writer and a worker whose clocks are an hour off or jump by ten seconds")
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
    parts = ("tasks.reconcile", "tasks.index", "tasks.worker")
    with ExitStack() as stack:
        straight = [*plant.cluster.processes("tasks.reconcile"), *plant.cluster.processes("tasks.index")]
        for part in parts:
            stack.enter_context(plant.extra(part, **plant.hooked(), **odd, SAMPLEMIND_WORKER__NAME="odd@clock"))
        stack.enter_context(plant.suspended(straight))  # so that those with the odd clock take over
        for off in ("+10s", "-10s", "+3600s", "-3600s"):
            plant.wait(trial.hold_s / 3)
            clock.write_text(off)
        plant.wait_for_end(lambda: trial.over, 180)
