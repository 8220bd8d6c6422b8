"""Real processes: a new analyser in place of an old one, and a broker that has no room."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from stores.pulse import connect as connect_redis
from stores.records import NewJob, Priority, SampleFilter, SamplesSource
from tests.second_version import NEWER, SPACE, python_path
from tests.servers import running as serving
from tests.servers import valkey_server
from tests.tasks.test_processes import Rig, running, write_tones
from workers.errors import StoreUnavailable
from workers.model import ANALYZER_VERSION

pytestmark = pytest.mark.integration
_FILES = 40


def listed(rig: Rig) -> dict[str, set[str]]:
    """The analysers that the library shows, by content."""
    shown: dict[str, set[str]] = {}
    for sample in rig.stores.samples.page(SampleFilter(), cursor=None, limit=1000).items:
        shown.setdefault(sample.content, set()).add(sample.analyzer)
    return shown


def test_a_new_analyser_takes_over_sound_by_sound_and_nothing_is_blank_meanwhile(
    tmp_path: Path, mongo_url: str, redis_url: str, chroma_url: str
) -> None:
    write_tones(tmp_path / "library", _FILES)
    with running(tmp_path, (mongo_url, redis_url, chroma_url), chunk_cost_s=0.05, lease_s=1) as rig:
        samples = rig.stores.samples
        rig.start("tasks.reconcile")
        index = rig.start("tasks.index")
        old_worker = rig.start("tasks.worker")
        rig.workers_up()
        assert rig.ended(rig.submit()).counts.done == _FILES
        old = samples.page(SampleFilter(), cursor=None, limit=1000).items
        old_worker.send_signal(signal.SIGTERM)
        old_worker.wait(60)
        rig.start("tasks.worker", PYTHONPATH=python_path(tmp_path / "newer"))
        job, _ = rig.stores.ledger.create_job(
            NewJob(owner="admin", priority=Priority.BULK, source=SamplesSource(NEWER, None))
        )
        rig.sender.scan(job.id)

        def some_are_new() -> bool:
            shown = listed(rig)
            assert len(shown) == _FILES, "a sound is shown no more"
            return sum(NEWER in analyzers for analyzers in shown.values()) >= 5

        rig.wait(some_are_new)
        ended = rig.ended(job)
        assert (ended.counts.submitted, ended.counts.failed) == (_FILES, 0)
        assert all(analyzers == {NEWER} for analyzers in listed(rig).values())
        assert len(listed(rig)) == _FILES
        before = samples.get(old[0].id)
        assert (before.analyzer, before.analysis["audio"]) == (ANALYZER_VERSION, old[0].analysis["audio"])
        after = samples.get(before.superseded_by or "")
        assert (after.analyzer, after.space, after.files) == (NEWER, SPACE, before.files)
        assert samples.get(after.id, owner="me").files == after.files  # his they stay, though an admin asked
        rig.wait(lambda: samples.outgoing(1) is None)
        rig.vectors.open(samples.generation())
        vector = samples.vectors([after.id])[after.id]
        found = rig.vectors.query(vector, limit=2 * _FILES, where={"space": {"$eq": SPACE}})
        assert {hit.id.split("-")[1] for hit in found} == {NEWER}
        assert index.poll() is None


def test_a_broker_without_room_delays_and_loses_nothing(tmp_path: Path, mongo_url: str, chroma_url: str) -> None:
    write_tones(tmp_path / "library", 120)
    with (
        serving(valkey_server(tmp_path / "broker")) as broker,
        running(tmp_path, (mongo_url, broker.url, chroma_url), chunk_cost_s=0.05, republish_idle_s=1) as rig,
        connect_redis(rig.settings.redis) as redis,
    ):
        rig.start("tasks.reconcile")
        worker = rig.start("tasks.worker")
        rig.workers_up()
        job = rig.submit()
        rig.wait(lambda: rig.stores.ledger.job(job.id).counts.done >= 10)
        redis.config_set("maxmemory", "1")
        with pytest.raises(StoreUnavailable):
            rig.sender.chunks(Priority.BULK, ["job:1"])
        rig.wait(lambda: "database_away" in rig.log("tasks.reconcile"))
        assert rig.stores.ledger.job(job.id).counts.failed == 0
        redis.config_set("maxmemory", "0")
        assert rig.ended(job).counts.done == 120
        assert worker.poll() is None
