"""A folder again: only what is new or changed is read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from config.settings import QueueSettings
from stores.records import FileRow, FolderSource, Job, JobState, Status
from tasks.chunk import Bench, Ended, work_on
from tasks.scanning import Slice, scan_slice
from tests.tasks.twins import ByContent, Cluster
from workers.model import sample_id

QUEUE = QueueSettings(chunk_files=10)
OLD_S = 1_600_000_000
"""Long before the cluster's clock."""


class Studio:
    """A library, and a cluster that analyses it."""

    def __init__(self, root: Path) -> None:
        self.root, self.cluster, self.analyze = root, Cluster(), ByContent()

    def write(self, name: str, content: bytes, at_s: float = OLD_S) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (at_s, at_s))

    def job(self, *, rescan: bool = True, owner: str = "me", path: str = "") -> Job:
        """Submit the library and work on it to its end."""
        cluster, ledger = self.cluster, self.cluster.ledger
        cluster.clock.advance(60)
        self.analyze.names.clear()
        job = cluster.job(source=FolderSource("library", path, rescan=rescan), owner=owner)
        roots = {"library": self.root}
        ended = Slice.MORE
        while ended is Slice.MORE:
            ended = scan_slice(job.id, ledger, cluster.samples, roots, QUEUE, clock=cluster.clock)
        bench = Bench(ledger, cluster.samples, self.analyze, roots, clock=cluster.clock)
        for chunk_id in ledger.unfed(job.id, 1000):
            claim = ledger.claim_chunk(chunk_id, 30)
            assert claim is not None
            assert work_on(claim, bench) is Ended.DONE
        assert ledger.finish_job(job.id) is JobState.COMPLETE
        return ledger.job(job.id)

    def rows(self, job: Job) -> dict[str, FileRow]:
        rows = self.cluster.ledger.files(job.id, status=None, cursor=None, limit=1000).items
        return {row.file.path: row for row in rows}


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    studio = Studio(tmp_path)
    for n in range(95):
        studio.write(f"pack {n % 7}/{n}.wav", b"sound %d" % n)
    return studio


def unread(studio: Studio, job: Job) -> set[str]:
    """Files of which the scan itself knew what is in them."""
    return {path for path, row in studio.rows(job).items() if row.file.known}


def test_nothing_is_read_where_nothing_changed(studio: Studio) -> None:
    first = studio.job()
    assert (first.counts.done, unread(studio, first)) == (95, set())
    again = studio.job()
    assert again.counts.reused == again.counts.submitted == 95
    assert len(unread(studio, again)) == 95
    assert {path: row.row.sample_id for path, row in studio.rows(again).items()} == {
        path: row.row.sample_id for path, row in studio.rows(first).items()
    }
    assert studio.cluster.ledger.stale(again.id, published_s_ago=0, limit=9) == []
    # ... nor the third time, when the last job read nothing itself.
    assert len(unread(studio, studio.job())) == 95


def test_only_what_is_new_or_changed_is_read(studio: Studio) -> None:
    studio.job()
    studio.write("pack 3/3.wav", b"changed!", OLD_S + 5)
    studio.write("pack 3/a new one.wav", b"new")
    studio.write("aaa first.wav", b"first")
    studio.write("zzz last.wav", b"last")
    (studio.root / "pack 5/5.wav").unlink()
    job = studio.job()
    assert studio.analyze.names == ["aaa first.wav", "3.wav", "a new one.wav", "zzz last.wav"]
    assert (job.counts.done, job.counts.reused, job.counts.submitted) == (4, 93, 97)
    assert len(unread(studio, job)) == 93
    assert "pack 5/5.wav" not in studio.rows(job)


def test_a_job_that_is_no_rescan_reads_everything(studio: Studio) -> None:
    studio.job()
    job = studio.job(rescan=False)
    assert (job.counts.reused, unread(studio, job)) == (95, set())


def test_a_file_that_changed_around_the_time_of_the_last_look_is_read_again(studio: Studio) -> None:
    now = studio.cluster.clock.now + 60
    studio.write("fresh.wav", b"before", now - 1.5)
    studio.job()
    studio.write("fresh.wav", b"AFTER!", now - 1.5)  # the same size and time
    job = studio.job()
    assert studio.rows(job)["fresh.wav"].row.status is Status.DONE
    assert "fresh.wav" not in unread(studio, job)
    # By now it has long been as it is.
    assert "fresh.wav" in unread(studio, studio.job())


def test_what_did_not_end_well_is_tried_again(studio: Studio) -> None:
    studio.write("broken.wav", b"!bad")
    studio.write("readme.txt", b"!not")
    studio.job()
    job = studio.job()
    assert studio.analyze.names == ["broken.wav", "readme.txt"]
    assert (job.counts.failed, job.counts.skipped) == (1, 1)


@pytest.mark.parametrize("other", [{"owner": "you"}, {"path": "pack 3"}])
def test_only_a_job_of_the_same_owner_over_the_same_folder_counts(studio: Studio, other: dict[str, str]) -> None:
    studio.job()
    assert unread(studio, studio.job(**other)) == set()  # type: ignore[arg-type]


def test_what_an_older_analyser_said_is_analysed_anew(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    studio.job()
    for module in ("chunk", "known"):
        monkeypatch.setattr(f"tasks.{module}.ANALYZER_VERSION", "9.9.9")
    monkeypatch.setattr("tasks.chunk.sample_id", lambda content: sample_id(content, version="9.9.9"))
    job = studio.job()
    assert (job.counts.done, len(studio.analyze.names)) == (95, 95)
