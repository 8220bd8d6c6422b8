"""A process may die between any two writes: what it left half done is finished by the next."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.collection import Collection

from config.settings import MongoSettings
from stores.documents import new_chunk
from stores.identity import ChunkId
from stores.mongo import MongoStores
from stores.records import Counts, Death, Job, JobState
from tests.stores.conftest import LEASE, LONG
from tests.stores.making import claim, done, files, finish, new_job, submit
from workers.errors import NotFound

pytestmark = pytest.mark.integration


@pytest.fixture
def database(mongo_settings: MongoSettings) -> Iterator[Any]:
    with MongoClient[dict[str, Any]](mongo_settings.url.get_secret_value()) as client:
        yield client[mongo_settings.database]


def begun_scan(mongo: MongoStores) -> Job:
    """A job with one chunk, whose scanner is about to lose its lease."""
    job = mongo.ledger.create_job(new_job())[0]
    assert mongo.ledger.claim_scan(job.id, 0.01) is not None
    assert mongo.ledger.add_chunk(job.id, 0, 0, files(2))
    return job


def test_a_chunk_whose_scanner_died_before_counting_it_is_counted_by_the_next(
    mongo: MongoStores, database: Any
) -> None:
    job = begun_scan(mongo)
    for n in (1, 2):
        database.chunks.insert_one(new_chunk(ChunkId(job.id, n), 2 * n, files(2, 2 * n)))
    assert mongo.ledger.job(job.id).counts.submitted == 2
    time.sleep(0.05)
    scan = mongo.ledger.claim_scan(job.id, LONG)
    assert scan is not None
    assert (scan.next_chunk, scan.next_file, scan.after) == (3, 6, files(1, 5)[0])
    assert mongo.ledger.job(job.id).counts.submitted == 6


def test_a_chunk_whose_scanner_died_before_counting_it_goes_with_a_cancelled_job(
    mongo: MongoStores, database: Any
) -> None:
    job = begun_scan(mongo)
    database.chunks.insert_one(new_chunk(ChunkId(job.id, 1), 2, files(2, 2)))
    time.sleep(0.05)
    mongo.ledger.request_cancel(job.id)
    assert mongo.ledger.sweep_cancelled(job.id, 9) == 1
    assert mongo.ledger.finish_job(job.id) is JobState.CANCELLED
    assert {row["_id"]: row["state"] for row in database.chunks.find({"job": job.id})} == {f"{job.id}:0": "done"}


def test_a_chunk_found_there_is_counted_by_who_comes_second(mongo: MongoStores, database: Any) -> None:
    job = mongo.ledger.create_job(new_job())[0]
    database.chunks.insert_one(new_chunk(ChunkId(job.id, 0), 0, files(2)))
    assert not mongo.ledger.add_chunk(job.id, 0, 0, files(3))
    assert mongo.ledger.job(job.id).counts.submitted == 2


def test_a_chunk_counted_by_another_scanner_before_the_scan_ended_stays(mongo: MongoStores) -> None:
    """The slow one's own count comes too late, but the chunk is in the job: it must not be taken out again."""
    job = mongo.ledger.create_job(new_job())[0]
    count = mongo.ledger._count_as

    def slowly(job_id: str, n: int, submitted: int) -> bool:
        mongo.ledger._count_as = count  # type: ignore[method-assign]
        scan = mongo.ledger.claim_scan(job_id, LONG)
        assert scan is not None
        assert scan.next_chunk == 1
        assert mongo.ledger.finish_scan(job_id, scan.token)
        return count(job_id, n, submitted)

    mongo.ledger._count_as = slowly  # type: ignore[method-assign]
    assert mongo.ledger.add_chunk(job.id, 0, 0, files(2))
    assert mongo.ledger.job(job.id).counts.submitted == 2
    finish(mongo.ledger, job, 0)
    assert mongo.ledger.finish_job(job.id) is JobState.COMPLETE


