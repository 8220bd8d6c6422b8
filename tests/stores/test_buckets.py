"""A root in an S3-compatible store, on a real server: what is listed, seen, heard, and refused."""

from __future__ import annotations

import pytest

from config.buckets import BucketUrl
from stores import buckets
from stores.buckets import Bucket, Thing
from tests.s3 import filled, put, remove, settings_of
from tests.servers import free_port
from workers.errors import BucketAway, BucketMissing, ChangedWhileReading, Vanished

pytestmark = pytest.mark.integration

ODD = ["a//b.wav", "../up.wav", "c/./d.wav", "é/ü#?&+ %41.wav", "/lead.wav", "plain.wav", "z/", "日本/太鼓.wav"]
"""Every one of them ends or breaks the listing of a library that takes keys for paths."""


def listed(bucket: Bucket, folder: str = "", after: str | None = None) -> list[Thing]:
    return [thing for page in bucket.pages(folder, after) if page is not None for thing in page]


def test_every_key_is_listed_once_in_the_order_of_its_bytes_whatever_is_in_it(s3_url: str) -> None:
    bucket = filled(s3_url, {path: path.encode() for path in ODD}, prefix="lib")
    found = listed(bucket)
    assert [thing.path for thing in found] == sorted(ODD, key=str.encode)
    assert {thing.path: thing.size for thing in found} == {path: len(path.encode()) for path in ODD}
    assert all(b"".join(bucket.stream(each, 0, each.size)) == each.path.encode() for each in found)


def test_a_listing_goes_on_behind_any_path_over_many_pages(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buckets, "_PAGE", 3)
    paths = [f"f/{n:02}" for n in range(10)]
    bucket = filled(s3_url, dict.fromkeys([*paths, "g/x", "f-old/x"], b"x"))
    assert [thing.path for thing in listed(bucket, "f")] == paths
    assert [thing.path for thing in listed(bucket, "f", "f/06")] == paths[7:]
    pages = [len(page) for page in bucket.pages("f", None) if page is not None]
    assert max(pages) == 3, "no more than a page is in memory"


def test_what_is_another_prefix_is_no_part_of_the_root(s3_url: str) -> None:
    bucket = filled(s3_url, {"a.wav": b"a"}, prefix="lib/one")
    put(s3_url, bucket.where.bucket, {"lib/one-more/b.wav": b"b", "lib/two/c.wav": b"c"})
    assert [thing.path for thing in listed(bucket)] == ["a.wav"]


def test_an_object_is_seen_with_what_another_content_would_change(s3_url: str) -> None:
    bucket = filled(s3_url, {"a.wav": b"one"})
    before = bucket.look("a.wav")
    assert before == listed(bucket)[0]
    put(s3_url, bucket.where.bucket, {"a.wav": b"two"})
    after = bucket.look("a.wav")
    assert (before.size, before.etag != after.etag) == (3, True)
    with pytest.raises(ChangedWhileReading):
        bucket.stream(before, 0, 3)


def test_a_range_is_streamed(s3_url: str) -> None:
    bucket = filled(s3_url, {"a": bytes(range(256)) * 4000})
    thing = bucket.look("a")
    assert b"".join(bucket.stream(thing, 700, 600_000)) == (bytes(range(256)) * 4000)[700:600_000]


def test_folders_are_what_stands_before_a_slash(s3_url: str) -> None:
    bucket = filled(s3_url, dict.fromkeys(["b/x", "a/x", "a/y/z", ".hidden/x", "top"], b"x"))
    assert bucket.folders("", 9) == (["a", "b"], False)
    assert bucket.folders("a", 9) == (["y"], False)
    assert bucket.folders("", 1) == (["a"], True)
    assert (bucket.is_folder("a"), bucket.is_folder("top"), bucket.is_folder("no")) == (True, False, False)


def test_what_is_not_there_is_said(s3_url: str) -> None:
    bucket = filled(s3_url, {"a": b"x"})
    remove(s3_url, bucket.where.bucket, "a")
    with pytest.raises(Vanished):
        bucket.look("a")
    nowhere = Bucket(BucketUrl.parse("s3://no-such-bucket"), settings_of(s3_url))
    with pytest.raises(BucketMissing):
        listed(nowhere)
    assert (bucket.available(), nowhere.available()) == (True, False)


def test_a_store_that_is_away_is_asked_again_and_then_said_to_be_away() -> None:
    bucket = Bucket(BucketUrl.parse("s3://packs"), settings_of(f"http://127.0.0.1:{free_port()}", tries=2))
    pages = bucket.pages("", None)
    assert next(pages) is None, "a moment to look at the clock before the second try"
    with pytest.raises(BucketAway):
        next(pages)
    assert not bucket.available()
