from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stores.records import Claim, FileRef, Job, Reason, Row, Status
from tasks.chunk import Bench, Ended, work_on
from tasks.walk import SYMLINK_TO_FOLDER
from tests.tasks.twins import ByContent, Cluster, write
from workers.errors import StoreUnavailable


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


class Rig:
    """A folder, a cluster and a bench on them."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster, self.folder = cluster, folder
        self.analyze = ByContent()

    def bench(self, **changes: Any) -> Bench:
        said: dict[str, Any] = {
            "ledger": self.cluster.ledger,
            "samples": self.cluster.samples,
            "analyze": self.analyze,
            "roots": {"library": self.folder},
            "clock": self.cluster.clock,
        }
        return Bench(**{**said, **changes})

    def job(self, files: list[FileRef], owner: str = "me") -> Job:
        return self.cluster.job_of(files, owner=owner)

    def claim(self, job: Job) -> Claim:
        claim = self.cluster.ledger.claim_chunk(f"{job.id}:0", 30)
        assert claim is not None
        return claim

    def run(self, files: list[FileRef], **changes: Any) -> list[Row]:
        """The ends of a new job of these files."""
        job = self.job(files)
        assert work_on(self.claim(job), self.bench(**changes)) is Ended.DONE
        return self.rows(job)

    def rows(self, job: Job) -> list[Row]:
        return [row.row for row in self.cluster.ledger.files(job.id, status=None, cursor=None, limit=1000).items]


@pytest.fixture
def rig(cluster: Cluster, tmp_path: Path) -> Rig:
    return Rig(cluster, tmp_path)


def said(rows: list[Row]) -> list[str]:
    return [row.reason.code if row.reason else row.status.value for row in rows]


def mixed(folder: Path) -> list[FileRef]:
    return [
        write(folder, "kick.wav", b"kick"),
        write(folder, "bad.wav", b"!bad"),
        write(folder, "again.wav", b"kick"),
        write(folder, "snare.wav", b"snare"),
        write(folder, "readme.txt", b"!not"),
        write(folder, "lies.wav", b"!not"),
        write(folder, "bug.wav", b"!bug"),
        write(folder, "huge.wav", b"!mem"),
        write(folder, "nan.wav", b"!nan"),
        write(folder, "bad twice.wav", b"!bad"),
        FileRef("library", "vanished.wav", size=4),
        FileRef("library", "fifo.wav", reason=Reason("not_a_regular_file", "This is not a regular file.")),
        FileRef("library", "linked", reason=SYMLINK_TO_FOLDER),
        FileRef("library", "../escape.wav"),
        FileRef("elsewhere", "kick.wav"),
    ]


def test_every_file_ends_with_its_own_reason_and_no_neighbour_notices(rig: Rig) -> None:
    rows = rig.run(mixed(rig.folder))
    assert said(rows) == [
        "done",
        "decode_failed",
        "duplicate",
        "done",
        "not_audio",
        "not_audio",
        "analysis_failed",
        "out_of_memory",
        "analysis_failed",
        "decode_failed",
        "vanished",
        "not_a_regular_file",
        "symlink_to_folder",
        "outside_root",
        "outside_root",
    ]
    assert rows[4].status is Status.SKIPPED  # a text file never said it was audio
    assert rows[5].status is Status.FAILED
    assert rows[12].status is Status.SKIPPED
    assert all(row.reason and row.reason.message for row in rows if row.status is Status.FAILED)


def test_a_content_is_analysed_once_even_if_it_fails(rig: Rig) -> None:
    rig.run(mixed(rig.folder))
    assert Counter(rig.analyze.names)["bad.wav"] == 1
    assert "bad twice.wav" not in rig.analyze.names
    assert "again.wav" not in rig.analyze.names


def test_the_analysis_sees_the_name_without_its_folders(rig: Rig) -> None:
    rig.run([write(rig.folder, "120 bpm/kick 90.wav", b"kick")])
    assert rig.analyze.names == ["kick 90.wav"]


def test_a_content_of_an_earlier_job_is_reused(rig: Rig) -> None:
    files = [write(rig.folder, "kick.wav", b"kick"), write(rig.folder, "same.wav", b"kick")]
    first = rig.run(files[:1])
    second = rig.run(files)
    assert said(first) == ["done"]
    assert said(second) == ["reused", "reused"]
    assert second[0].sample_id == first[0].sample_id
    places = [file.path for file in rig.cluster.samples.get(second[0].sample_id or "").files]
    assert places == ["kick.wav", "same.wav"]


def test_places_belong_to_the_owner_of_the_job(rig: Rig) -> None:
    file = write(rig.folder, "kick.wav", b"kick")
    (row,) = rig.run([file])
    job = rig.job([file], owner="you")
    work_on(rig.claim(job), rig.bench())
    assert rig.cluster.samples.get(row.sample_id or "", owner="you").files == (file,)


class Crash(Exception):
    """The worker dies here."""


STEPS = ("renew_chunk", "known", "insert", "seen_at", "finish_chunk")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("after", [False, True])
def test_a_chunk_done_again_after_a_crash_at_any_step_ends_the_same(
    cluster: Cluster, tmp_path: Path, step: str, after: bool
) -> None:
    """Kill it before and after the effect of each step, do it again, and compare with a run without a crash."""
    files = mixed(tmp_path)
    undisturbed = Rig(Cluster(), tmp_path).run(files)
    rig = Rig(cluster, tmp_path)
    job = rig.job(files)
    bench = rig.bench()
    door: Any = cluster.ledger if hasattr(cluster.ledger, step) else cluster.samples
    with pytest.raises(Crash):
        work_on(rig.claim(job), rig.bench(**_crashing(door, step, after), lease_s=0.001))
    cluster.clock.advance(31)
    again = cluster.ledger.claim_chunk(f"{job.id}:0", 30)
    if again is not None:
        assert work_on(again, bench) is Ended.DONE
    assert (again is None) is (step == "finish_chunk" and after)
    ids = [row.sample_id for row in undisturbed]
    assert [row.sample_id for row in rig.rows(job)] == ids
    assert rig.rows(job) == undisturbed
    assert cluster.samples.count() == len({id_ for id_ in ids if id_})


def _crashing(door: Any, step: str, after: bool) -> dict[str, Any]:
    class Crashes:
        def __getattr__(self, name: str) -> Any:
            real = getattr(door, name)
            if name != step:
                return real

            def crash(*args: Any, **kwargs: Any) -> None:
                if after:
                    real(*args, **kwargs)
                raise Crash

            return crash

    return {"ledger" if hasattr(door, "claim_chunk") else "samples": Crashes()}


def test_two_workers_on_one_chunk_end_it_once(rig: Rig) -> None:
    job = rig.job(mixed(rig.folder))
    late = rig.claim(job)
    rig.cluster.clock.advance(31)
    assert work_on(rig.claim(job), rig.bench()) is Ended.DONE
    ended = rig.rows(job)
    assert work_on(late, rig.bench()) is Ended.LOST
    assert rig.rows(job) == ended


def test_what_was_analysed_is_kept_when_the_chunk_is_lost(rig: Rig) -> None:
    """Else a file that takes longer than the lease would be analysed for ever."""
    job = rig.job([write(rig.folder, "slow.wav", b"slow"), write(rig.folder, "next.wav", b"next")])
    claim = rig.claim(job)

    def slow(fd: int, name: str, alive: Any = None) -> Any:
        rig.cluster.clock.advance(31)
        rig.claim(job)
        return rig.analyze(fd, name)

    assert work_on(claim, rig.bench(analyze=slow)) is Ended.LOST
    assert rig.cluster.samples.count() == 1


def test_the_lease_is_renewed_while_files_are_worked_on(rig: Rig) -> None:
    job = rig.job([write(rig.folder, f"{n}.wav", b"%d" % n) for n in range(20)])

    def slow(fd: int, name: str, alive: Any = None) -> Any:
        rig.cluster.clock.advance(8)
        assert rig.cluster.ledger.claim_chunk(f"{job.id}:0", 30) is None
        return rig.analyze(fd, name)

    assert work_on(rig.claim(job), rig.bench(analyze=slow, budget_s=1000)) is Ended.DONE


@pytest.mark.parametrize(("far_s", "looks"), [(0.0, 30), (0.4, 8)])
def test_a_ledger_far_away_is_asked_less_often_whether_the_job_was_cancelled(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, far_s: float, looks: int
) -> None:
    job = rig.job([write(rig.folder, f"{n}.wav", b"%d" % n) for n in range(30)])
    asked: list[Claim] = []
    look = rig.cluster.ledger.look_at

    def far(claim: Claim) -> tuple[bool, bool]:
        asked.append(claim)
        rig.cluster.clock.advance(far_s)
        return look(claim)

    def second(fd: int, name: str, alive: Any = None) -> Any:
        rig.cluster.clock.advance(1)
        return rig.analyze(fd, name)

    monkeypatch.setattr(rig.cluster.ledger, "look_at", far)
    assert work_on(rig.claim(job), rig.bench(analyze=second, budget_s=1000)) is Ended.DONE
    assert looks / 2 < len(asked) <= looks


def test_a_long_file_is_given_a_longer_lease(rig: Rig) -> None:
    file = write(rig.folder, "long.wav", b"long")
    job = rig.job([FileRef(file.root, file.path, size=1 << 30)])

    def slow(fd: int, name: str, alive: Any = None) -> Any:
        rig.cluster.clock.advance(40)
        assert rig.cluster.ledger.claim_chunk(f"{job.id}:0", 30) is None
        return rig.analyze(fd, name)

    assert work_on(rig.claim(job), rig.bench(analyze=slow)) is Ended.DONE


def test_a_file_of_hours_holds_its_lease_while_it_gets_on(rig: Rig) -> None:
    job = rig.job([write(rig.folder, "hours.wav", b"hours")])

    def slow(fd: int, name: str, alive: Any) -> Any:
        for done_s in range(20):
            rig.cluster.clock.advance(11)
            alive(240.0 * done_s, 36_000.0)
            assert rig.cluster.ledger.claim_chunk(f"{job.id}:0", 30) is None
        return rig.analyze(fd, name)

    assert work_on(rig.claim(job), rig.bench(analyze=slow)) is Ended.DONE


def test_a_long_file_is_left_when_its_chunk_is_lost_and_when_the_ledger_is_away(rig: Rig) -> None:
    job = rig.job([write(rig.folder, "hours.wav", b"hours")])
    went_on: list[str] = []

    def lost(fd: int, name: str, alive: Any) -> Any:
        rig.cluster.clock.advance(31)
        rig.claim(job)
        alive(240.0, 36_000.0)
        went_on.append(name)
        return rig.analyze(fd, name)

    assert work_on(rig.claim(job), rig.bench(analyze=lost)) is Ended.LOST
    assert not went_on
    rig.cluster.clock.advance(31)

    def away(fd: int, name: str, alive: Any) -> Any:
        raise StoreUnavailable

    with pytest.raises(StoreUnavailable):
        work_on(rig.claim(job), rig.bench(analyze=away))


def test_a_chunk_that_takes_too_long_is_left_for_the_next_attempt_which_goes_on(rig: Rig) -> None:
    job = rig.job([write(rig.folder, f"{n}.wav", b"%d" % n) for n in range(10)])

    def slow(fd: int, name: str, alive: Any = None) -> Any:
        rig.cluster.clock.advance(25)
        return rig.analyze(fd, name)

    bench = rig.bench(analyze=slow, budget_s=100)
    assert work_on(rig.claim(job), bench) is Ended.TIRED
    assert rig.cluster.samples.count() == 5
    rig.cluster.clock.advance(0.01)
    assert rig.cluster.ledger.stale(job.id, published_s_ago=1e9, limit=9) == []  # it was never published
    assert work_on(rig.claim(job), bench) is Ended.DONE
    assert said(rig.rows(job)) == ["done"] * 10
    assert len(rig.analyze.names) == 10


def test_a_cancelled_job_skips_its_files(rig: Rig) -> None:
    job = rig.job(mixed(rig.folder))
    rig.cluster.ledger.request_cancel(job.id)
    assert work_on(rig.claim(job), rig.bench()) is Ended.DONE
    assert {row.reason.code for row in rig.rows(job) if row.reason} == {"cancelled"}
    assert rig.analyze.names == []


def test_a_job_cancelled_meanwhile_keeps_what_is_done_and_skips_the_rest(rig: Rig) -> None:
    job = rig.job([write(rig.folder, f"{n}.wav", b"%d" % n) for n in range(10)])

    def slow(fd: int, name: str, alive: Any = None) -> Any:
        rig.cluster.clock.advance(9)
        if name == "3.wav":
            rig.cluster.ledger.request_cancel(job.id)
        return rig.analyze(fd, name)

    assert work_on(rig.claim(job), rig.bench(analyze=slow, budget_s=1000)) is Ended.DONE
    ends = said(rig.rows(job))
    assert ends[:4] == ["done"] * 4
    assert ends[-1] == "cancelled"
    assert set(ends) == {"done", "cancelled"}


@pytest.mark.parametrize("when", ["hashed", "analysed"])
def test_a_file_that_changes_while_it_is_read_fails_and_its_twin_is_analysed(rig: Rig, when: str) -> None:
    first, twin = write(rig.folder, "a.wav", b"same"), write(rig.folder, "b.wav", b"same")

    def change() -> None:
        path = rig.folder / "a.wav"
        path.write_bytes(b"other!")
        os.utime(path, ns=(1, 1))

    class Changing:
        def __getattr__(self, name: str) -> Callable[..., Any]:
            if name == "known" and when == "hashed":
                change()
            found: Callable[..., Any] = getattr(rig.cluster.samples, name)
            return found

    def analyze(fd: int, name: str, alive: Any = None) -> Any:
        if name == "a.wav" and when == "analysed":
            change()
        return rig.analyze(fd, name)

    assert said(rig.run([first, twin], samples=Changing(), analyze=analyze)) == ["changed_while_reading", "done"]


def test_a_file_that_is_too_large_is_not_even_hashed(rig: Rig) -> None:
    assert said(rig.run([write(rig.folder, "big.wav", b"x" * 2000)], max_file_bytes=1000)) == ["too_large"]


def test_names_that_are_no_utf8_are_opened_by_their_bytes(rig: Rig) -> None:
    raw = b"caf\xe9.wav"
    with open(os.path.join(os.fsencode(rig.folder), raw), "wb") as file:
        file.write(b"kick")
    assert said(rig.run([FileRef("library", "caf\\xe9.wav", raw, 4)])) == ["done"]


def test_a_database_that_is_away_for_a_moment_is_waited_for(rig: Rig) -> None:
    failures = iter([True, False])

    class Away:
        def __getattr__(self, name: str) -> Any:
            if name == "known" and next(failures, False):
                raise StoreUnavailable
            return getattr(rig.cluster.samples, name)

    assert said(rig.run([write(rig.folder, "kick.wav", b"kick")], samples=Away())) == ["done"]
