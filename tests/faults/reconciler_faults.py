"""F21: two reconcilers, and the one that leads stalls past its lease."""

from __future__ import annotations

from pymongo import MongoClient
from redis import Redis

from tests.faults.scenario import Trial, scenario

_TIMES = 1.5
"""Messages for each chunk: one, and some more for those under way when the leader changes."""
_LEASE_S = 10.0


@scenario(21, "a second reconciler, and the first frozen past its lease")
def stalled_leader(trial: Trial) -> None:
    plant = trial.plant
    (first,) = plant.cluster.processes("tasks.reconcile")
    with Redis.from_url(plant.servers["redis"].url) as redis, plant.extra("tasks.reconcile", **plant.hooked()):
        before = _pushed(redis)
        plant.under_way(trial.job_id)
        first.suspend()
        plant.wait(_LEASE_S + trial.hold_s / 4)
        first.resume()
        plant.wait_for_end(lambda: trial.over, 180)
        published = _pushed(redis) - before
    with MongoClient[dict[str, object]](plant.servers["mongo"].url) as client:
        chunks = client["samplemind"]["chunks"].count_documents({"job": trial.job_id})
    trial.notes.append(f"{published} messages for {chunks} chunks")
    assert published <= _TIMES * chunks + 2, f"a storm of publishing: {published} messages for {chunks} chunks"


def _pushed(redis: Redis) -> int:
    return int(redis.info("commandstats").get("cmdstat_lpush", {}).get("calls", 0))
