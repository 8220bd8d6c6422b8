"""A chunk of objects: each fetched and ended as a file is, and a store that is away is nobody's fault."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

import pytest

from config.buckets import BucketUrl
from stores.buckets import Bucket
from stores.memory import ManualClock, MemoryStores
from stores.records import FileRef, FileRow, NewJob, Priority, Status
from tasks import fetched
from tasks.chunk import Bench, Ended, work_on
from tests.faults.proxy import Proxy
from tests.s3 import Stingy, answering, filled, put, remove, settings_of
from tests.tasks.twins import ByContent

pytestmark = pytest.mark.integration


class Chunk:
    """A job of one chunk of a bucket's objects."""

    def __init__(self, bucket: Bucket, paths: Sequence[str]) -> None:
        self.clock = ManualClock()
        self.stores, self.bucket = MemoryStores(self.clock), bucket
        ledger = self.stores.ledger
        self.job, _ = ledger.create_job(NewJob(owner="me", priority=Priority.NORMAL, source=None))
        ledger.add_chunk(self.job.id, 0, 0, [FileRef("packs", path) for path in paths])
        ledger.accept_job(self.job.id)

    def work(self, bucket: Bucket | None = None) -> Ended:
        bucket = bucket or self.bucket
        claim = self.stores.ledger.claim_chunk(f"{self.job.id}:0", 30)
        assert claim is not None
        assert claim.attempt == 1, "an attempt that was given back does not count"
        bench = Bench(self.stores.ledger, self.stores.samples, ByContent(), {}, {"packs": bucket}, bucket.settings)
        return work_on(claim, bench)

    def rows(self) -> tuple[FileRow, ...]:
        return self.stores.ledger.files(self.job.id, status=None, cursor=None, limit=99).items


@pytest.fixture
def link(s3_url: str) -> Iterator[Proxy]:
    with Proxy(urlsplit(s3_url).port or 0) as link:
        yield link


@pytest.mark.parametrize("spool_mb", [512, 0])
def test_every_object_ends_with_its_reason_and_nothing_is_left_open(s3_url: str, spool_mb: int) -> None:
    names = [f"{n}.wav" for n in range(20)]
    bucket = filled(s3_url, {name: name.encode() for name in names}, spool_mb=spool_mb, ahead=4)
    remove(s3_url, bucket.where.bucket, "7.wav")
    chunk = Chunk(bucket, [*names, "0.wav"])
    before = set(os.listdir("/proc/self/fd"))
    assert chunk.work() is Ended.DONE
    ends = {row.index: row.row for row in chunk.rows()}
    assert ends[7].reason is not None
    assert (ends[7].status, ends[7].reason.code) == (Status.FAILED, "vanished")
    assert ends[20].status is Status.DUPLICATE
    assert {row.status for n, row in ends.items() if n not in (7, 20)} == {Status.DONE}
    left = [os.readlink(f"/proc/self/fd/{fd}") for fd in set(os.listdir("/proc/self/fd")) - before]
    assert not [name for name in left if "deleted" in name]


def test_one_that_changed_between_being_hashed_and_analysed_is_said_to_have(
    s3_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = filled(s3_url, {"a.wav": b"one"}, spool_mb=0)
    chunk, real = Chunk(bucket, ["a.wav"]), fetched.Fetches.opened_again

    def later(self: fetched.Fetches, *asked: object) -> object:
        put(s3_url, bucket.where.bucket, {"a.wav": b"two"})
        return real(self, *asked)  # type: ignore[arg-type]

    monkeypatch.setattr(fetched.Fetches, "opened_again", later)
    assert chunk.work() is Ended.DONE
    (row,) = chunk.rows()
    assert row.row.reason is not None
    assert row.row.reason.code == "changed_while_reading"


def test_a_store_that_is_away_costs_neither_a_file_nor_an_attempt(s3_url: str, link: Proxy) -> None:
    bucket = filled(s3_url, {"a.wav": b"one", "b.wav": b"two"}, later_s=5)
    far = Bucket(bucket.where, settings_of(f"http://127.0.0.1:{link.port}", tries=2, later_s=5))
    chunk = Chunk(bucket, ["a.wav", "b.wav"])
    for _ in range(4):  # more than the attempts that would set a file aside
        link.reset()
        assert chunk.work(far) is Ended.RETURNED
        assert chunk.stores.ledger.claim_chunk(f"{chunk.job.id}:0", 30) is None, "nobody asks again at once"
        chunk.clock.advance(6)
    link.heal()
    assert chunk.work(far) is Ended.DONE
    assert {row.row.status for row in chunk.rows()} == {Status.DONE}


def test_one_that_an_answering_store_never_gives_out_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    stingy = Stingy(b"sound" * 1000, 0)
    monkeypatch.setattr(Bucket, "available", lambda self: True)
    with answering(stingy) as url:
        bucket = Bucket(BucketUrl.parse("s3://packs"), settings_of(url, tries=1))
        chunk = Chunk(bucket, ["a.wav"])
        assert chunk.work() is Ended.DONE
    (row,) = chunk.rows()
    assert row.row.reason is not None
    assert row.row.reason.code == "not_delivered"
    assert len(stingy.asked) == 3
