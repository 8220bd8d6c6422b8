from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stores.records import FileRef, Row, Status
from tasks.chunk import Bench, Ended, work_on
from tasks.settled import runs_of
from tests.tasks.twins import ByContent, Cluster, refs, write
from workers.model import sample_id


def ids_of(count: int) -> dict[int, str]:
    return {n: sample_id(f"{n * 7919 % 256:02x}{n:062x}") for n in range(count)}


def test_every_file_with_an_id_is_in_one_run_in_order() -> None:
    ids = {n: each for n, each in ids_of(300).items() if n % 5}
    runs = runs_of(refs(300), ids, "me")
    assert [n for run in runs for n in run.places] == sorted(ids)
    assert 3 < len(runs) < 40


def test_one_new_file_changes_only_the_run_it_is_in() -> None:
    files, ids = refs(300), list(ids_of(300).values())
    before = {run.digest for run in runs_of(files, dict(enumerate(ids)), "me")}
    files.insert(100, FileRef("library", "new.wav"))
    ids.insert(100, sample_id("ff" * 32))
    after = {run.digest for run in runs_of(files, dict(enumerate(ids)), "me")}
    assert len(after - before) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda files, ids: runs_of(files, ids, "you"),
        lambda files, ids: runs_of([replace(files[0], path="other.wav"), *files[1:]], ids, "me"),
        lambda files, ids: runs_of([replace(files[0], root="other"), *files[1:]], ids, "me"),
        lambda files, ids: runs_of([replace(files[0], raw=b"00000.wav"), *files[1:]], ids, "me"),
        lambda files, ids: runs_of(files, {**ids, 0: sample_id("ff" * 32)}, "me"),
        lambda files, ids: runs_of([files[1], files[0], *files[2:]], ids, "me"),
    ],
)
def test_another_owner_place_content_or_order_is_another_run(change: Any) -> None:
    files, ids = refs(3), {n: sample_id(f"fe{n:062x}") for n in range(3)}
    (known,) = runs_of(files, ids, "me")
    assert known.digest not in {run.digest for run in change(files, ids)}


class Counting:
    """Samples that count what they are asked."""

    def __init__(self, samples: Any) -> None:
        self.samples = samples
        self.asked: list[tuple[str, int]] = []

    def __getattr__(self, name: str) -> Any:
        real = getattr(self.samples, name)

        def count(*args: Any, **kwargs: Any) -> Any:
            self.asked.append((name, len(args[0])))
            return real(*args, **kwargs)

        return count


class Rig:
    def __init__(self, folder: Path) -> None:
        self.cluster, self.folder, self.analyze = Cluster(), folder, ByContent()
        self.samples = Counting(self.cluster.samples)

    def run(self, files: Sequence[FileRef], owner: str = "me", chunks: int = 1, **changes: Any) -> list[Row]:
        size = -(-len(files) // chunks)
        job = self.cluster.job_of(*(files[n : n + size] for n in range(0, len(files), size)), owner=owner)
        for n in range(chunks):
            self.work(f"{job.id}:{n}", **changes)
        return [row.row for row in self.cluster.ledger.files(job.id, status=None, cursor=None, limit=1000).items]

    def work(self, chunk_id: str, **changes: Any) -> None:
        claim = self.cluster.ledger.claim_chunk(chunk_id, 30)
        assert claim is not None
        bench = {"ledger": self.cluster.ledger, "samples": self.samples, "clock": self.cluster.clock, **changes}
        assert work_on(claim, Bench(analyze=self.analyze, roots={"library": self.folder}, **bench)) is Ended.DONE

    def asked(self) -> set[str]:
        asked, self.samples.asked = {name for name, _ in self.samples.asked}, []
        return asked


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def good(folder: Path, count: int) -> list[FileRef]:
    return [write(folder, f"{n}.wav", b"%d" % (n % (count - 1))) for n in range(count)]


def test_a_job_again_looks_no_sample_up(rig: Rig) -> None:
    files = good(rig.folder, 50)
    first = rig.run(files)
    assert {"known", "insert", "seen_at", "settle"} <= rig.asked()
    again = rig.run(files)
    assert rig.asked() == {"settled"}
    assert [row.status for row in again] == [Status.REUSED] * 50
    assert [row.sample_id for row in again] == [row.sample_id for row in first]


def test_another_owner_gets_places_of_their_own(rig: Rig) -> None:
    files = good(rig.folder, 5)
    rig.run(files)
    rig.run(files)
    (row, *_) = rig.run(files, owner="you")
    assert rig.cluster.samples.get(row.sample_id or "", owner="you").files


def test_a_run_with_a_file_that_fails_is_looked_at_again(rig: Rig) -> None:
    files = [*good(rig.folder, 5), write(rig.folder, "bad.wav", b"!bad")]
    rig.run(files)
    (rig.folder / "bad.wav").write_bytes(b"mended")
    assert [row.status for row in rig.run(files)] == [Status.REUSED] * 5 + [Status.DONE]


def test_the_same_files_twice_in_one_job_are_duplicates_and_not_reused(rig: Rig) -> None:
    files = good(rig.folder, 5)
    rows = rig.run([*files, *files], chunks=2)
    assert [row.status for row in rows] == [Status.DONE] * 4 + [Status.DUPLICATE] * 6
    assert [row.status for row in rig.run([*files, *files], chunks=2)] == [Status.REUSED] * 10


def test_samples_of_two_jobs_are_reused_by_a_third_only(rig: Rig) -> None:
    files = good(rig.folder, 6)
    rig.run(files[:3])
    assert [row.status for row in rig.run(files)] == [Status.REUSED] * 3 + [Status.DONE] * 2 + [Status.REUSED]
    assert {row.status for row in rig.run(files)} == {Status.REUSED}


class Crash(Exception):
    """The worker dies here."""


@pytest.mark.parametrize("step", ["settled", "settle"])
@pytest.mark.parametrize("after", [False, True])
def test_a_crash_around_it_changes_no_end(rig: Rig, step: str, after: bool) -> None:
    files = good(rig.folder, 8)
    job = rig.cluster.job_of(files)

    class Crashes:
        def __getattr__(self, name: str) -> Any:
            def crash(*args: Any, **kwargs: Any) -> Any:
                if name == step:
                    if after:
                        getattr(rig.cluster.samples, name)(*args, **kwargs)
                    raise Crash
                return getattr(rig.cluster.samples, name)(*args, **kwargs)

            return crash

    with pytest.raises(Crash):
        rig.work(f"{job.id}:0", samples=Crashes())
    rig.cluster.clock.advance(31)
    rig.work(f"{job.id}:0")
    rows = [row.row for row in rig.cluster.ledger.files(job.id, status=None, cursor=None, limit=1000).items]
    assert [row.status for row in rows] == [Status.DONE] * 7 + [Status.DUPLICATE]
