"""F21: two reconcilers, and the one that leads stalls past its lease."""

from __future__ import annotations

import os
import subprocess
import sys

from pymongo import MongoClient

from tests.faults.scenario import Trial, scenario
from tests.servers import PROJECT

_MOST_PUBLISHED = 3


@scenario(21, "a second reconciler, and the first frozen past its lease")
def stalled_leader(trial: Trial) -> None:
    plant = trial.plant
    settings = plant.cluster.data_dir / "run" / "settings.toml"
    environment = {**os.environ, "SAMPLEMIND_CONFIG_FILE": str(settings)}
    with (plant.folder / "second.log").open("ab") as log:
        second = subprocess.Popen(
            [sys.executable, "-m", "tasks.reconcile"], cwd=PROJECT, env=environment, stdout=log, stderr=log
        )
    try:
        plant.under_way(trial.job_id)
        (first,) = [process for process in plant.cluster.processes("tasks.reconcile") if process.pid != second.pid]
        first.suspend()
        plant.wait(max(12.0, trial.hold_s))
        first.resume()
        plant.wait_for(lambda: trial.over, 180)
        assert second.poll() is None, (plant.folder / "second.log").read_text()[-2000:]
    finally:
        second.terminate()
        second.wait(30)
    with MongoClient[dict[str, object]](plant.servers["mongo"].url) as client:
        chunks = client["samplemind"]["chunks"].find({"job": trial.job_id}, {"attempt": 1})
        attempts = [int(str(chunk.get("attempt", 0))) for chunk in chunks]
    assert max(attempts) <= _MOST_PUBLISHED, f"a storm of publishing: {attempts}"
