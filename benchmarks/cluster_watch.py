"""What a running cluster does, seen from four sides: its HTTP door, Flower, its ledger, and the system's processes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from benchmarks.main_job import everything
from config.environment import child_environment
from config.settings import MongoSettings
from stores.doors import Ledger
from stores.mongo import connect
from tests.integration.cluster import Cluster
from tests.integration.waiting import wait_for

PARTS: Mapping[str, str] = {
    "-m api": "gateway",
    "tasks.reconcile": "reconciler",
    "tasks.index": "index writer",
    "flower": "Flower",
    "valkey": "broker",
    "secantus": "ledger",
    "chroma": "Chroma",
}
"""A word of a process's command line -> what it is."""
WORKERS = "workers"
_AGREE_S = 20.0
"""Flower and the gateway's figures are some seconds behind; after so long they count as not agreeing."""


@dataclass(frozen=True, slots=True)
class Tasks:
    """What Flower says of a job's chunks; times in seconds since 1970."""

    succeeded: int
    first_started: float
    last_succeeded: float
    runtime_s: float


@dataclass(frozen=True, slots=True)
class Kept:
    """What the ledger says of a job."""

    ended: int
    """Files that ended."""
    chunks: int
    created: float
    finished: float


class Watch:
    """One cluster under observation, with workers of our own beside those that it began with."""

    def __init__(self, cluster: Cluster, ledger: Ledger) -> None:
        self.cluster, self._ledger = cluster, ledger
        self._own: list[psutil.Process] = []

    def add_worker(self, name: str, log: Path) -> subprocess.Popen[bytes]:
        """Start one more worker as another server would: a process that is told where the cluster's parts are."""
        settings = self.cluster.data_dir / "run" / "settings.toml"
        environment = child_environment(settings, SAMPLEMIND_WORKER__NAME=name)
        with log.open("wb") as out:
            process = subprocess.Popen([sys.executable, "-m", "tasks.worker"], env=environment, stderr=out, stdout=out)
        self._own.append(psutil.Process(process.pid))
        return process

    def processes(self) -> dict[str, list[psutil.Process]]:
        """All of them, by what they are; a worker's decoder counts as the worker's."""
        found: dict[str, list[psutil.Process]] = {}
        of_worker: set[int] = set()
        for process in [*everything(self.cluster), *self._own]:
            try:
                line = " ".join(process.cmdline())
                if " worker " in line and process.pid not in of_worker:
                    family = [process, *process.children(recursive=True)]
                    of_worker |= {each.pid for each in family}
                    found.setdefault(WORKERS, []).extend(family)
                elif process.pid not in of_worker:
                    name = next((name for word, name in PARTS.items() if word in line), "supervisor")
                    found.setdefault(name, []).append(process)
            except psutil.NoSuchProcess:
                continue
        return found

    def cpu_s(self) -> dict[str, float]:
        """CPU seconds so far, by what a process is."""
        spent: dict[str, float] = defaultdict(float)
        for name, family in self.processes().items():
            for process in family:
                try:
                    spent[name] += sum(process.cpu_times()[:2])
                except psutil.NoSuchProcess:
                    continue
        return spent

    def memory_mb(self) -> list[float]:
        """Resident memory of each worker with its child and decoder; what they share is counted once (PSS)."""
        sums = []
        for process in self.processes()[WORKERS]:
            if " worker " in " ".join(process.cmdline()) and process.ppid() not in self._pids(WORKERS):
                family = [process, *process.children(recursive=True)]
                sums.append(sum(each.memory_full_info().pss for each in family) / 1e6)
        return sums

    def _pids(self, name: str) -> set[int]:
        return {process.pid for process in self.processes()[name]}

    def figures(self) -> dict[str, float]:
        """The gateway's and Flower's counters, summed over workers."""
        text = self.cluster.http.get("/metrics").text + httpx.get(f"{self.cluster.flower}/metrics").text
        sums: dict[str, float] = defaultdict(float)
        for name, labels, value in re.findall(r"(?m)^(\w+)\{(.*)\} (\S+)$", text):
            if name in ("samplemind_worker_files_total", "samplemind_worker_chunks_total") or (
                "samplemind.analyze" in labels and name == "flower_task_runtime_seconds_count"
            ):
                sums[name] += float(value)
        return sums

    def tasks(self, job_id: str) -> Tasks:
        """A job's chunks, as Flower's API lists them."""
        asked: dict[str, str | int] = {"taskname": "samplemind.analyze", "limit": 10_000}
        said = httpx.get(f"{self.cluster.flower}/api/tasks", params=asked, timeout=30).raise_for_status().json()
        mine = [task for task in said.values() if job_id in str(task["args"]) and task["state"] == "SUCCESS"]
        return Tasks(
            succeeded=len({str(task["args"]) for task in mine}),
            first_started=min((task["started"] for task in mine), default=0.0),
            last_succeeded=max((task["succeeded"] for task in mine), default=0.0),
            runtime_s=sum(task["runtime"] for task in mine),
        )

    def kept(self, job_id: str) -> Kept:
        """A job, as the ledger has it."""
        job = self._ledger.job(job_id)
        assert job.finished_at is not None, job
        ended = job.counts.submitted - job.counts.pending
        return Kept(ended, job.chunks, job.created_at.timestamp(), job.finished_at.timestamp())

    def agreed(self, job_id: str, before: dict[str, float]) -> dict[str, dict[str, float]]:
        """What each side counts of a job, once they agree or have had their time: files and chunks."""
        kept = self.kept(job_id)
        said: dict[str, dict[str, float]] = {}

        def agree() -> bool:
            now = self.figures()
            grown = {name: now[name] - before[name] for name in now}
            said["files"] = {"ledger": kept.ended, "/metrics": grown.get("samplemind_worker_files_total", 0)}
            said["chunks"] = {
                "ledger": kept.chunks,
                "/metrics": grown.get("samplemind_worker_chunks_total", 0),
                "Flower's API": self.tasks(job_id).succeeded,
                "Flower's /metrics": grown.get("flower_task_runtime_seconds_count", 0),
            }
            return all(len(set(sides.values())) == 1 for sides in said.values())

        with suppress(AssertionError):  # the report says so
            wait_for(agree, _AGREE_S, 0.5)
        return said


@contextmanager
def watching(cluster: Cluster) -> Iterator[Watch]:
    """A watch over a running cluster, with a connection of its own to the ledger."""
    said = tomllib.loads((cluster.data_dir / "run" / "settings.toml").read_text())["mongo"]
    stores = connect(MongoSettings(**{**said, "min_pool_size": 0}), pool="worker")
    try:
        yield Watch(cluster, stores.ledger)
    finally:
        stores.close()


def first_of(log: Path, event: str) -> dict[str, Any] | None:
    """The first line of a log with this event."""
    lines = (json.loads(line) for line in log.read_text(errors="replace").splitlines() if line.startswith("{"))
    return next((line for line in lines if line.get("event") == event), None)
