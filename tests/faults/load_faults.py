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

_CLIENTS = 64
_FULL = 2000
"""Files of a trial from which on it is the full matrix, not CI."""
_SLOWEST_STATUS_S = 0.3


@scenario(16, "64 clients that submit, cancel, list and listen all the while")
def crowd(trial: Trial) -> None:
    cluster = trial.plant.cluster
    gateway = cluster.processes("-m api")[0]
    before = gateway.memory_info().rss
    ends = time.monotonic() + (600 if trial.size >= _FULL else 8)
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
    print(f"{sum(codes.values())} requests, {dict(codes)}, status p99 {slow * 1000:.0f} ms")
    if trial.size >= _FULL:
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
        http.delete(f"/v1/jobs/{answer.json()['id']}")
    return answer.status_code, False


@scenario(17, "a job of a million files submitted with no worker at work, then worked off", quick=False)
def million(trial: Trial) -> None:
    plant, files = trial.plant, 1_000_000 if trial.size >= 5000 else 20_000
    make_empty_files(plant.folder / "library" / "million", files)
    parents = plant.worker_parents()
    begun = time.monotonic()
    job_id = plant.cluster.submit("million")
    assert time.monotonic() - begun < 1
    for parent in parents[1:]:  # one is left: it walks the folder
        parent.suspend()
    gateway = plant.cluster.processes("-m api")[0]
    highest = {"gateway": 0.0, "redis": 0.0}

    def over() -> bool:
        highest["gateway"] = max(highest["gateway"], gateway.memory_info().rss / 1e6)
        with Redis.from_url(plant.servers["redis"].url) as redis:
            highest["redis"] = max(highest["redis"], redis.info("memory")["used_memory"] / 1e6)
        for parent in parents:
            if plant.cluster.job(job_id)["state"] != "scanning":
                parent.resume()
        return plant.over(job_id)

    plant.wait_for(over, 3600, 1)
    counts = plant.cluster.job(job_id)["counts"]
    assert counts["failed"] == counts["submitted"] == files, counts
    print(f"{files} files: {highest}")
    assert highest["gateway"] < 300, highest
    assert highest["redis"] < 200, highest
