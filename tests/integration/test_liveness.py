"""Parts that run and do not get on: each is found, said to be stuck, and replaced; and nothing is lost."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from config.settings import Settings
from tests.faults.changes import hooked
from tests.integration.cluster import Cluster, running
from tests.integration.material import make_short_files
from tests.integration.waiting import wait_for
from tests.servers import PROJECT

pytestmark = [pytest.mark.integration, pytest.mark.timeout(420)]

FILES = 240
FOUND_WITHIN_S = 120
"""With `stuck_after_s` at 5 it takes some 20 s; more on a machine that is busy."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One that is impatient."""
    folder = tmp_path_factory.mktemp("liveness")
    make_short_files(folder / "library", FILES)
    environment = {"SAMPLEMIND_QUEUE__STUCK_AFTER_S": "5", "SAMPLEMIND_QUEUE__LEASE_S": "6"}
    environment |= {"SAMPLEMIND_QUEUE__CHUNK_FILES": "20", **hooked(folder, "obeys")}
    with running(folder / "data", {"library": folder / "library"}, environment=environment) as cluster:
        yield cluster


def test_every_part_that_is_frozen_or_locked_is_replaced_and_nothing_is_lost(cluster: Cluster) -> None:
    job = cluster.submit()
    wait_for(lambda: cluster.job(job)["counts"]["done"] >= 10, FOUND_WITHIN_S)
    frozen = [found for find in _parts(cluster).values() for found in find()[:1]]
    assert len(frozen) == len(_parts(cluster))
    locked = cluster.processes("chroma run")
    with closing(sqlite3.connect(cluster.data_dir / "chroma" / "chroma.sqlite3", isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")  # as a write does that ended in a full disk
        for process in frozen:
            process.suspend()
        wait_for(lambda: not any(map(_lives, [*frozen, *locked])), FOUND_WITHIN_S)
    cluster.wait_ready(FOUND_WITHIN_S)
    assert cluster.wait_job(job)["counts"]["done"] == FILES
    # The child that does a worker's work is not a part of its own: its worker was replaced.
    assert set(_replaced(cluster)) >= {"index", "reconcile", "gateway", "flower", "chroma"}
    assert sum(part.startswith("worker-") for part in _replaced(cluster)) == 2
    assert 'samplemind_parts_replaced_total{part="index"} 1.0' in cluster.http.get("/metrics").text
    said = _command(cluster, "doctor")
    assert "index was replaced once since the start" in " ".join(said.stdout.split())


def test_workers_that_take_no_messages_although_they_beat_are_replaced(cluster: Cluster) -> None:
    from celery import Celery

    from tasks.configuration import celery_config

    settings = Settings.model_validate(_settings(cluster.data_dir / "run" / "settings.toml"))
    before = sum(_replaced(cluster).values())
    with Celery("test", set_as_current=False) as app:
        app.conf.update(celery_config(settings))
        for queue in ("normal", "scan", "interactive", "bulk"):
            assert len(app.control.cancel_consumer(queue, reply=True, timeout=20, limit=2)) == 2
    job = cluster.submit(pattern="**/blip_000*")
    wait_for(lambda: "takes no work although" in cluster.http.get("/ready").text, FOUND_WITHIN_S)
    wait_for(lambda: 'samplemind_processes_stuck{part="worker"} ' in cluster.http.get("/metrics").text, FOUND_WITHIN_S)
    # The first that is back may take all that waits, and the other is found deaf when there is more.
    wait_for(lambda: sum(_replaced(cluster).values()) > before, FOUND_WITHIN_S)
    assert cluster.wait_job(job)["state"] == "complete"


def test_the_index_is_made_anew_while_a_job_runs(cluster: Cluster) -> None:
    samples = [row["sample_id"] for row in cluster.files(cluster.submit(pattern="**/blip_000*")) if row["sample_id"]]
    make_short_files(cluster.data_dir.parent / "library" / "more", 60, seed=1)
    job = cluster.submit("more")
    said = _command(cluster, "reindex")
    assert said.returncode == 0, said.stderr
    assert "Searches ask generation 2 now" in said.stdout
    assert cluster.wait_job(job)["counts"]["done"] == 60
    new = cluster.files(job)[0]["sample_id"]
    wait_for(lambda: cluster.http.get("/v1/index").json()["indexed"] == FILES + 60, FOUND_WITHIN_S)
    for one in (*samples[:1], new):
        found = cluster.http.post("/v1/search", json={"like": {"sample": one}, "limit": 5})
        assert len(found.json()["items"]) == 5
    wait_for(lambda: cluster.http.get("/v1/index").json()["audit"] is not None, FOUND_WITHIN_S)
    audit = cluster.http.get("/v1/index").json()["audit"]
    assert (audit["missing"], audit["different"], audit["extra"], audit["unreachable"]) == (0, 0, 0, 0)


def test_health_checks_ask_no_server(cluster: Cluster) -> None:
    signs = cluster.data_dir / "run" / "signs"
    for part in ("worker", "index", "reconciler"):
        asked = [sys.executable, "-m", "tasks.alive", part, "--signs-dir", str(signs)]
        said = subprocess.run(asked, cwd=PROJECT, capture_output=True, text=True, check=False)
        assert said.returncode == 0, said.stderr
        assert "gets on" in said.stdout


def _command(cluster: Cluster, name: str) -> subprocess.CompletedProcess[str]:
    asked = [sys.executable, "-m", "cli", name, "--data-dir", str(cluster.data_dir)]
    return subprocess.run(asked, cwd=PROJECT, capture_output=True, text=True, check=False)


def _parts(cluster: Cluster) -> dict[str, Callable[[], list[psutil.Process]]]:
    """One process of each kind."""

    def workers() -> list[psutil.Process]:
        found = cluster.processes("--pool prefork")
        below = {child.pid for each in found for child in each.children()}
        return [each for each in found if each.pid not in below]

    return {
        "a worker's main process": lambda: workers()[:1],
        "another worker's child": lambda: workers()[1].children()[:1],
        "index writer": lambda: cluster.processes("tasks.index"),
        "reconciler": lambda: cluster.processes("tasks.reconcile"),
        "gateway": lambda: cluster.processes("-m api"),
        "Flower": lambda: cluster.processes("flower_app"),
    }


def _lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _replaced(cluster: Cluster) -> dict[str, int]:
    try:
        said: dict[str, int] = json.loads((cluster.data_dir / "run" / "signs" / "replaced.json").read_text())
    except FileNotFoundError:
        return {}
    return said


def _settings(file: Path) -> dict[str, object]:
    import tomllib

    return tomllib.loads(file.read_text())
