"""How the cluster behaves under load, measured from outside: ``python -m benchmarks.load [urgent|crowd|million]``.

``urgent``: how soon a single interactive file is done while a bulk job of thousands runs, and how soon that one stops
when it is cancelled. ``crowd``: 64 clients that submit, cancel, list and listen for a while. ``million``: a job of
so many files: how long its submission takes, what Redis and the gateway need, and whether workers wait for the feeder.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import httpx
import psutil

from benchmarks.main_job import Figure, Peak, make_empty_files, timed
from benchmarks.measure import table
from tests.integration.cluster import Cluster, running
from tests.integration.material import make_short_files

_CLIENTS = 64


@contextmanager
def cluster_with(make: Callable[[Path], object]) -> Iterator[Cluster]:
    """A cluster of its own, over a library that `make` makes."""
    with tempfile.TemporaryDirectory(prefix="samplemind-load-") as name:
        library = Path(name) / "library"
        library.mkdir()
        make(library)
        with running(Path(name) / "data", {"library": library}, workers=os.cpu_count() or 1) as cluster:
            yield cluster


def quantile(values: list[float], percent: int) -> float:
    """The value below which so many per cent of them lie."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1] if len(values) > 1 else values[0]


def urgent(files: int, seconds: float) -> list[Figure]:
    """Single files beside a bulk job of `files`, one after the other."""

    def make(library: Path) -> None:
        make_short_files(library / "bulk", files, seconds=0.25, sr=44100)
        make_short_files(library / "urgent", 200, seconds=0.25, sr=44100, seed=9)

    with cluster_with(make) as cluster:
        bulk = cluster.submit("bulk", priority="bulk")
        wait(lambda: cluster.job(bulk)["counts"]["pending"] < cluster.job(bulk)["counts"]["submitted"], 120)
        names = sorted(path.name for path in (cluster.data_dir.parent / "library" / "urgent" / "000").iterdir())
        took: list[float] = []
        ends = time.monotonic() + seconds
        while time.monotonic() < ends and names:
            path = f"urgent/000/{names.pop()}"
            begun = time.monotonic()
            one = cluster.submit(path, priority="interactive")
            wait(partial(_over, cluster, one), 60)
            took.append(time.monotonic() - begun)
        left = cluster.job(bulk)["counts"]["pending"]
        stopped, quiet = cancel(cluster, bulk)
    return [
        Figure(f"single interactive file beside {left} bulk files, median of {len(took)}", quantile(took, 50), "s", ""),
        Figure("  95 of 100", quantile(took, 95), "s", "< 2"),
        Figure("  slowest", max(took), "s", ""),
        Figure("cancel: last file of the job that was analysed, after the request", stopped, "s", "< 2"),
        Figure("cancel: every file has ended", quiet, "s", ""),
    ]


def _over(cluster: Cluster, job_id: str) -> bool:
    return bool(cluster.job(job_id)["state"] == "complete")


def cancel(cluster: Cluster, job_id: str) -> tuple[float, float]:
    """How long after the request files still ended as analysed, and how long until all had ended, in seconds."""
    cluster.http.delete(f"/v1/jobs/{job_id}").raise_for_status()
    begun = time.monotonic()
    last, analysed = 0.0, -1

    def over() -> bool:
        nonlocal last, analysed
        job = cluster.job(job_id)
        if job["counts"]["done"] != analysed:
            last, analysed = time.monotonic() - begun, job["counts"]["done"]
        return bool(job["state"] == "cancelled")

    wait(over, 120)
    return last, time.monotonic() - begun


def crowd(seconds: float) -> list[Figure]:
    """64 clients that submit, cancel, list and listen."""
    took: dict[str, list[float]] = {name: [] for name in ("status", "list", "events", "submit", "cancel")}
    codes: Counter[int] = Counter()
    with cluster_with(lambda library: make_short_files(library / "job", 2000, seconds=0.25, sr=44100)) as cluster:
        job_id = cluster.submit("job", priority="bulk")
        gateway = cluster.processes("-m api")[0]
        with Peak(gateway) as memory, ThreadPoolExecutor(_CLIENTS) as clients:
            threading.Event().wait(2)
            warm = gateway.memory_info().rss / 1e6
            before = _worked(cluster)
            ends = time.monotonic() + seconds
            work = [clients.submit(_client, cluster, job_id, n, ends, took, codes) for n in range(_CLIENTS)]
            for each in work:
                each.result()
            worked = {name: now - before[name] for name, now in _worked(cluster).items()}
        slow = _slow_status_reads(cluster)
    print(dict(codes), file=sys.stderr)
    figures = [Figure("requests", sum(codes.values()), "", "")]
    figures += [Figure("answers of 5xx", sum(n for code, n in codes.items() if code >= 500), "", "0")]
    for name, times in took.items():
        figures.append(Figure(f"{name}, median", quantile(times, 50) * 1000, "ms", ""))
        figures.append(
            Figure(f"{name}, 99 of 100", quantile(times, 99) * 1000, "ms", "< 300" if name == "status" else "")
        )
    figures.append(Figure("status, slower than 250 ms inside of the gateway", slow * 100, "%", "< 1"))
    for name, cpu_s in worked.items():
        figures.append(Figure(f"{name}, processor time for each request", cpu_s / sum(codes.values()) * 1000, "ms", ""))
    return [*figures, Figure("gateway's memory grew by", memory.peak - warm, "MB", "< 50")]


