"""The main job, measured from outside: ``python -m benchmarks.main_job``.

Starts a cluster of its own, makes short files, and prints a table: how long a submission takes whatever its size, files
a second the first time and again, how far the gateway's memory grows, and what an idle cluster costs. With a library of
yours it also submits that, and says how its files ended, which loops lie at 118 to 122 BPM, and what Flower counted.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil

from benchmarks.measure import table
from tests.integration.cluster import Cluster, running
from tests.integration.material import make_short_files

T = TypeVar("T")

_SETTLE_S = 15.0
"""So long after its start a cluster is left alone before it counts as idle: ready workers still load kernels."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number, and what was asked of it."""

    what: str
    value: float
    unit: str
    asked: str


class Peak:
    """The largest resident memory of a process while it is watched, in MB."""

    def __init__(self, process: psutil.Process) -> None:
        self.start = self.peak = process.memory_info().rss / 1e6
        self._process = process
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.1):
            self.peak = max(self.peak, self._process.memory_info().rss / 1e6)


def timed(action: Callable[[], T]) -> tuple[T, float]:
    """What an action gave, and its seconds."""
    start = time.perf_counter()
    result = action()
    return result, time.perf_counter() - start


def everything(cluster: Cluster) -> list[psutil.Process]:
    """The supervisor and all below it."""
    supervisor = psutil.Process(cluster.process.pid)
    return [supervisor, *supervisor.children(recursive=True)]


def idle(cluster: Cluster, seconds: float) -> list[Figure]:
    """What the cluster costs when there is nothing to do, by process."""
    threading.Event().wait(_SETTLE_S)
    processes = everything(cluster)
    before = {process.pid: sum(process.cpu_times()[:2]) for process in processes}
    threading.Event().wait(seconds)
    cpu = {p.pid: (sum(p.cpu_times()[:2]) - before[p.pid]) / seconds * 100 for p in processes if p.is_running()}
    memory = {p.pid: p.memory_info().rss / 1e6 for p in processes if p.is_running()}
    for process in processes:
        name = " ".join(process.cmdline())[-70:]
        print(f"  {cpu.get(process.pid, 0):5.1f} %  {memory.get(process.pid, 0):6.0f} MB  {name}", file=sys.stderr)
    return [
        Figure("idle cluster, CPU of one core", sum(cpu.values()), "%", "< 5"),
        Figure("idle cluster, resident memory in all", sum(memory.values()), "MB", "< 1500"),
    ]


def measure(files: int, many: int, idle_s: float, *, empty: bool = False, yours: Path | None = None) -> list[Figure]:
    """Run it all on a cluster of its own."""
    with tempfile.TemporaryDirectory(prefix="samplemind-bench-") as name:
        folder = Path(name)
        library = folder / "library"
        make_short_files(library / "job", files, seconds=0.25, sr=44100)  # as long as a hat or a kick
        if many and empty:
            make_empty_files(library / "many", many)
        elif many:
            make_short_files(library / "many", many, seconds=0.002, seed=1)
        roots = {"library": library} if yours is None else {"library": library, "yours": yours}
        with running(folder / "data", roots, workers=os.cpu_count() or 1) as cluster:
            figures = [*idle(cluster, idle_s), *(library_job(cluster) if yours else ())]
            return [*figures, *job_twice(cluster, files), *constant_submission(cluster, many)]


def make_empty_files(folder: Path, count: int) -> None:
    """Files of no bytes in folders of a thousand: each ends failed, as empty."""
    for n in range(count):
        path = folder / f"{n // 1000:03d}" / f"{n % 1000:03d}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def library_job(cluster: Cluster) -> list[Figure]:
    """A real library: how its files end, what a search finds in it, and whether Flower saw the work."""
    job, took = timed(lambda: cluster.wait_job(cluster.submit("", root="yours"), within_s=7200))
    counts = job["counts"]
    ended = {name: count for name, count in counts.items() if name != "submitted"}
    assert sum(ended.values()) == counts["submitted"], job
    loops = sum(len(page["items"]) for page in pages(cluster, {"bpm": "118..122", "kind": "loop"}))
    return [
        Figure(f"your library, {counts['submitted']} files", took, "s", ""),
        *(Figure(f"  of which {name}", count, "files", "") for name, count in ended.items() if count),
        Figure("  loops found at 118 to 122 BPM", loops, "loops", "> 0"),
        Figure("  tasks that Flower saw succeed", flower_succeeded(cluster), "tasks", "> 0"),
    ]


