"""Contract of the ledger: what the reconciler asks, so that every job comes to its end."""

from __future__ import annotations

import pytest

from stores.records import Counts, JobState, Row, Status
from tests.stores.conftest import LEASE, LONG, Bench
from tests.stores.making import BROKEN, claim, done, files, finish, new_job, submit
from workers.errors import NotFound


def ids(job_id: str, *numbers: int) -> list[str]:
    return [f"{job_id}:{n}" for n in numbers]


def test_chunks_are_fed_in_order_and_once(bench: Bench) -> None:
    job = submit(bench.ledger, [1] * 5, fed=False)
    first = bench.ledger.unfed(job.id, 2)
    assert first == ids(job.id, 0, 1)
    assert bench.ledger.unfed(job.id, 9) == ids(job.id, 0, 1, 2, 3, 4)
    bench.ledger.mark_fed(job.id, first)
    bench.ledger.mark_fed(job.id, first)
    assert bench.ledger.unfed(job.id, 9) == ids(job.id, 2, 3, 4)
    assert bench.ledger.job(job.id).fed == 2


def test_what_was_published_out_of_order_is_published_again_with_its_gap(bench: Bench) -> None:
    job = submit(bench.ledger, [1] * 4, fed=False)
    bench.ledger.mark_fed(job.id, ids(job.id, 2))
    assert bench.ledger.unfed(job.id, 9) == ids(job.id, 0, 1, 2, 3)
    bench.ledger.mark_fed(job.id, ids(job.id, 1, 0))
    assert bench.ledger.unfed(job.id, 9) == ids(job.id, 2, 3)


def test_chunks_of_a_job_still_being_scanned_are_fed(bench: Bench) -> None:
    job = bench.ledger.create_job(new_job())[0]
    bench.ledger.add_chunk(job.id, 0, 0, files(1))
    assert bench.ledger.unfed(job.id, 9) == ids(job.id, 0)


def test_nothing_is_fed_for_a_job_that_is_not_at_work(bench: Bench) -> None:
    assert bench.ledger.unfed("nothing", 9) == []
    with pytest.raises(NotFound):
        bench.ledger.mark_fed("nothing", ["nothing:0"])
    received = bench.ledger.create_job(new_job(source=False))[0]
    bench.ledger.add_chunk(received.id, 0, 0, files(1))
    assert bench.ledger.unfed(received.id, 9) == []


def test_a_chunk_published_long_ago_and_never_claimed_is_stale(bench: Bench) -> None:
    job = submit(bench.ledger, [2, 1], fed=False)
    assert bench.ledger.stale(job.id, published_s_ago=0, limit=9) == []
    bench.ledger.mark_fed(job.id, ids(job.id, 0))
    assert bench.ledger.stale(job.id, published_s_ago=LEASE, limit=9) == []
    bench.end_leases()
    assert bench.ledger.stale(job.id, published_s_ago=LEASE, limit=9) == [(f"{job.id}:0", 0, 2)]
    bench.ledger.mark_fed(job.id, ids(job.id, 0))
    assert bench.ledger.stale(job.id, published_s_ago=LEASE, limit=9) == []


def test_a_chunk_whose_lease_is_over_is_stale_until_it_is_published_again(bench: Bench) -> None:
    job = submit(bench.ledger, [2])
    claim(bench.ledger, job, 0, lease_s=LEASE)
    assert bench.ledger.stale(job.id, published_s_ago=0, limit=9) == []
    bench.end_leases()
    assert bench.ledger.stale(job.id, published_s_ago=LONG, limit=9) == [(f"{job.id}:0", 1, 2)]
    bench.ledger.mark_fed(job.id, ids(job.id, 0))
    assert bench.ledger.stale(job.id, published_s_ago=LONG, limit=9) == []
    claim(bench.ledger, job, 0, lease_s=LEASE)
    bench.end_leases()
    assert bench.ledger.stale(job.id, published_s_ago=LONG, limit=9) == [(f"{job.id}:0", 2, 2)]


def test_what_is_done_is_never_stale(bench: Bench) -> None:
    job = submit(bench.ledger, [1, 1, 1])
    finish(bench.ledger, job, 0)
    finish(bench.ledger, job, 2)
    bench.end_leases()
    assert [found[0] for found in bench.ledger.stale(job.id, published_s_ago=0, limit=9)] == ids(job.id, 1)


def test_stale_chunks_come_in_order_and_not_more_than_asked_for(bench: Bench) -> None:
    job = submit(bench.ledger, [1] * 5)
    bench.end_leases()
    assert [found[0] for found in bench.ledger.stale(job.id, published_s_ago=0, limit=3)] == ids(job.id, 0, 1, 2)