def _slow_status_reads(cluster: Cluster) -> float:
    """The share that took the gateway more than 250 ms: 64 clients in one Python wait for each other besides."""
    counted = {"0.25": 0.0, "+Inf": 0.0}
    for line in cluster.http.get("/metrics").text.splitlines():
        if line.startswith("samplemind_http_request_duration_seconds_bucket") and 'route="/v1/jobs/{job_id}"' in line:
            for bound in counted:
                counted[bound] += float(line.rpartition(" ")[2]) * (f'le="{bound}"' in line and 'method="GET"' in line)
    return 1 - counted["0.25"] / counted["+Inf"]


def _worked(cluster: Cluster) -> dict[str, float]:
    """Seconds of a processor that each part has taken so far: what other work on the machine does not lengthen."""
    parts = {"gateway": "-m api", "ledger": "secantusd", "reconciler": "tasks.reconcile", "workers": "--pool prefork"}
    times = {name: [each.cpu_times() for each in cluster.processes(word)] for name, word in parts.items()}
    return {name: sum(each.user + each.system for each in of_it) for name, of_it in times.items()}


def _client(
    cluster: Cluster, job_id: str, number: int, ends: float, took: dict[str, list[float]], codes: Counter[int]
) -> None:
    chance, pause = Random(number), threading.Event()
    with httpx.Client(base_url=cluster.http.base_url, timeout=60) as http:

        def ask(name: str, method: str, path: str, **more: Any) -> httpx.Response:
            begun = time.monotonic()
            answer = http.request(method, path, **more)
            took[name].append(time.monotonic() - begun)
            codes[answer.status_code] += 1
            return answer

        while time.monotonic() < ends:
            what = chance.random()
            if what < 0.6:
                ask("status", "GET", f"/v1/jobs/{job_id}")
            elif what < 0.8:
                ask("list", "GET", "/v1/samples", params={"limit": 20})
            elif what < 0.9:
                begun = time.monotonic()
                with http.stream("GET", f"/v1/jobs/{job_id}/events") as stream:
                    next(stream.iter_lines(), None)
                    codes[stream.status_code] += 1
                took["events"].append(time.monotonic() - begun)
            else:
                source = {"root": "library", "path": "job", "pattern": f"**/*{chance.randrange(100):02d}.wav"}
                answer = ask("submit", "POST", "/v1/jobs", json={"source": source})
                if answer.status_code == 202:
                    ask("cancel", "DELETE", f"/v1/jobs/{answer.json()['id']}")
            pause.wait(chance.uniform(0.2, 1.0))


def million(files: int) -> list[Figure]:
    """A job of so many files, empty ones: each costs the queue and the ledger as much as any other."""
    with cluster_with(lambda library: make_empty_files(library / "many", files)) as cluster:
        redis_pid = next(p for p in cluster.processes("valkey") if "server" in " ".join(p.cmdline()))
        gateway = cluster.processes("-m api")[0]
        with Peak(gateway) as of_gateway, Peak(redis_pid) as of_redis:
            job_id, submitted = timed(lambda: cluster.submit("many", priority="bulk"))
            looks = Counter(_looks(cluster, job_id))
    worked = looks[True] + looks[False]
    return [
        Figure(f"submission of {files} files", submitted * 1000, "ms", "constant"),
        Figure("Redis, most resident memory", of_redis.peak, "MB", "< 200"),
        Figure("gateway, most resident memory", of_gateway.peak, "MB", "< 300"),
        Figure("looks at which chunks were open and none waited", looks[True] / max(1, worked) * 100, "%", "0"),
    ]


def _looks(cluster: Cluster, job_id: str) -> Iterator[bool]:
    """Several times a second while the job runs: whether its queue is empty though much is pending."""
    pause = threading.Event()
    while True:
        job = cluster.job(job_id)
        if job["finished_at"]:
            return
        if job["state"] == "running" and job["counts"]["pending"] > 2000:
            text = cluster.http.get("/metrics").text
            waiting = next(line for line in text.splitlines() if 'queue_messages{queue="bulk"}' in line)
            yield float(waiting.rpartition(" ")[2]) == 0
        pause.wait(0.3)


def wait(condition: Callable[[], bool], within_s: float) -> None:
    """Wait until it holds."""
    pause, ends = threading.Event(), time.monotonic() + within_s
    while not condition():
        if time.monotonic() > ends:
            raise TimeoutError(f"not within {within_s:g} s")
        pause.wait(0.02)


def main() -> None:
    """Measure what is asked for, and print a table and a JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["urgent", "crowd", "million"])
    parser.add_argument("--files", type=int, help="of the large job (urgent: 20000, million: 1000000)")
    parser.add_argument("--seconds", type=float, default=60, help="how long (crowd: 600 is the whole of it)")
    given = parser.parse_args()
    runs: dict[str, Callable[[], list[Figure]]] = {
        "urgent": lambda: urgent(given.files or 20_000, given.seconds),
        "crowd": lambda: crowd(given.seconds),
        "million": lambda: million(given.files or 1_000_000),
    }
    figures = runs[given.what]()
    print(table(["measured", "value", "asked"], [[f.what, f"{f.value:.2f} {f.unit}", f.asked] for f in figures]))
    load = [round(each, 1) for each in psutil.getloadavg()]
    print(json.dumps({"cores": os.cpu_count(), "load": load, **{f.what: round(f.value, 3) for f in figures}}))


if __name__ == "__main__":
    main()
