"""Contract of the ledger: one scanner at a time walks a source, and the next goes on where it stopped."""

from __future__ import annotations

from stores.records import Counts, JobState, Reason
from tests.stores.conftest import LEASE, LONG, Bench
from tests.stores.making import files, finish, new_job, submit


def scanning(bench: Bench) -> str:
    return bench.ledger.create_job(new_job())[0].id


def test_a_scan_is_held_by_one(bench: Bench) -> None:
    job_id = scanning(bench)
    assert bench.ledger.idle_scans() == [job_id]
    claim = bench.ledger.claim_scan(job_id, LONG)
    assert claim is not None
    assert (claim.next_chunk, claim.next_file, claim.after) == (0, 0, None)
    assert claim.job.id == job_id
    assert bench.ledger.claim_scan(job_id, LONG) is None
    assert bench.ledger.idle_scans() == []


def test_the_next_scanner_goes_on_behind_the_last_file(bench: Bench) -> None:
    job_id = scanning(bench)
    claim = bench.ledger.claim_scan(job_id, LONG)
    assert claim is not None
    assert bench.ledger.add_chunk(job_id, 0, 0, files(3))
    assert bench.ledger.add_chunk(job_id, 1, 3, files(2, 3))
    bench.ledger.release_scan(job_id, claim.token)
    assert bench.ledger.idle_scans() == [job_id]
    claim = bench.ledger.claim_scan(job_id, LONG)
    assert claim is not None
    assert (claim.next_chunk, claim.next_file, claim.after) == (2, 5, files(1, 4)[0])


def test_a_lease_that_is_over_frees_the_scan_and_the_late_one_loses_it(bench: Bench) -> None:
    job_id = scanning(bench)
    late = bench.ledger.claim_scan(job_id, LEASE)
    assert late is not None
    bench.end_leases()
    assert bench.ledger.idle_scans() == [job_id]
    other = bench.ledger.claim_scan(job_id, LONG)
    assert other is not None
    assert not bench.ledger.renew_scan(job_id, late.token, LONG)
    assert not bench.ledger.finish_scan(job_id, late.token)
    bench.ledger.release_scan(job_id, late.token)
    assert bench.ledger.claim_scan(job_id, LONG) is None
    assert bench.ledger.renew_scan(job_id, other.token, LONG)


def test_a_renewed_scan_stays_held(bench: Bench) -> None:
    job_id = scanning(bench)
    claim = bench.ledger.claim_scan(job_id, LEASE)
    assert claim is not None
    assert bench.ledger.renew_scan(job_id, claim.token, LONG)
    bench.end_leases()
    assert bench.ledger.claim_scan(job_id, LONG) is None


def test_a_chunk_is_written_once(bench: Bench) -> None:
    job_id = scanning(bench)
    claim = bench.ledger.claim_scan(job_id, LONG)
    assert claim is not None
    assert bench.ledger.add_chunk(job_id, 0, 0, files(3))
    assert not bench.ledger.add_chunk(job_id, 0, 0, files(2, 50))
    job = bench.ledger.job(job_id)
    assert (job.counts.submitted, job.chunks) == (3, 1)
    shown = bench.ledger.files(job_id, status=None, cursor=None, limit=9).items
    assert [row.file for row in shown] == files(3)


def test_a_finished_scan_is_running_and_saying_so_twice_changes_nothing(bench: Bench) -> None:
    job_id = scanning(bench)
    claim = bench.ledger.claim_scan(job_id, LONG)
    assert claim is not None
    assert bench.ledger.finish_scan(job_id, claim.token)
    assert bench.ledger.finish_scan(job_id, claim.token)
    assert bench.ledger.job(job_id).state is JobState.RUNNING
    assert bench.ledger.idle_scans() == []
    assert bench.ledger.claim_scan(job_id, LONG) is None
    assert not bench.ledger.renew_scan(job_id, claim.token, LONG)