def test_a_split_chunk_is_one_chunk_a_file(bench: Bench) -> None:
    job = submit(bench.ledger, [2, 3])
    parts = bench.ledger.split_chunk(f"{job.id}:1")
    assert parts == [f"{job.id}:1:1", f"{job.id}:1:2", f"{job.id}:1:3"]
    assert bench.ledger.split_chunk(f"{job.id}:1") == parts
    assert bench.ledger.claim_chunk(f"{job.id}:1", LONG) is None
    held = claim(bench.ledger, job, 1, part=2)
    assert (held.first, held.files, held.attempt) == (3, tuple(files(1, 3)), 1)
    assert [found[0] for found in bench.ledger.stale(job.id, published_s_ago=LONG, limit=9)] == [parts[0], parts[2]]
    bench.ledger.mark_fed(job.id, parts)
    assert bench.ledger.stale(job.id, published_s_ago=LONG, limit=9) == []
    assert bench.ledger.job(job.id).counts == Counts(submitted=5, pending=5)


def test_a_split_job_ends_with_all_its_parts(bench: Bench) -> None:
    job = submit(bench.ledger, [2, 2])
    parts = bench.ledger.split_chunk(f"{job.id}:0")
    finish(bench.ledger, job, 1)
    assert bench.ledger.fold(job.id).pending == 2
    assert bench.ledger.finish_chunk(claim(bench.ledger, job, 0, part=2), done(1))
    assert bench.ledger.fold(job.id) == Counts(submitted=4, pending=1, done=3)
    assert bench.ledger.finish_job(job.id) is None
    assert bench.ledger.fail_chunk(parts[0], BROKEN)
    assert bench.ledger.finish_job(job.id) is JobState.COMPLETE
    assert bench.ledger.job(job.id).counts == Counts(submitted=4, done=3, failed=1)
    assert bench.ledger.split_chunk(f"{job.id}:0") == parts


def test_who_held_a_chunk_before_it_was_split_cannot_end_it(bench: Bench) -> None:
    job = submit(bench.ledger, [2])
    late = claim(bench.ledger, job, 0, lease_s=LEASE)
    assert bench.ledger.split_chunk(late.chunk_id) == []
    bench.end_leases()
    assert len(bench.ledger.split_chunk(late.chunk_id)) == 2
    assert not bench.ledger.finish_chunk(late, done(2))
    assert not bench.ledger.renew_chunk(late, LONG)
    assert bench.ledger.job(job.id).counts.pending == 2


def test_only_an_open_whole_chunk_of_several_files_can_be_split(bench: Bench) -> None:
    job = submit(bench.ledger, [1, 2, 2])
    assert bench.ledger.split_chunk(f"{job.id}:0") == []
    finish(bench.ledger, job, 1)
    assert bench.ledger.split_chunk(f"{job.id}:1") == []
    parts = bench.ledger.split_chunk(f"{job.id}:2")
    assert bench.ledger.split_chunk(parts[0]) == []
    assert bench.ledger.job(job.id).counts == Counts(submitted=5, pending=3, done=2)


def test_a_failed_chunk_fails_each_of_its_files_with_the_reason(bench: Bench) -> None:
    job = submit(bench.ledger, [2])
    late = claim(bench.ledger, job, 0, lease_s=LEASE)
    assert not bench.ledger.fail_chunk(late.chunk_id, BROKEN)
    bench.end_leases()
    assert bench.ledger.fail_chunk(late.chunk_id, BROKEN)
    assert not bench.ledger.fail_chunk(late.chunk_id, BROKEN)
    assert not bench.ledger.finish_chunk(late, done(2))
    rows = bench.ledger.files(job.id, status=None, cursor=None, limit=9).items
    assert [row.row for row in rows] == [Row(Status.FAILED, reason=BROKEN)] * 2


def test_the_settled_prefix_is_folded_and_counts_stay_true(bench: Bench) -> None:
    job = submit(bench.ledger, [1, 2, 3, 4])
    for n, wanted in ((2, Counts(10, 7, 3)), (0, Counts(10, 6, 4)), (1, Counts(10, 4, 6)), (3, Counts(10, 0, 10))):
        finish(bench.ledger, job, n)
        assert bench.ledger.job(job.id).counts == wanted
        assert bench.ledger.fold(job.id) == wanted
        assert bench.ledger.fold(job.id) == wanted
        assert bench.ledger.job(job.id).counts == wanted
    assert bench.ledger.finish_job(job.id) is JobState.COMPLETE
    assert bench.ledger.fold(job.id) == Counts(10, 0, 10)