def pages(cluster: Cluster, asked: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Every page of a listing of samples."""
    page: dict[str, Any] = {"next": ""}
    while page["next"] is not None:
        cursor = {"cursor": page["next"]} if page["next"] else {}
        page = cluster.http.get("/v1/samples", params={**asked, **cursor}).raise_for_status().json()
        yield page


def flower_succeeded(cluster: Cluster) -> float:
    """The events of ended tasks in Flower's ``/metrics``."""
    events = httpx.get(f"{cluster.flower}/metrics").raise_for_status().text.splitlines()
    wanted = [line for line in events if line.startswith("flower_events_total") and "task-succeeded" in line]
    return sum(float(line.rpartition(" ")[2]) for line in wanted)


def job_twice(cluster: Cluster, files: int) -> list[Figure]:
    """The same job, new and known."""
    job, first = timed(lambda: cluster.wait_job(cluster.submit("job"), within_s=3600))
    assert job["counts"]["done"] == job["counts"]["submitted"] == files, job
    job, again = timed(lambda: cluster.wait_job(cluster.submit("job"), within_s=3600))
    assert job["counts"]["reused"] == files, job
    return [
        Figure(f"{files} one-shots of 0.25 s, new", files / first, "files/s", ""),
        Figure(f"{files} one-shots of 0.25 s, the same job again", files / again, "files/s", ""),
        Figure("the same job again, times as fast", first / again, "x", ">= 5"),
    ]


def constant_submission(cluster: Cluster, files: int) -> list[Figure]:
    """Submitting a large folder, and what the gateway's memory does during the whole job."""
    if not files:
        return []
    gateway = cluster.processes("-m api")[0]
    with Peak(gateway) as peak:
        job_id, answered = timed(lambda: cluster.submit("many"))
        job, took = timed(lambda: cluster.wait_job(job_id, within_s=7200))
    assert job["counts"]["submitted"] == files, job
    return [
        Figure(f"POST /v1/jobs for {files} files", answered * 1000, "ms", "< 200"),
        Figure(
            f"gateway's memory during that job, growth (from {peak.start:.0f})", peak.peak - peak.start, "MB", "< 50"
        ),
        Figure(f"{files} tiny files", files / took, "files/s", ""),
    ]


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.main_job", description=__doc__)
    parser.add_argument("--files", type=int, default=10_000, help="files of the job that runs twice")
    parser.add_argument("--many", type=int, default=100_000, help="files of the large submission; 0 leaves it out")
    parser.add_argument("--empty", action="store_true", help="make those files empty, so that the job takes seconds")
    parser.add_argument("--library", type=Path, help="a folder of audio to submit as well")
    parser.add_argument("--idle", type=float, default=30, help="seconds to watch the idle cluster")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    parser.add_argument("--markdown", action="store_true", help="print the figures as a table in Markdown")
    given = parser.parse_args()
    yours = given.library and given.library.resolve(strict=True)
    figures = measure(given.files, given.many, given.idle, empty=given.empty, yours=yours)
    if given.markdown:
        print(
            table(["what", "measured", "", "wanted"], [[f.what, f"{f.value:,.1f}", f.unit, f.asked] for f in figures])
        )
    else:
        print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, {platform.python_version()}")
        for figure in figures:
            print(f"{figure.what:65s} {figure.value:10.1f} {figure.unit:8s} {figure.asked}")
    if given.json:
        given.json.write_text(json.dumps([asdict(figure) for figure in figures], indent=1))


if __name__ == "__main__":
    main()
