"""F16 and F17: many clients at once, and a job so large that nothing may be kept in memory."""

from __future__ import annotations

import statistics
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from random import Random

import httpx
from redis import Redis

from benchmarks.main_job import make_empty_files
from tests.faults.scenario import Trial, scenario
from tests.faults.trial import LAST_SEED

_CLIENTS = 64
_SLOWEST_STATUS_S = 0.3
_QUEUE_EACH = 50 * 1.5
"""Chunks that may wait for each worker: `queue.chunks_per_worker`, and what is published at once."""


@scenario(16, "64 clients that submit, cancel, list and listen all the while")
def crowd(trial: Trial) -> None:
    cluster = trial.plant.cluster
    gateway = cluster.processes("-m api")[0]
    before = gateway.memory_info().rss
    # Ten minutes once; what another seed can show shows sooner.
    ends = time.monotonic() + ((600 if trial.seed == LAST_SEED else 30) if trial.full else 8)
    took: list[float] = []
    codes: Counter[int] = Counter()
    lock = threading.Lock()

    def client(number: int) -> None:
        chance = Random(number)
        with httpx.Client(base_url=str(cluster.http.base_url), timeout=60) as http:
            while time.monotonic() < ends:
                begun = time.monotonic()
                code, status = _something(http, trial, chance)
                with lock:
                    codes[code] += 1
                    if status:
                        took.append(time.monotonic() - begun)
                time.sleep(chance.uniform(0.2, 1.0))

    with ThreadPoolExecutor(_CLIENTS) as clients:
        list(clients.map(client, range(_CLIENTS)))
    assert not [code for code in codes if code >= 500], codes
    slow = statistics.quantiles(took, n=100)[98]
    trial.notes.append(f"{codes.total()} requests, {dict(codes)}, p99 of status reads {slow * 1000:.0f} ms")
    if trial.full:
        assert slow < _SLOWEST_STATUS_S, f"p99 of status reads {slow * 1000:.0f} ms"
    assert gateway.memory_info().rss - before < 100e6


def _something(http: httpx.Client, trial: Trial, chance: Random) -> tuple[int, bool]:
    """One request; its status code, and whether it asked for a job's state."""
    what = chance.random()
    if what < 0.6:
        return http.get(f"/v1/jobs/{trial.job_id}").status_code, True
    if what < 0.8:
        return http.get("/v1/samples", params={"limit": 20}).status_code, False
    if what < 0.9:
        with http.stream("GET", f"/v1/jobs/{trial.job_id}/events") as stream:
            next(stream.iter_lines(), None)
            return stream.status_code, False
    body = {"source": {"root": "library", "path": "warm", "pattern": f"**/blip_000{chance.randrange(10)}*"}}
    answer = http.post("/v1/jobs", json=body)
    if answer.status_code == 202:
        trial.others.append(answer.json()["id"])
        http.delete(f"/v1/jobs/{trial.others[-1]}")
    return answer.status_code, False


@scenario(17, "a job of a million files submitted with no worker at work, then worked off", quick=False, spoils=True)
def million(trial: Trial) -> None:
    plant = trial.plant
    files = 1_000_000 if trial.full and trial.seed == LAST_SEED else 20_000
    make_empty_files(plant.folder / "library" / f"many-{trial.seed}", files)
    parents = plant.worker_parents()
    begun = time.monotonic()
    job_id = plant.cluster.submit(f"many-{trial.seed}")
    answered = time.monotonic() - begun
    with plant.suspended(parents[1:]):  # one is left: it walks the folder
        plant.wait_for(lambda: plant.cluster.job(job_id)["state"] != "scanning", 1800, 1)
        walked = time.monotonic() - begun
    gateway = plant.cluster.processes("-m api")[0]
    most: Counter[str] = Counter()

    def over() -> bool:
        with Redis.from_url(plant.servers["redis"].url) as redis:
            now = {"redis MB": redis.info("memory")["used_memory"] / 1e6, "queue": _waiting(redis)}
        for name, figure in {**now, "gateway MB": gateway.memory_info().rss / 1e6}.items():
            most[name] = max(most[name], round(figure))
        return plant.over(job_id)

    plant.wait_for(over, 3600, 0.5)
    counts = plant.cluster.job(job_id)["counts"]
    figures = (
        f"answered in {answered * 1000:.0f} ms, walked in {walked:.0f} s, over after {time.monotonic() - begun:.0f} s"
    )
    trial.notes.append(f"{files:,} files: {figures}; at most {dict(most)}")
    assert counts["failed"] == counts["submitted"] == files, counts
    assert most["gateway MB"] < 300, most
    assert most["redis MB"] < 200, most
    assert most["queue"] <= _QUEUE_EACH * len(parents), f"{most['queue']} messages wait for {len(parents)} workers"


def _waiting(redis: Redis) -> int:
    return sum(redis.llen(key) for key in redis.keys("*") if redis.type(key) == b"list")
