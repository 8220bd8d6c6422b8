"""How often the work on one chunk waits for a database: what counts where that is far away (F10 of the matrix)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from pymongo import MongoClient, monitoring
from redis.client import Pipeline
from redis.connection import Connection

from config.settings import MongoSettings, RedisSettings, Settings
from stores.mongo import MongoStores, client_options
from stores.pulse import RedisPulse
from stores.records import FileRef, NewJob, Priority
from tasks.analyze import analyze_chunk
from tasks.chunk import Bench, Ended
from tasks.culprit import Marks
from tasks.lifecycle import Child
from tests.tasks.twins import ByContent, RecordingSender, write

pytestmark = pytest.mark.integration

_FILES = 40


class Asked(monitoring.CommandListener):
    """The commands that were sent to the ledger."""

    def __init__(self) -> None:
        self.commands: list[str] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.commands.append(f"{event.command_name} {event.command.get(event.command_name)}")

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        pass

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        pass


class Rig:
    """A worker's child on real servers, and what it asked them."""

    def __init__(self, folder: Path, mongo_url: str, redis_url: str) -> None:
        self.folder, self.asked = folder, Asked()
        self.written: list[str] = []
        """What it took to write the chunk."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        mongo = MongoSettings(url=SecretStr(mongo_url), database=name, min_pool_size=0)
        options = client_options(mongo, "worker")
        self.client: MongoClient[dict[str, Any]] = MongoClient(mongo_url, event_listeners=[self.asked], **options)
        self.stores = MongoStores(self.client, name)
        self.stores.ledger.prepare()
        self.pulse = RedisPulse(RedisSettings(url=SecretStr(redis_url), key_prefix=f"{name}:"))
        self.child = self._child(Settings(data_dir=folder / "none", roots={"library": folder}, mongo=mongo))

    def _child(self, settings: Settings) -> Child:
        marks = Marks(self.pulse)
        ledger, samples, sender = self.stores.ledger, self.stores.samples, RecordingSender()
        bench = Bench(ledger, samples, ByContent(), settings.roots, at=marks.at)
        return Child("one", settings, self.stores, self.pulse, sender, bench, marks)

    def work(self, files: list[FileRef]) -> list[str]:
        """What the work on a chunk of these files asks the ledger."""
        job = self.stores.ledger.create_job(NewJob(owner="me", priority=Priority.NORMAL, source=None))[0]
        self.asked.commands.clear()
        assert self.stores.ledger.add_chunk(job.id, 0, 0, files)
        self.written = list(self.asked.commands)
        self.stores.ledger.accept_job(job.id)
        self.asked.commands.clear()
        assert analyze_chunk(f"{job.id}:0", self.child) is Ended.DONE
        return list(self.asked.commands)

    def close(self) -> None:
        self.client.drop_database(self.stores.ledger._database.name)
        self.stores.close()
        self.pulse.close()


@pytest.fixture
def rig(tmp_path: Path, mongo_url: str, redis_url: str) -> Iterator[Rig]:
    opened = Rig(tmp_path, mongo_url, redis_url)
    opened.work([write(tmp_path, "first.wav", b"first")])  # what only a process's first chunk asks
    yield opened
    opened.close()


def sounds(folder: Path, begin: int = 0) -> list[FileRef]:
    return [write(folder, f"{n}.wav", b"%d" % n) for n in range(begin, begin + _FILES)]


NEW = """
    aggregate chunks, update chunks, find settled, find samples, insert outbox, insert previews, insert samples,
    find meta, update outbox, insert settled, update chunks
"""
"""Two of them side by side, and nobody waits for what is settled: nine times there and back. Once it was thirteen."""
KNOWN = "aggregate chunks, update chunks, find settled, update chunks"


def said(commands: str) -> list[str]:
    return sorted(each.strip() for each in commands.split(","))


def test_a_chunk_of_new_files_asks_the_ledger_eleven_times(rig: Rig) -> None:
    assert sorted(rig.work(sounds(rig.folder))) == said(NEW)


def test_a_chunk_of_known_files_asks_the_ledger_four_times(rig: Rig) -> None:
    rig.work(sounds(rig.folder))
    assert sorted(rig.work(sounds(rig.folder))) == said(KNOWN)


def test_a_chunk_found_by_a_scan_is_written_with_two(rig: Rig) -> None:
    rig.work(sounds(rig.folder))
    assert rig.written == ["insert chunks", "update jobs"]


def test_a_chunk_that_nobody_held_before_waits_for_redis_once(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """To say how many chunks there were; who else was at it, and at which file it is, costs no way there and back."""
    waited: list[int] = []
    read, execute = Connection.read_response, Pipeline.execute

    def reading(self: Any, *given: Any, **named: Any) -> Any:
        waited.append(1)
        return read(self, *given, **named)

    def all_at_once(self: Any, *given: Any, **named: Any) -> Any:
        before = len(waited)
        answers = execute(self, *given, **named)
        waited[before:] = [1]
        return answers

    rig.pulse.last_seen("nothing")  # reads what is owed of the chunk before
    monkeypatch.setattr(Connection, "read_response", reading)
    monkeypatch.setattr(Pipeline, "execute", all_at_once)
    rig.work(sounds(rig.folder))
    assert len(waited) == 1
