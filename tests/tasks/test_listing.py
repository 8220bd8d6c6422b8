"""A bucket is walked as a folder is: what belongs to it, once, in order, from wherever the last walk stopped."""

from __future__ import annotations

from contextlib import closing

import pytest

from config.settings import QueueSettings
from stores import buckets
from stores.buckets import Bucket
from stores.memory import MemoryStores
from stores.records import FileRef, FolderSource, JobState, NewJob, Priority, Status
from tasks.chunk import Bench, Ended, work_on
from tasks.listing import listed
from tasks.pattern import compile_pattern
from tasks.scanning import Slice, scan_slice
from tests.s3 import filled, put, remove
from tests.tasks.twins import ByContent
from workers.errors import NotFound

pytestmark = pytest.mark.integration


def walk(bucket: Bucket, path: str = "", pattern: str = "**/*", after: FileRef | None = None) -> list[FileRef]:
    source = FolderSource("packs", path, pattern)
    with closing(listed("packs", bucket, source, compile_pattern(pattern), after)) as entries:
        return [entry for entry in entries if entry is not None]


def paths(files: list[FileRef]) -> list[str]:
    return [file.path for file in files]


@pytest.fixture(scope="module")
def packs(s3_url: str) -> Bucket:
    keys = ["kick.wav", "drums/", "drums/a.wav", "drums/b.WAV", "drums/deep/c.wav", "drums-old/d.wav", "a//b.wav"]
    keys += [".hidden/e.wav", "drums/.f.wav", "__MACOSX/g.wav", "drums/Thumbs.db", "new\x85line.wav", "z/notes.txt"]
    return filled(s3_url, {key: b"" if key.endswith("/") else b"x" for key in keys}, prefix="lib")


def test_what_belongs_to_the_library_is_given_by_the_bytes_of_its_key(packs: Bucket) -> None:
    found = walk(packs)
    belong = ["kick.wav", "drums/a.wav", "drums/b.WAV", "drums/deep/c.wav", "drums-old/d.wav", "a//b.wav"]
    belong += ["new\x85line.wav", "z/notes.txt"]
    assert [file.raw or file.path.encode() for file in found] == sorted(map(str.encode, belong))
    assert all(file.root == "packs" and file.size == 1 and file.mtime_ns and file.etag for file in found)


def test_a_pattern_and_a_folder_choose(packs: Bucket) -> None:
    assert paths(walk(packs, pattern="**/*.wav"))[-1] != "z/notes.txt"
    assert paths(walk(packs, pattern="drums/*.wav")) == ["drums/a.wav", "drums/b.WAV"]
    assert paths(walk(packs, "drums", "**/*.wav")) == ["drums/a.wav", "drums/b.WAV", "drums/deep/c.wav"]
    with pytest.raises(NotFound, match="no object of the bucket lies below it"):
        walk(packs, "drum")


def test_a_walk_goes_on_behind_any_file(packs: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buckets, "_PAGE", 2)
    whole = walk(packs)
    for n, file in enumerate(whole):
        assert walk(packs, after=file) == whole[n + 1 :]


def scan(stores: MemoryStores, bucket: Bucket, slice_s: float = 10) -> str:
    source = FolderSource("packs", "", rescan=True)
    job, _ = stores.ledger.create_job(NewJob(owner="me", priority=Priority.NORMAL, source=source))
    queue = QueueSettings(scan_slice_s=slice_s, chunk_files=3)
    ended = Slice.MORE
    while ended is Slice.MORE:
        ended = scan_slice(job.id, stores.ledger, stores.samples, {}, queue, buckets={"packs": bucket})
    assert ended is Slice.END
    return job.id


def finish(stores: MemoryStores, bucket: Bucket, job_id: str) -> dict[str, Status]:
    bench = Bench(stores.ledger, stores.samples, ByContent(), {}, {"packs": bucket}, bucket.settings)
    for chunk_id in stores.ledger.unfed(job_id, 99):
        claim = stores.ledger.claim_chunk(chunk_id, 30)
        assert claim is not None
        assert work_on(claim, bench) is Ended.DONE
    assert stores.ledger.finish_job(job_id) is JobState.COMPLETE
    rows = stores.ledger.files(job_id, status=None, cursor=None, limit=99).items
    return {row.file.path: row.row.status for row in rows}


def test_a_rescan_fetches_only_what_is_new_or_changed_whatever_the_clocks_say(
    s3_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Names that a disk and a store put in different orders: "-" is before "/", "a" before "a-b".
    names = ["a/x.wav", "a-b/x.wav", "a.wav", "b/same.wav", "b/then.wav"]
    bucket, stores = filled(s3_url, {name: name.encode() for name in names}), MemoryStores()
    assert set(finish(stores, bucket, scan(stores, bucket)).values()) == {Status.DONE}

    remove(s3_url, bucket.where.bucket, "a.wav")
    put(s3_url, bucket.where.bucket, {"b/then.wav": b"b/now!.wav", "c/new.wav": b"new"})
    fetched: list[str] = []
    real = Bucket.get

    def watched(self: Bucket, path: str, offset: int, etag: str | None) -> object:
        fetched.append(path)
        return real(self, path, offset, etag)

    monkeypatch.setattr(Bucket, "get", watched)
    again = finish(stores, bucket, scan(stores, bucket, slice_s=1e-9))
    assert sorted(fetched) == ["b/then.wav", "c/new.wav"]
    assert again == {
        **dict.fromkeys(["a/x.wav", "a-b/x.wav", "b/same.wav"], Status.REUSED),
        **dict.fromkeys(["b/then.wav", "c/new.wav"], Status.DONE),
    }
