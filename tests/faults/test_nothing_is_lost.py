"""Faults injected into a real cluster in the middle of a job; each ends with every file accounted for, once."""

from __future__ import annotations

import shutil
import threading
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from redis import Redis

from tests.integration.cluster import Cluster, running
from tests.integration.material import make_short_files

pytestmark = [pytest.mark.integration, pytest.mark.faults]

FILES = 800


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of different short files for each fault, so that none is known from the fault before."""
    folder = tmp_path_factory.mktemp("many")
    for seed, name in enumerate(("worker", "redis", "decoder", "gateway", "index", "ledger"), start=1):
        make_short_files(folder / name, FILES, seed=seed)
    return folder


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, library: Path) -> Iterator[Cluster]:
    """Short leases, so that what a dead worker held comes back soon."""
    with running(tmp_path_factory.mktemp("faulty") / "data", {"library": library}) as cluster:
        yield cluster


def wait_until_under_way(cluster: Cluster, job_id: str, files: int = 100) -> None:
    pause = threading.Event()
    end = time.monotonic() + 60
    while cluster.job(job_id)["counts"]["done"] < files:
        assert time.monotonic() < end, cluster.job(job_id)
        pause.wait(0.05)


def assert_all_done_once(cluster: Cluster, job: dict[str, Any], number: int = FILES) -> None:
    assert job["state"] == "complete", job
    assert job["counts"]["done"] == job["counts"]["submitted"] == number, job
    rows = cluster.files(job["id"])
    assert [row["index"] for row in rows] == list(range(number))
    assert len({row["path"] for row in rows}) == len({row["sample_id"] for row in rows}) == number


def kill(process: psutil.Process) -> None:
    process.kill()


def test_a_killed_worker_loses_nothing(cluster: Cluster) -> None:
    job_id = cluster.submit("worker")
    wait_until_under_way(cluster, job_id)
    victims = cluster.processes("tasks.worker") or cluster.processes("celery")
    assert victims
    kill(victims[0])
    assert_all_done_once(cluster, cluster.wait_job(job_id, within_s=180))


def test_a_killed_decoder_loses_nothing(cluster: Cluster) -> None:
    job_id = cluster.submit("decoder")
    wait_until_under_way(cluster, job_id)
    for helper in cluster.processes("decode_process"):
        kill(helper)
    job = cluster.wait_job(job_id, within_s=180)
    # the file in hand may have been blamed for it; nothing else may
    assert job["counts"]["submitted"] == job["counts"]["done"] + job["counts"]["failed"] == FILES
    assert {row["reason"]["code"] for row in cluster.files(job_id, status="failed")} <= {"decoder_crashed"}
    assert job["counts"]["failed"] <= 2


def test_an_emptied_redis_loses_nothing(cluster: Cluster) -> None:
    job_id = cluster.submit("redis")
    wait_until_under_way(cluster, job_id)
    settings = tomllib.loads((cluster.data_dir / "run" / "settings.toml").read_text())
    with Redis.from_url(settings["redis"]["url"]) as redis:
        redis.flushall()
    assert_all_done_once(cluster, cluster.wait_job(job_id, within_s=180))


def test_a_killed_gateway_comes_back_and_the_job_did_not_notice(cluster: Cluster) -> None:
    job_id = cluster.submit("gateway")
    wait_until_under_way(cluster, job_id)
    for gateway in cluster.processes("-m api"):
        kill(gateway)
    cluster.wait_ready(60)
    assert_all_done_once(cluster, cluster.wait_job(job_id, within_s=180))


def test_a_killed_ledger_comes_back_with_everything_it_acknowledged(cluster: Cluster) -> None:
    job_id = cluster.submit("ledger")
    wait_until_under_way(cluster, job_id)
    for server in cluster.processes("secantusd"):
        kill(server)
    cluster.wait_ready(60)
    assert_all_done_once(cluster, cluster.wait_job(job_id, within_s=180))


def test_a_deleted_index_is_rebuilt_from_the_ledger(cluster: Cluster) -> None:
    job_id = cluster.submit("index")
    wait_until_under_way(cluster, job_id)
    for server in cluster.processes("chroma"):
        kill(server)
    shutil.rmtree(cluster.data_dir / "chroma", ignore_errors=True)
    job = cluster.wait_job(job_id, within_s=180)
    assert_all_done_once(cluster, job)
    cluster.wait_ready(60)
    last = cluster.files(job_id)[-1]["sample_id"]
    pause = threading.Event()
    end = time.monotonic() + 120
    while time.monotonic() < end:
        answer = cluster.http.post("/v1/search", json={"like": {"sample": last}, "limit": 1})
        # while it is being rebuilt the nearest may be another: what counts is that it comes back whole
        if answer.status_code == 200 and [item["sample"]["sample_id"] for item in answer.json()["items"]] == [last]:
            return
        pause.wait(0.5)
    raise AssertionError("the index did not come back")
