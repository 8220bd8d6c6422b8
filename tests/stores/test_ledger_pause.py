"""Contract of pausing: nothing more is begun until the job is resumed, and then nothing is forgotten."""

from __future__ import annotations

import pytest

from stores.records import JobState
from tests.stores.conftest import LONG, Bench
from tests.stores.making import claim, done, files, finish, new_job, submit
from workers.errors import NotFound


def test_a_paused_job_gives_no_chunk_and_no_scan(bench: Bench) -> None:
    job = submit(bench.ledger, [2, 2])
    assert bench.ledger.pause(job.id).state is JobState.PAUSED
    assert bench.ledger.claim_chunk(f"{job.id}:0", 60) is None
    scanning, _ = bench.ledger.create_job(new_job())
    bench.ledger.pause(scanning.id)
    assert bench.ledger.claim_scan(scanning.id, 60) is None
    assert bench.ledger.idle_scans() == []
    assert {each.state for each in bench.ledger.active_jobs()} == {JobState.PAUSED}
    assert bench.ledger.active_count() == 2
    assert bench.ledger.resume(job.id).state is JobState.RUNNING
    assert bench.ledger.resume(scanning.id).state is JobState.SCANNING
    assert claim(bench.ledger, job, 0).attempt == 1
    assert bench.ledger.claim_scan(scanning.id, 60) is not None


def test_what_is_at_work_is_finished(bench: Bench) -> None:
    job = submit(bench.ledger, [2])
    held = claim(bench.ledger, job, 0)
    bench.ledger.pause(job.id)
    assert bench.ledger.renew_chunk(held, 60)
    assert bench.ledger.finish_chunk(held, done(2))
    assert bench.ledger.finish_job(job.id) is JobState.COMPLETE
    assert bench.ledger.pause(job.id).state is JobState.COMPLETE


def test_a_scan_that_is_paused_gives_way_and_goes_on_where_it_was(bench: Bench) -> None:
    job, _ = bench.ledger.create_job(new_job())
    scan = bench.ledger.claim_scan(job.id, LONG)
    assert scan is not None
    assert bench.ledger.add_chunk(job.id, 0, 0, files(3))
    bench.ledger.pause(job.id)
    assert not bench.ledger.renew_scan(job.id, scan.token, LONG)
    bench.ledger.resume(job.id)
    assert bench.ledger.idle_scans() == [job.id]
    again = bench.ledger.claim_scan(job.id, LONG)
    assert again is not None
    assert (again.next_chunk, again.after) == (1, files(3)[-1])


def test_what_was_published_before_the_pause_is_published_again_at_once(bench: Bench) -> None:
    job = submit(bench.ledger, [1, 1, 1])
    finish(bench.ledger, job, 1)
    bench.let_pass(0.01)
    bench.ledger.pause(job.id)
    assert bench.ledger.stale(job.id, published_s_ago=0, limit=9) == []
    bench.ledger.resume(job.id)
    stale = bench.ledger.stale(job.id, published_s_ago=LONG, limit=9)
    assert stale == [(f"{job.id}:0", 0, 1), (f"{job.id}:2", 0, 1)]
    bench.let_pass(0.01)
    bench.ledger.mark_fed(job.id, [chunk for chunk, _, _ in stale])
    assert bench.ledger.stale(job.id, published_s_ago=LONG, limit=9) == []


def test_a_paused_job_can_be_cancelled(bench: Bench) -> None:
    job = submit(bench.ledger, [2])
    bench.ledger.pause(job.id)
    assert bench.ledger.request_cancel(job.id).state is JobState.RUNNING
    assert bench.ledger.pause(job.id).state is JobState.RUNNING
    assert bench.ledger.sweep_cancelled(job.id, 9) == 1
    assert bench.ledger.finish_job(job.id) is JobState.CANCELLED


def test_only_its_owner_pauses_a_job(bench: Bench) -> None:
    job = submit(bench.ledger, [1])
    for order in (bench.ledger.pause, bench.ledger.resume):
        with pytest.raises(NotFound):
            order(job.id, owner="eve")
    assert bench.ledger.job(job.id).state is JobState.RUNNING


def test_a_chunk_that_a_scan_ended_itself_needs_nobody(bench: Bench) -> None:
    job, _ = bench.ledger.create_job(new_job())
    scan = bench.ledger.claim_scan(job.id, LONG)
    assert scan is not None
    for n in range(130):
        assert bench.ledger.add_chunk(job.id, n, n, files(1, n), done(1) if n not in (60, 127) else None)
    assert bench.ledger.finish_scan(job.id, scan.token)
    assert bench.ledger.unfed(job.id, 5) == [f"{job.id}:60", f"{job.id}:127"]
    assert bench.ledger.unfed(job.id, 1) == [f"{job.id}:60"]
    bench.ledger.mark_fed(job.id, [f"{job.id}:60"])
    assert bench.ledger.unfed(job.id, 5) == [f"{job.id}:127"]
    bench.ledger.mark_fed(job.id, [f"{job.id}:127"])
    assert bench.ledger.unfed(job.id, 5) == []
    assert bench.ledger.fold(job.id).done == 128
    assert [row.row for row in bench.ledger.chunk_rows(job.id, 3)] == done(1)
    for n in (60, 127):
        finish(bench.ledger, job, n)
    assert bench.ledger.finish_job(job.id) is JobState.COMPLETE


def test_the_earlier_job_is_the_last_complete_one_over_the_same_folder(bench: Bench) -> None:
    made = []
    for state in (JobState.COMPLETE, JobState.COMPLETE, JobState.CANCELLED):
        job = submit(bench.ledger, [1])
        if state is JobState.CANCELLED:
            bench.ledger.request_cancel(job.id)
            bench.ledger.sweep_cancelled(job.id, 9)
        else:
            finish(bench.ledger, job, 0)
        assert bench.ledger.finish_job(job.id) is state
        made.append(job.id)
        bench.let_pass(0.002)
    now = submit(bench.ledger, [1])
    earlier = bench.ledger.earlier(now.id)
    assert earlier is not None
    assert (earlier.id, earlier.chunks) == (made[1], 1)
    assert bench.ledger.earlier(submit(bench.ledger, [1], owner="eve").id) is None
