"""A file that ends the process that reads it: found after the first death, alone at the second, failed at the third."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from config.settings import QueueSettings
from stores.records import Claim, FileRef, Job, Row, Status
from tasks.chunk import Bench, Ended, work_on
from tasks.culprit import Marks, claim_chunk, verdict
from tasks.upkeep import Upkeep
from tests.tasks.twins import Cluster, analysis, write
from workers.errors import StoreUnavailable
from workers.model import Analysis


class Killed(BaseException):
    """Nothing of a process goes on behind this."""


class Rig(Cluster):
    """A cluster whose workers die of files that begin with ``!kill``."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.marks = Marks(self.pulse, self.clock)
        self.upkeep = Upkeep(self.ledger, self.sender, QueueSettings(lease_s=30, max_attempts=3), self.clock)
        self.analysed: Counter[str] = Counter()
        self.deaths = 0

    def files(self, *contents: bytes) -> list[FileRef]:
        return [write(self.folder, f"{n}.wav", content) for n, content in enumerate(contents)]

    def analyze(self, fd: int, name: str, alive: object = None) -> Analysis:
        self.analysed[name] += 1
        if os.pread(fd, 5, 0) == b"!kill":
            raise Killed
        return analysis(float(os.fstat(fd).st_size))

    def claim(self, chunk_id: str) -> Claim | None:
        return claim_chunk(chunk_id, self.ledger, self.marks, 30)

    def attempt(self, chunk_id: str, *, told: bool = True) -> Ended | None:
        """One worker's work on a chunk; ``None`` where it died of it. `told`: its parent lived to say so."""
        claim = self.claim(chunk_id)
        assert claim is not None
        self.marks.at(claim, -1)
        bench = Bench(self.ledger, self.samples, self.analyze, {"library": self.folder}, at=self.marks.at)
        try:
            return work_on(claim, bench)
        except Killed:
            self.deaths += 1
            if told:
                self.pulse.died(chunk_id, "ended by SIGABRT")
            return None

    def to_the_end(self, job: Job) -> list[Row]:
        while self.attempt(f"{job.id}:0") is None:
            assert self.deaths < 20
        return self.rows(job)

    def rows(self, job: Job) -> list[Row]:
        return [row.row for row in self.ledger.files(job.id, status=None, cursor=None, limit=100).items]


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def test_three_deaths_and_the_file_is_failed_with_what_killed_them(rig: Rig) -> None:
    job = rig.job_of(rig.files(b"kick", b"!kill", b"snare", b"hat"))
    rows = rig.to_the_end(job)
    assert [row.status for row in rows] == [Status.DONE, Status.FAILED, Status.DONE, Status.DONE]
    assert rows[1].reason is not None
    assert rows[1].reason.code == "killed_worker"
    assert rows[1].reason.message.endswith("ended by SIGABRT (3 times).")
    assert rig.deaths == 3
    assert rig.pulse.last_seen(f"{job.id}:0") is not None  # only who lives can leave


def test_neighbours_are_analysed_before_the_suspect_is_tried_again(rig: Rig) -> None:
    job = rig.job_of(rig.files(b"kick", b"!kill", b"snare", b"hat"))
    assert rig.attempt(f"{job.id}:0") is None
    assert rig.analysed == {"0.wav": 1, "1.wav": 1}
    assert rig.attempt(f"{job.id}:0") is None
    assert rig.samples.count() == 3  # safe already, whatever becomes of the rest
    rig.to_the_end(job)
    assert rig.analysed == {"0.wav": 2, "1.wav": 3, "2.wav": 1, "3.wav": 1}


def test_several_deadly_files_and_a_copy_of_one(rig: Rig) -> None:
    job = rig.job_of(rig.files(b"!kill 1", b"kick", b"!kill 2", b"!kill 1", b"snare"))
    rows = rig.to_the_end(job)
    assert [row.reason.code if row.reason else row.status.value for row in rows] == [
        *("killed_worker", "done", "killed_worker", "killed_worker", "done")
    ]
    assert rig.deaths == 6


def test_the_lease_of_the_dead_holds_nobody_up_and_that_of_the_living_does(rig: Rig) -> None:
    job = rig.job_of(rig.files(b"!kill", b"kick"))
    assert rig.attempt(f"{job.id}:0", told=False) is None
    assert rig.claim(f"{job.id}:0") is None
    rig.pulse.died(f"{job.id}:0", "ended by SIGKILL")
    claim = rig.claim(f"{job.id}:0")
    assert claim is not None
    assert [(death.n, death.of) for death in claim.deaths] == [(0, "ended by SIGKILL")]
    rig.marks.at(claim, -1)
    assert rig.claim(f"{job.id}:0") is None


def test_a_worker_that_vanishes_with_its_parent_is_blamed_when_its_lease_is_over(rig: Rig) -> None:
    job = rig.job_of(rig.files(b"kick", b"!kill"))
    rig.ledger.mark_fed(job.id, [f"{job.id}:0"])
    for _ in range(3):
        assert rig.attempt(f"{job.id}:0", told=False) is None
        rig.clock.advance(31)
        rig.upkeep.tend(job, rig.lengths())
        assert [chunk for _, chunk in rig.sender.take()] == [f"{job.id}:0"]
    assert rig.attempt(f"{job.id}:0") is Ended.DONE
    reason = rig.rows(job)[1].reason
    assert reason is not None
    assert "its worker vanished (3 times)" in reason.message


def test_a_single_file_is_failed_by_whoever_claims_it_next(rig: Rig) -> None:
    job = rig.job_of(rig.files(b"!kill"))
    (row,) = rig.to_the_end(job)
    assert row.reason is not None
    assert row.reason.code == "killed_worker"
    assert rig.deaths == 3


def test_without_redis_the_chunk_is_split_as_ever(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise StoreUnavailable("twin")

    for name in ("at_file", "last_seen", "died"):
        monkeypatch.setattr(rig.pulse, name, away)
    job = rig.job_of(rig.files(b"!kill", b"kick"))
    rig.ledger.mark_fed(job.id, [f"{job.id}:0"])
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            rig.attempt(f"{job.id}:0")
        rig.clock.advance(31)
        rig.upkeep.tend(job, rig.lengths())
    assert {chunk for _, chunk in rig.sender.take()} >= {f"{job.id}:0:1", f"{job.id}:0:2"}


def test_marks_do_not_wait_for_a_redis_that_is_away(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def away(chunk_id: str, attempt: int, n: int) -> None:
        asked.append(n)
        raise StoreUnavailable("twin")

    monkeypatch.setattr(rig.pulse, "at_file", away)
    job = rig.job_of(rig.files(b"kick"))
    claim = rig.claim(f"{job.id}:0")
    assert claim is not None
    with rig.marks.chunk(claim):
        for n in range(50):
            rig.marks.at(claim, n)
        rig.clock.advance(31)
        rig.marks.at(claim, 50)
    assert asked == [-1, 50]


def test_who_lives_leaves_whatever_happens(rig: Rig) -> None:
    job = rig.job_of(rig.files(b"kick"))
    claim = rig.claim(f"{job.id}:0")
    assert claim is not None

    def interrupted() -> None:
        with rig.marks.chunk(claim):
            rig.marks.at(claim, 0)
            raise StoreUnavailable("twin")

    with pytest.raises(StoreUnavailable):
        interrupted()
    assert rig.pulse.last_seen(f"{job.id}:0") is None


def test_what_killed_it_is_said_in_words() -> None:
    assert verdict(["ended by SIGSEGV", "", "ended by SIGSEGV"]).message.endswith(
        "ended by SIGSEGV (2 times), its worker vanished."
    )
