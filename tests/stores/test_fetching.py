"""An object comes whole and as it was, or it is said why not: through a link that breaks, slows and is cut."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from config.buckets import BucketUrl
from stores.buckets import Bucket
from stores.fetching import fetch
from tests.faults.proxy import Proxy
from tests.s3 import Stingy, answering, filled, put, settings_of
from workers.errors import BucketAway, ChangedWhileReading, FetchTimedOut, NoRoom, TooLarge, Vanished

pytestmark = pytest.mark.integration

SOUND = random.Random(4).randbytes(900_000)
MOST = 1 << 20
PACKS = BucketUrl.parse("s3://packs")


@pytest.fixture
def fd(tmp_path: Path) -> Iterator[int]:
    fd = os.open(tmp_path / "fetched", os.O_RDWR | os.O_CREAT)
    yield fd
    os.close(fd)


@pytest.fixture
def link(s3_url: str) -> Iterator[Proxy]:
    with Proxy(urlsplit(s3_url).port or 0) as link:
        yield link


def through(link: Proxy, bucket: Bucket, **more: object) -> Bucket:
    return Bucket(bucket.where, settings_of(f"http://127.0.0.1:{link.port}", **more))


def test_an_object_comes_whole_and_each_byte_is_told_once(s3_url: str, fd: int) -> None:
    bucket, told = filled(s3_url, {"a": SOUND}), []
    thing = fetch(bucket, "a", fd, MOST, alive=told.append)
    assert (os.pread(fd, MOST, 0), b"".join(told), thing.size) == (SOUND, SOUND, len(SOUND))
    assert thing == bucket.look("a")


def test_a_connection_that_breaks_off_goes_on_where_it_was(fd: int) -> None:
    stingy, told = Stingy(SOUND, 400_000), []
    with answering(stingy) as url:
        thing = fetch(Bucket(PACKS, settings_of(url)), "a", fd, MOST, alive=told.append)
    assert (os.pread(fd, MOST, 0), b"".join(told), thing.size) == (SOUND, SOUND, len(SOUND))
    assert stingy.asked == [None, "bytes=400000-", "bytes=800000-"]


def test_one_that_changes_between_two_parts_is_not_mixed(fd: int) -> None:
    stingy = Stingy(SOUND, 400_000)

    def came(piece: bytes) -> None:
        stingy.content = SOUND[::-1]

    with answering(stingy) as url, pytest.raises(ChangedWhileReading):
        fetch(Bucket(PACKS, settings_of(url)), "a", fd, MOST, alive=came)


def test_a_store_that_sends_nothing_time_and_again_is_away(fd: int) -> None:
    stingy = Stingy(SOUND, 0)
    with answering(stingy) as url, pytest.raises(BucketAway):
        fetch(Bucket(PACKS, settings_of(url, tries=2)), "a", fd, MOST)
    assert stingy.asked == [None, None]


def test_a_store_that_goes_away_for_good_is_away_and_the_file_is_not_to_blame(
    s3_url: str, link: Proxy, fd: int
) -> None:
    bucket = through(link, filled(s3_url, {"a": SOUND}), tries=2)
    link.reset()
    with pytest.raises(BucketAway):
        fetch(bucket, "a", fd, MOST)


def test_no_byte_of_one_that_is_too_large_is_kept(s3_url: str, fd: int) -> None:
    with pytest.raises(TooLarge, match="It has 1 MB"):
        fetch(filled(s3_url, {"a": SOUND}), "a", fd, 1000)
    assert os.fstat(fd).st_size == 0


def test_one_that_takes_too_long_is_given_up(s3_url: str, link: Proxy, fd: int) -> None:
    bucket = through(link, filled(s3_url, {"a": SOUND}), deadline_s=0.4)
    link.slow(500_000)
    with pytest.raises(FetchTimedOut):
        fetch(bucket, "a", fd, MOST)


def test_a_full_disk_is_not_the_files_fault(s3_url: str) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        with pytest.raises(NoRoom):
            fetch(filled(s3_url, {"a": SOUND}), "a", full, MOST)
    finally:
        os.close(full)


def test_one_that_is_gone_or_another_one_by_now_is_said_to_be(s3_url: str, fd: int) -> None:
    bucket = filled(s3_url, {"a": SOUND})
    etag = bucket.look("a").etag
    put(s3_url, bucket.where.bucket, {"a": b"other"})
    with pytest.raises(ChangedWhileReading):
        fetch(bucket, "a", fd, MOST, etag=etag)
    with pytest.raises(Vanished):
        fetch(bucket, "b", fd, MOST)
