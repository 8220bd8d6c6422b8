"""F21: two reconcilers, and the one that leads stalls past its lease."""

from __future__ import annotations

from pymongo import MongoClient

from tests.faults.scenario import Trial, scenario

_MOST_PUBLISHED = 3


@scenario(21, "a second reconciler, and the first frozen past its lease")
def stalled_leader(trial: Trial) -> None:
    plant = trial.plant
    (first,) = plant.cluster.processes("tasks.reconcile")
    with plant.extra("tasks.reconcile"):
        plant.under_way(trial.job_id)
        first.suspend()
        plant.wait(max(12.0, trial.hold_s))
        first.resume()
        plant.wait_for(lambda: trial.over, 180)
    with MongoClient[dict[str, object]](plant.servers["mongo"].url) as client:
        chunks = client["samplemind"]["chunks"].find({"job": trial.job_id}, {"attempt": 1})
        attempts = [int(str(chunk.get("attempt", 0))) for chunk in chunks]
    assert max(attempts) <= _MOST_PUBLISHED, f"a storm of publishing: {attempts}"