def test_a_split_cut_short_before_its_parts_is_found_and_finished(mongo: MongoStores, database: Any) -> None:
    job = submit(mongo.ledger, [3])
    database.chunks.update_one({"_id": f"{job.id}:0"}, {"$set": {"state": "splitting", "attempt": 3}})
    assert mongo.ledger.claim_chunk(f"{job.id}:0", LONG) is None
    assert mongo.ledger.stale(job.id, published_s_ago=LONG, limit=9) == [(f"{job.id}:0", 3, 3)]
    parts = mongo.ledger.split_chunk(f"{job.id}:0")
    assert len(parts) == 3
    for part in parts:
        held = mongo.ledger.claim_chunk(part, LONG)
        assert held is not None
        assert mongo.ledger.finish_chunk(held, done(1))
    assert mongo.ledger.finish_job(job.id) is JobState.COMPLETE


def test_a_split_cut_short_between_its_parts_keeps_what_was_done_of_them(mongo: MongoStores, database: Any) -> None:
    job = submit(mongo.ledger, [3])
    parts = mongo.ledger.split_chunk(f"{job.id}:0")
    assert mongo.ledger.finish_chunk(claim(mongo.ledger, job, 0, part=1), done(1))
    held = claim(mongo.ledger, job, 0, part=2)
    database.chunks.delete_one({"_id": parts[2]})
    database.chunks.update_one({"_id": f"{job.id}:0"}, {"$set": {"state": "splitting"}})
    assert mongo.ledger.job(job.id).counts == Counts(submitted=3, pending=2, done=1)
    assert mongo.ledger.split_chunk(f"{job.id}:0") == parts
    assert mongo.ledger.finish_chunk(held, done(1))
    assert mongo.ledger.fold(job.id) == Counts(submitted=3, pending=1, done=2)
    assert mongo.ledger.finish_chunk(claim(mongo.ledger, job, 0, part=3), done(1))
    assert mongo.ledger.finish_job(job.id) is JobState.COMPLETE


def test_a_split_cut_short_in_a_cancelled_job_is_swept(mongo: MongoStores, database: Any) -> None:
    job = submit(mongo.ledger, [3, 1])
    database.chunks.update_one({"_id": f"{job.id}:0"}, {"$set": {"state": "splitting"}})
    mongo.ledger.request_cancel(job.id)
    assert mongo.ledger.sweep_cancelled(job.id, 9) == 4
    assert mongo.ledger.finish_job(job.id) is JobState.CANCELLED
    assert mongo.ledger.job(job.id).counts == Counts(submitted=4, skipped=4)


def test_a_drop_cut_short_is_finished_and_nobody_sees_the_job_meanwhile(mongo: MongoStores, database: Any) -> None:
    job = mongo.ledger.create_job(new_job(source=False))[0]
    mongo.ledger.add_chunk(job.id, 0, 0, files(2))
    database.jobs.update_one({"_id": job.id}, {"$set": {"state": "dropped"}})
    with pytest.raises(NotFound):
        mongo.ledger.job(job.id)
    assert mongo.ledger.active_jobs() == []
    assert mongo.ledger.claim_chunk(f"{job.id}:0", LONG) is None
    with pytest.raises(NotFound):
        mongo.ledger.add_chunk(job.id, 1, 2, files(2, 2))
    assert mongo.ledger.drop_abandoned() == 1
    assert database.jobs.count_documents({}) == database.chunks.count_documents({}) == 0


def test_a_fold_that_another_was_quicker_with_is_not_counted_twice(mongo: MongoStores, database: Any) -> None:
    job = submit(mongo.ledger, [2, 2, 2])
    for n in range(3):
        finish(mongo.ledger, job, n)
    stale_view = database.jobs.find_one({"_id": job.id})
    assert mongo.ledger.fold(job.id) == Counts(submitted=6, done=6)
    done_since = mongo.ledger._done_since(mongo.ledger._chunks, job.id, stale_view["folded"]["n"])
    assert len(done_since) == 3
    assert mongo.ledger.fold(job.id) == mongo.ledger.job(job.id).counts == Counts(submitted=6, done=6)
    assert database.jobs.find_one({"_id": job.id})["folded"] == {"n": 3, "counts": {"done": 6}}