def test_no_chunk_is_added_once_the_scan_is_finished(bench: Bench) -> None:
    job = submit(bench.ledger, [2])
    assert not bench.ledger.add_chunk(job.id, 1, 2, files(1, 2))
    assert bench.ledger.job(job.id).counts.submitted == 2
    assert bench.ledger.claim_chunk(f"{job.id}:1", LONG) is None


def test_an_empty_source_makes_a_job_that_completes_with_nothing(bench: Bench) -> None:
    job = submit(bench.ledger, [])
    assert bench.ledger.finish_job(job.id) is JobState.COMPLETE
    assert bench.ledger.job(job.id).counts == Counts()


def test_a_source_that_could_not_be_read_makes_the_job_fail_with_its_reason(bench: Bench) -> None:
    job_id = scanning(bench)
    claim = bench.ledger.claim_scan(job_id, LONG)
    assert claim is not None
    bench.ledger.add_chunk(job_id, 0, 0, files(2))
    reason = Reason("unreadable", "The file cannot be read: check its permissions and the disk.")
    assert bench.ledger.finish_scan(job_id, claim.token, reason)
    job = bench.ledger.job(job_id)
    assert (job.state, job.reason) == (JobState.RUNNING, reason)
    finish(bench.ledger, job, 0)
    assert bench.ledger.finish_job(job_id) is JobState.FAILED
    job = bench.ledger.job(job_id)
    assert (job.state, job.reason, job.counts.done) == (JobState.FAILED, reason, 2)


def test_a_cancelled_scan_that_nobody_is_at_ends_at_once(bench: Bench) -> None:
    job_id = scanning(bench)
    assert bench.ledger.request_cancel(job_id).state is JobState.RUNNING
    assert bench.ledger.claim_scan(job_id, LONG) is None
    assert bench.ledger.finish_job(job_id) is JobState.CANCELLED


def test_a_cancelled_scan_ends_when_its_holder_renews(bench: Bench) -> None:
    job_id = scanning(bench)
    claim = bench.ledger.claim_scan(job_id, LONG)
    assert claim is not None
    assert bench.ledger.request_cancel(job_id).state is JobState.SCANNING
    assert not bench.ledger.renew_scan(job_id, claim.token, LONG)
    assert bench.ledger.job(job_id).state is JobState.RUNNING
    assert not bench.ledger.add_chunk(job_id, 0, 0, files(1))


def test_a_cancelled_scan_ends_when_its_holder_releases_it(bench: Bench) -> None:
    job_id = scanning(bench)
    claim = bench.ledger.claim_scan(job_id, LONG)
    assert claim is not None
    bench.ledger.request_cancel(job_id)
    bench.ledger.release_scan(job_id, claim.token)
    assert bench.ledger.job(job_id).state is JobState.RUNNING


def test_a_cancelled_scan_whose_holder_died_ends_in_the_sweep(bench: Bench) -> None:
    job_id = scanning(bench)
    assert bench.ledger.claim_scan(job_id, LEASE) is not None
    bench.ledger.add_chunk(job_id, 0, 0, files(3))
    bench.ledger.request_cancel(job_id)
    assert bench.ledger.idle_scans() == []
    bench.end_leases()
    assert bench.ledger.idle_scans() == []
    assert bench.ledger.sweep_cancelled(job_id, 10) == 1
    assert bench.ledger.finish_job(job_id) is JobState.CANCELLED
    assert bench.ledger.job(job_id).counts == Counts(submitted=3, skipped=3)


def test_nothing_can_be_scanned_that_does_not_exist(bench: Bench) -> None:
    assert bench.ledger.claim_scan("nothing", LONG) is None
    assert not bench.ledger.renew_scan("nothing", "t", LONG)
    assert not bench.ledger.finish_scan("nothing", "t")
    bench.ledger.release_scan("nothing", "t")
    received = bench.ledger.create_job(new_job(source=False))[0]
    assert bench.ledger.claim_scan(received.id, LONG) is None
