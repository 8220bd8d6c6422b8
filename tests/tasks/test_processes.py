"""Real workers, reconciler and index writer on real servers."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import numpy as np
import psutil
import pytest
from pymongo import MongoClient

from config.environment import child_environment
from config.settings import ChromaSettings, MongoSettings, QueueSettings, RedisSettings, Settings
from stores.mongo import MongoStores, connect
from stores.pulse import RedisPulse
from stores.pulse import connect as connect_redis
from stores.records import FolderSource, Job, JobState, NewJob, Priority, Status
from stores.vectors import ChromaVectors
from tasks.send import Sender
from tests.servers import chroma_server, free_port
from tests.servers import running as serving

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]


def write_tones(folder: Path, count: int, seconds: float = 0.5) -> None:
    """Short tones, no two alike."""
    folder.mkdir(parents=True, exist_ok=True)
    t = np.arange(int(44100 * seconds)) / 44100
    for n in range(count):
        y = 0.5 * np.sin(2 * np.pi * (110 + 3 * n) * t) * np.exp(-4 * t)
        with wave.open(str(folder / f"tone {n:04d}.wav"), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(44100)
            out.writeframes((y * 32767).astype("<i2").tobytes())


class Rig:
    """A cluster's processes, each started by the test."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings, self.folder = settings, folder
        self.stores: MongoStores = connect(settings.mongo, pool="worker")
        self.stores.ledger.prepare()
        self.pulse = RedisPulse(settings.redis)
        self.vectors = ChromaVectors(settings.chroma)
        self.sender = Sender(settings)
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, module: str, **extra: str) -> subprocess.Popen[bytes]:
        file = self.folder / "settings.toml"
        file.write_text(_toml(self.settings))
        environment = child_environment(file, **extra)
        with (self.folder / f"{module}.log").open("ab") as log:
            process = subprocess.Popen([sys.executable, "-m", module], env=environment, stdout=log, stderr=log)
        self.started.append(process)
        return process

    def log(self, module: str) -> str:
        return (self.folder / f"{module}.log").read_text(errors="replace")

    def submit(self, priority: Priority = Priority.NORMAL) -> Job:
        job, _ = self.stores.ledger.create_job(
            NewJob(owner="me", priority=priority, source=FolderSource("library", "", "**/*"))
        )
        self.sender.scan(job.id)
        return job

    def wait(self, what: Callable[[], bool], within_s: float = 90) -> None:
        end = time.monotonic() + within_s
        while not what():
            assert time.monotonic() < end, "\n".join(self.log(m)[-3000:] for m in ("tasks.worker", "tasks.reconcile"))
            time.sleep(0.05)

    def ended(self, job: Job) -> Job:
        self.wait(lambda: self.stores.ledger.job(job.id).state.ended)
        return self.stores.ledger.job(job.id)

    def workers_up(self, count: int = 1) -> None:
        """Workers whose child is warm: only it says how many chunks it did."""
        self.wait(lambda: sum("chunks" in facts for facts in self.pulse.alive()) >= count)

    def close(self) -> None:
        for process in self.started:
            kill_tree(process)
        self.sender.close()
        self.pulse.close()
        self.vectors.close()
        self.stores.close()


