"""F13, F15, F18 and F19: poison, and clients that ask the same at once, never read, or change their mind."""

from __future__ import annotations

import contextlib
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
from redis import Redis

from tests.broken_files import make_broken
from tests.faults.scenario import Trial, scenario
from workers.errors import KilledWorker

_CLIENTS = 64
_EVENTS = "sm:/0.celeryev/worker.heartbeat"
"""Where kombu publishes a worker's events, behind our prefix."""
_FLOOD_MB = 120
_MESSAGE = b" " * 2000
"""As large as an event is. What has 16 KB and more Valkey 9.1 sends by reference, and counts for no client's limit."""
_KEPT_MB = 80
"""Redis is told to cut off who is 64 MB behind."""


@scenario(13, "every kind of broken file there is, beside the job")
def poison(trial: Trial) -> None:
    folder = trial.library.folder.parent / f"{trial.library.folder.name}-broken"
    folder.mkdir()
    broken = make_broken(folder, large=False)
    workers = {process.pid for process in trial.plant.worker_children()}
    job = trial.plant.cluster.wait_job(trial.plant.cluster.submit(folder.name), within_s=240)
    assert job["state"] == "complete", job
    rows = trial.plant.cluster.files(job["id"])
    failed = [row for row in rows if row["status"] in ("failed", "skipped")]
    assert all(row["reason"]["code"] and row["reason"]["message"] for row in failed)
    killers = [row["path"] for row in failed if row["reason"]["code"] == KilledWorker.code]
    assert not killers, f"files that killed a worker: {killers[:5]}"
    assert len(rows) >= len(broken) * 0.9  # a few are no files: folders, links to folders
    assert {process.pid for process in trial.plant.worker_children()} == workers, "a worker ended"


@scenario(15, "one job asked for by 64 clients at once with one key, and another body with the same key")
def one_key(trial: Trial) -> None:
    cluster = trial.plant.cluster
    headers = {"Idempotency-Key": f"all-{trial.job_id}"}

    def post(pattern: str) -> httpx.Response:
        body = {"source": {"root": "library", "path": trial.library.folder.name, "pattern": pattern}}
        return httpx.post(f"{cluster.http.base_url}/v1/jobs", json=body, headers=headers, timeout=60)

    with ThreadPoolExecutor(_CLIENTS) as clients:
        answers = list(clients.map(post, ["**/blip_0000*"] * _CLIENTS))
    codes = Counter(answer.status_code for answer in answers)
    assert set(codes) <= {202, 409}, codes
    made = {answer.json()["id"] for answer in answers if answer.status_code == 202}
    assert len(made) == 1, f"one key, {len(made)} jobs"
    other = post("**/blip_0001*")
    assert other.status_code == 422, other.text
    assert cluster.wait_job(made.pop())["state"] == "complete"


@scenario(18, "clients that ask for events and never read them, and Flower frozen in a flood of events")
def slow_consumers(trial: Trial) -> None:
    cluster = trial.plant.cluster
    gateway = cluster.processes("-m api")[0]
    before = gateway.memory_info().rss
    with contextlib.ExitStack() as stack:
        for _ in range(40):
            deaf = stack.enter_context(socket.create_connection(("127.0.0.1", cluster.port)))
            deaf.sendall(f"GET /v1/jobs/{trial.job_id}/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        stack.enter_context(trial.plant.suspended(cluster.processes("flower")))
        kept_mb = _flood(trial)
        trial.plant.wait_for_end(lambda: trial.over, 300)
        grown = (gateway.memory_info().rss - before) / 1e6
    assert grown < 100, f"the gateway grew by {grown:.0f} MB"
    assert kept_mb < _KEPT_MB, f"Redis keeps {kept_mb:.0f} MB for who does not read"


def _flood(trial: Trial) -> float:
    """Say so much to Flower that nobody can keep it; megabytes that Redis keeps for it at most."""
    most, heard = 0.0, 0
    with Redis.from_url(trial.plant.servers["redis"].url) as redis:
        before = redis.info("memory")["used_memory"]
        for _ in range(_FLOOD_MB):
            with redis.pipeline(transaction=False) as pipe:
                for _ in range(1_000_000 // len(_MESSAGE)):
                    pipe.publish(_EVENTS, _MESSAGE)
                heard = max(heard, *pipe.execute())
            # All that it has: by what it says of a client it kept nothing when it kept everything.
            most = max(most, (redis.info("memory")["used_memory"] - before) / 1e6)
    assert heard, "Flower does not listen"
    trial.notes.append(f"Redis kept at most {most:.0f} MB of {_FLOOD_MB} for a Flower that does not read")
    return most


@scenario(19, "jobs cancelled at random moments, and a worker killed just then")
def cancelled(trial: Trial) -> None:
    cluster, chance = trial.plant.cluster, trial.chance
    for kills in (False, True):
        job_id = cluster.submit(trial.library.folder.name)
        trial.pause(0, 1)
        cluster.http.delete(f"/v1/jobs/{job_id}").raise_for_status()
        if kills:
            for victim in chance.sample(trial.plant.worker_children(), 1):
                victim.kill()
        job = cluster.wait_job(job_id, within_s=60)
        assert job["state"] in ("cancelled", "complete"), job
        assert job["counts"]["pending"] == 0, job
        _says_why(cluster.files(job_id))


def _says_why(rows: list[dict[str, Any]]) -> None:
    skipped = [row for row in rows if row["status"] == "skipped"]
    assert {row["reason"]["code"] for row in skipped} <= {"cancelled"}