def test_a_cancel_that_comes_while_a_job_ends_is_not_lost(mongo: MongoStores) -> None:
    job = submit(mongo.ledger, [1])
    finish(mongo.ledger, job, 0)
    counts = mongo.ledger._counts

    def slowly(*args: Any) -> Counts:
        mongo.ledger._counts = counts  # type: ignore[method-assign]
        mongo.ledger.request_cancel(job.id)
        return counts(*args)

    mongo.ledger._counts = slowly  # type: ignore[method-assign]
    assert mongo.ledger.finish_job(job.id) is None
    assert mongo.ledger.finish_job(job.id) is JobState.CANCELLED


def test_a_write_sent_again_because_its_answer_was_lost_still_succeeds(
    mongo: MongoStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver repeats a write on a lost connection; a server killed in between does not know that it did it."""
    for name in ("insert_one", "update_one"):
        once = getattr(Collection, name)

        def twice(self: Any, *args: Any, once: Any = once, **options: Any) -> Any:
            once(self, *args, **options)
            return once(self, *args, **options)

        monkeypatch.setattr(Collection, name, twice)
    key, secret = mongo.keys.create(name="a", owner="a", scopes=[], ttl_s=None)
    assert mongo.keys.check(secret) == key
    asked = new_job(source=False, idempotency_key="k", fingerprint="f")
    job, new = mongo.ledger.create_job(asked)
    assert new
    assert mongo.ledger.add_chunk(job.id, 0, 0, files(2))
    assert not mongo.ledger.add_chunk(job.id, 0, 0, files(2))
    mongo.ledger.accept_job(job.id)
    held = claim(mongo.ledger, job, 0)
    assert held.attempt == 1
    assert mongo.ledger.finish_chunk(held, done(2))
    assert mongo.ledger.hold("index", "me", LONG)
    assert mongo.ledger.job(job.id).counts == Counts(submitted=2, done=2)


def test_a_death_noted_while_the_chunk_is_claimed_again_is_not_missed(
    mongo: MongoStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read before the claim must be what is claimed: here its holder of before is late with its word."""
    job = submit(mongo.ledger, [2])
    late = claim(mongo.ledger, job, 0, lease_s=0.001)
    time.sleep(0.05)
    take = mongo.ledger._take

    def slowly(*given: Any) -> bool:
        monkeypatch.undo()
        mongo.ledger.note_death(late, 0, Death(1, "ended by SIGSEGV"))
        return take(*given)

    monkeypatch.setattr(mongo.ledger, "_take", slowly)
    held = claim(mongo.ledger, job, 0)
    assert (held.attempt, held.deaths) == (2, (Death(1, "ended by SIGSEGV"),))


def test_a_chunk_claimed_by_another_in_between_is_not_held_twice(
    mongo: MongoStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submit(mongo.ledger, [2])
    take, won = mongo.ledger._take, []

    def slowly(*given: Any) -> bool:
        monkeypatch.undo()
        won.append(claim(mongo.ledger, job, 0))
        return take(*given)

    monkeypatch.setattr(mongo.ledger, "_take", slowly)
    assert mongo.ledger.claim_chunk(f"{job.id}:0", LONG) is None
    assert mongo.ledger.finish_chunk(won[0], done(2))


def test_a_lease_is_kept_by_the_servers_clock(mongo: MongoStores, monkeypatch: pytest.MonkeyPatch) -> None:
    job = submit(mongo.ledger, [1])
    for shift in (-7200.0, 7200.0):
        monkeypatch.setattr("time.time", lambda shift=shift: 1_700_000_000.0 + shift)
    held = claim(mongo.ledger, job, 0, lease_s=LONG)
    assert mongo.ledger.claim_chunk(held.chunk_id, LEASE) is None
    assert mongo.ledger.stale(job.id, published_s_ago=LONG, limit=9) == []