def kill_tree(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL to a process and all its children, as a machine that loses power."""
    try:
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        family = []
    for member in family:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            continue
    process.wait(20)


def _toml(settings: Settings) -> str:
    queue = settings.queue.model_dump(exclude_unset=True)
    return "\n".join(
        [
            f'data_dir = "{settings.data_dir}"',
            *("[roots]", f'library = "{settings.roots["library"]}"'),
            *("[mongo]", f'url = "{settings.mongo.url.get_secret_value()}"', f'database = "{settings.mongo.database}"'),
            *(
                "[redis]",
                f'url = "{settings.redis.url.get_secret_value()}"',
                f'key_prefix = "{settings.redis.key_prefix}"',
            ),
            *("[chroma]", f'url = "{settings.chroma.url}"', f'collection = "{settings.chroma.collection}"'),
            *("[queue]", *(f"{name} = {value}" for name, value in queue.items())),
        ]
    )


@contextmanager
def running(tmp_path: Path, urls: tuple[str, str, str], **queue: float) -> Iterator[Rig]:
    mongo, redis, chroma = urls
    mine = f"t{uuid4().hex[:12]}"
    settings = Settings(
        data_dir=tmp_path / "data",
        roots={"library": tmp_path / "library"},
        mongo=MongoSettings(url=mongo, database=mine),
        redis=RedisSettings(url=redis, key_prefix=f"{mine}:"),
        chroma=ChromaSettings(url=chroma, collection=mine),
        queue=QueueSettings(feed_interval_s=0.1, idle_interval_s=0.2, **queue),
    )
    rig = Rig(settings, tmp_path)
    try:
        yield rig
    finally:
        rig.close()


@pytest.fixture
def urls(mongo_url: str, redis_url: str, chroma_url: str) -> tuple[str, str, str]:
    return mongo_url, redis_url, chroma_url


def test_a_folder_becomes_samples_and_vectors(tmp_path: Path, urls: tuple[str, str, str]) -> None:
    write_tones(tmp_path / "library", 30)
    (tmp_path / "library" / "same again.wav").write_bytes((tmp_path / "library" / "tone 0000.wav").read_bytes())
    (tmp_path / "library" / "notes.txt").write_text("no audio")
    (tmp_path / "library" / "broken.wav").write_bytes(b"RIFF1234WAVEjunk")
    with running(tmp_path, urls) as rig:
        worker = rig.start("tasks.worker", SAMPLEMIND_WORKER__NAME="worker1@test", SAMPLEMIND_WORKER__CORE="0")
        rig.start("tasks.reconcile")
        index = rig.start("tasks.index")
        job = rig.ended(rig.submit())
        counts = job.counts
        assert job.state is JobState.COMPLETE
        assert (counts.submitted, counts.done, counts.duplicate, counts.skipped, counts.failed) == (33, 30, 1, 1, 1)
        rig.wait(lambda: rig.stores.samples.indexed_count() == 30)
        rig.vectors.open(1)
        assert rig.vectors.probe() == 30
        again = rig.ended(rig.submit())
        assert (again.counts.reused, again.counts.done) == (31, 0)
        assert_pinned(worker, 0)
        facts = next(facts for facts in rig.pulse.alive() if facts["part"] == "worker")
        assert (facts["name"], facts["core"]) == ("worker1@test", "0")
        assert int(facts["files"]) == 66
        for process in (worker, index):
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0, rig.log("tasks.worker")[-2000:]
        assert not any(facts["part"] == "worker" for facts in rig.pulse.alive())


def assert_pinned(worker: subprocess.Popen[bytes], core: int) -> None:
    """The child that works and the helper that decodes are on one core; the parent has no numba and no database."""
    parent = psutil.Process(worker.pid)
    (child,) = parent.children()
    helpers = child.children()
    assert helpers
    assert [process.cpu_affinity() for process in (child, *helpers)] == [[core]] * (1 + len(helpers))
    loaded = {Path(file.path).name for file in parent.memory_maps()}
    assert not any("llvmlite" in name or "numba" in name for name in loaded), loaded


def test_nothing_is_lost_when_workers_are_killed_in_the_middle(tmp_path: Path, urls: tuple[str, str, str]) -> None:
    write_tones(tmp_path / "library", 300)
    with running(tmp_path, urls, lease_s=2, chunk_cost_s=0.2, republish_idle_s=1) as rig:
        rig.start("tasks.reconcile")
        worker = rig.start("tasks.worker")
        rig.workers_up()
        job = rig.submit()
        for done in (10, 100):
            rig.wait(lambda done=done: rig.stores.ledger.job(job.id).counts.done >= done)  # type: ignore[misc]
            kill_tree(worker)
            worker = rig.start("tasks.worker")
        ended = rig.ended(job)
        assert (ended.state, ended.counts.submitted, ended.counts.done) == (JobState.COMPLETE, 300, 300)
        rows = rig.stores.ledger.files(job.id, status=None, cursor=None, limit=500).items
        assert [row.index for row in rows] == list(range(300))
        assert {row.row.status for row in rows} == {Status.DONE}
        assert rig.stores.samples.count() == 300


def test_what_a_dead_worker_held_is_published_again_soon_after_its_lease(
    tmp_path: Path, urls: tuple[str, str, str]
) -> None:
    """By the ledger's own clock; a machine that is busy makes it later, but not by so much."""
    write_tones(tmp_path / "library", 200)
    with running(tmp_path, urls, lease_s=2, chunk_cost_s=2) as rig:
        rig.start("tasks.reconcile")
        worker = rig.start("tasks.worker")
        rig.workers_up()
        job = rig.submit()
        with MongoClient[dict[str, Any]](rig.settings.mongo.url.get_secret_value()) as client:
            chunks = client[rig.settings.mongo.database]["chunks"]
            rig.wait(lambda: chunks.find_one({"job": job.id, "state": "open", "attempt": 1}) is not None)
            kill_tree(worker)
            held = [each["_id"] for each in chunks.find({"job": job.id, "state": "open", "attempt": 1})]

            def late_ms() -> list[int]:
                found = chunks.find({"_id": {"$in": held}, "$expr": {"$gt": ["$fed_at", "$lease_until"]}})
                return [each["fed_at"] - each["lease_until"] for each in found]

            rig.wait(lambda: len(late_ms()) == len(held))
            print(f"published again {late_ms()} ms after the lease")
            assert held
            assert max(late_ms()) < 10_000


def test_messages_that_are_no_ids_are_refused(tmp_path: Path, urls: tuple[str, str, str]) -> None:
    write_tones(tmp_path / "library", 3)
    with running(tmp_path, urls) as rig:
        rig.start("tasks.worker")
        rig.start("tasks.reconcile")
        for said in ("../../etc/passwd", "x" * 500, "{}", "a:b:c"):
            rig.sender.chunks(Priority.NORMAL, [said])
            rig.sender.scan(said)
        assert rig.ended(rig.submit()).counts.done == 3
        assert rig.log("tasks.worker").count("message_refused") >= 4


def test_a_killed_child_is_replaced_and_its_chunk_done_again(tmp_path: Path, urls: tuple[str, str, str]) -> None:
    write_tones(tmp_path / "library", 150)
    with running(tmp_path, urls, lease_s=2, chunk_cost_s=0.2, republish_idle_s=1) as rig:
        rig.start("tasks.reconcile")
        worker = rig.start("tasks.worker")
        rig.workers_up()
        job = rig.submit()
        rig.wait(lambda: rig.stores.ledger.job(job.id).counts.done >= 10)
        (child,) = psutil.Process(worker.pid).children()
        os.kill(child.pid, signal.SIGKILL)
        assert rig.ended(job).counts.done == 150
        assert worker.poll() is None


def test_losing_all_of_redis_in_the_middle_loses_nothing(tmp_path: Path, urls: tuple[str, str, str]) -> None:
    write_tones(tmp_path / "library", 200)
    with running(tmp_path, urls, chunk_cost_s=0.1, republish_idle_s=1) as rig:
        rig.start("tasks.reconcile")
        rig.start("tasks.worker")
        rig.workers_up()
        job = rig.submit()
        rig.wait(lambda: rig.stores.ledger.job(job.id).counts.done >= 10)
        with connect_redis(rig.settings.redis) as redis:
            redis.delete(*redis.keys(f"{rig.settings.redis.key_prefix}*"))  # type: ignore[misc]
        assert rig.ended(job).counts.done == 200


def test_a_stopping_worker_finishes_its_chunk(tmp_path: Path, urls: tuple[str, str, str]) -> None:
    write_tones(tmp_path / "library", 300)
    with running(tmp_path, urls, chunk_cost_s=0.5) as rig:
        rig.start("tasks.reconcile")
        worker = rig.start("tasks.worker")
        rig.workers_up()
        job = rig.submit()
        rig.wait(lambda: rig.stores.ledger.job(job.id).counts.done >= 10)
        began = time.monotonic()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0
        assert time.monotonic() - began < 25  # it waits for the chunk, not for soft_shutdown_s
        assert not rig.stores.ledger.job(job.id).state.ended
        rig.start("tasks.worker")
        assert rig.ended(job).counts.done == 300
        attempts = {
            json.loads(line)["attempt"] for line in rig.log("tasks.worker").splitlines() if "chunk_ended" in line
        }
        assert attempts == {1}


def test_an_idle_worker_stops_at_once(tmp_path: Path, urls: tuple[str, str, str]) -> None:
    with running(tmp_path, urls) as rig:
        worker = rig.start("tasks.worker")
        rig.workers_up()
        began = time.monotonic()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0
        assert time.monotonic() - began < 25


def test_flower_shows_workers_queues_and_throughput(tmp_path: Path, urls: tuple[str, str, str]) -> None:
    write_tones(tmp_path / "library", 20)
    with running(tmp_path, urls, chunk_cost_s=0.1) as rig:
        port = free_port()
        rig.start("tasks.monitor", SAMPLEMIND_FLOWER__PORT=str(port))
        flower = f"http://127.0.0.1:{port}"
        rig.wait(lambda: answers(f"{flower}/healthcheck"))
        rig.start("tasks.reconcile")
        rig.start("tasks.worker", SAMPLEMIND_WORKER__NAME="shown@test")
        rig.ended(rig.submit())
        rig.wait(lambda: 'type="task-succeeded"' in httpx.get(f"{flower}/metrics").text)
        assert "shown@test" in httpx.get(f"{flower}/metrics").text
        lengths = httpx.get(f"{flower}/api/queues/length").json()["active_queues"]
        assert {queue["name"] for queue in lengths} >= {"scan", "interactive", "normal", "bulk"}
        assert {task["name"] for task in httpx.get(f"{flower}/api/tasks").json().values()} >= {"samplemind.analyze"}
        assert httpx.post(f"{flower}/api/worker/shutdown/shown@test").status_code == 403


def answers(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False


def test_an_index_that_is_thrown_away_is_rebuilt_and_no_job_notices(
    tmp_path: Path, mongo_url: str, redis_url: str
) -> None:
    write_tones(tmp_path / "library", 40)
    with (
        serving(chroma_server(tmp_path / "server")) as chroma,
        running(tmp_path, (mongo_url, redis_url, chroma.url)) as rig,
    ):
        rig.start("tasks.worker")
        rig.start("tasks.reconcile")
        rig.start("tasks.index")
        first = rig.submit()
        assert rig.ended(first).counts.done == 40
        rig.wait(lambda: rig.stores.samples.indexed_count() == 40)
        chroma.kill()
        write_tones(tmp_path / "library" / "more", 45)
        assert rig.ended(rig.submit()).counts.done == 5  # without an index
        shutil.rmtree(tmp_path / "server" / "chroma")
        chroma.start()
        rig.wait(lambda: rig.stores.samples.generation() == 2 and rig.stores.samples.indexed_count() == 45)
        rig.vectors.open(2)
        assert rig.vectors.probe() == 45