def test_what_is_not_started_of_a_cancelled_job_is_skipped(bench: Bench) -> None:
    job = submit(bench.ledger, [1, 2, 3, 1], fed=False)
    bench.ledger.mark_fed(job.id, ids(job.id, 0, 1))
    finish(bench.ledger, job, 0)
    held = claim(bench.ledger, job, 1)
    assert bench.ledger.sweep_cancelled(job.id, 9) == 0
    bench.ledger.request_cancel(job.id)
    assert bench.ledger.sweep_cancelled(job.id, 9) == 2
    assert bench.ledger.sweep_cancelled(job.id, 9) == 0
    assert bench.ledger.unfed(job.id, 9) == []
    assert bench.ledger.job(job.id).counts == Counts(submitted=7, pending=2, done=1, skipped=4)
    assert bench.ledger.finish_job(job.id) is None
    assert bench.ledger.finish_chunk(held, [Row(Status.DONE, "a"), Row(Status.SKIPPED, reason=BROKEN)])
    assert bench.ledger.finish_job(job.id) is JobState.CANCELLED
    assert bench.ledger.job(job.id).counts == Counts(submitted=7, done=2, skipped=5)
    skipped = bench.ledger.files(job.id, status=Status.SKIPPED, cursor=None, limit=9).items
    assert {row.row.reason.code for row in skipped if row.row.reason and row.index > 2} == {"cancelled"}


def test_a_sweep_ends_parts_of_split_chunks_too(bench: Bench) -> None:
    job = submit(bench.ledger, [3, 1])
    bench.ledger.split_chunk(f"{job.id}:0")
    held = claim(bench.ledger, job, 0, part=2)
    bench.ledger.request_cancel(job.id)
    assert bench.ledger.sweep_cancelled(job.id, 9) == 3
    assert bench.ledger.finish_chunk(held, done(1))
    assert bench.ledger.finish_job(job.id) is JobState.CANCELLED
    assert bench.ledger.job(job.id).counts == Counts(submitted=4, done=1, skipped=3)


def test_a_sweep_in_small_steps_reaches_the_end(bench: Bench) -> None:
    job = submit(bench.ledger, [1] * 7, fed=False)
    bench.ledger.request_cancel(job.id)
    swept = []
    while step := bench.ledger.sweep_cancelled(job.id, 3):
        swept.append(step)
        assert bench.ledger.job(job.id).fed >= sum(swept)
    assert swept == [3, 3, 1]
    assert bench.ledger.finish_job(job.id) is JobState.CANCELLED


def test_a_chunk_whose_worker_died_in_a_cancelled_job_is_swept_when_its_lease_is_over(bench: Bench) -> None:
    job = submit(bench.ledger, [2])
    late = claim(bench.ledger, job, 0, lease_s=LEASE)
    bench.ledger.request_cancel(job.id)
    assert bench.ledger.sweep_cancelled(job.id, 9) == 0
    bench.end_leases()
    assert bench.ledger.sweep_cancelled(job.id, 9) == 1
    assert not bench.ledger.finish_chunk(late, done(2))
    assert bench.ledger.finish_job(job.id) is JobState.CANCELLED


def test_only_jobs_at_work_are_active_oldest_first(bench: Bench) -> None:
    first = submit(bench.ledger, [1])
    bench.let_pass(0.002)
    second = bench.ledger.create_job(new_job())[0]
    bench.ledger.create_job(new_job(source=False))
    assert [job.id for job in bench.ledger.active_jobs()] == [first.id, second.id]
    finish(bench.ledger, first, 0)
    bench.ledger.finish_job(first.id)
    assert [job.id for job in bench.ledger.active_jobs()] == [second.id]


def test_one_process_at_a_time_is_a_part(bench: Bench) -> None:
    assert bench.ledger.hold("index", "a", LEASE)
    assert bench.ledger.hold("index", "a", LEASE)
    assert not bench.ledger.hold("index", "b", LONG)
    assert bench.ledger.hold("reconcile", "b", LONG)
    bench.end_leases()
    assert bench.ledger.hold("index", "b", LONG)
    assert not bench.ledger.hold("index", "a", LONG)
    bench.ledger.let_go("index", "a")
    assert not bench.ledger.hold("index", "a", LONG)
    bench.ledger.let_go("index", "b")
    assert bench.ledger.hold("index", "$a", LONG)
    assert bench.ledger.hold("index", "$a", LONG)


def test_preparing_again_and_pinging_change_nothing(bench: Bench) -> None:
    job = submit(bench.ledger, [1])
    bench.ledger.prepare()
    bench.ledger.ping()
    bench.ledger.ping()
    assert bench.ledger.job(job.id).counts.submitted == 1
