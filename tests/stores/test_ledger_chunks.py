"""Contract of the ledger: a chunk is held by one worker, and ended once with the end of each of its files."""

from __future__ import annotations

import threading

import pytest

from stores.records import Counts, Death, JobState, Row, Status
from tests.stores.conftest import LEASE, LONG, Bench
from tests.stores.making import BROKEN, claim, done, files, finish, submit
from workers.errors import ParameterError


def test_a_claim_says_what_is_to_be_done(bench: Bench) -> None:
    job = submit(bench.ledger, [2, 3])
    held = claim(bench.ledger, job, 1)
    assert (held.chunk_id, held.job_id, held.first, held.owner) == (f"{job.id}:1", job.id, 2, "ada")
    assert held.files == tuple(files(3, 2))
    assert (held.attempt, held.cancelled) == (1, False)


def test_a_chunk_is_held_by_one(bench: Bench) -> None:
    job = submit(bench.ledger, [2])
    claim(bench.ledger, job, 0)
    assert bench.ledger.claim_chunk(f"{job.id}:0", LONG) is None


def test_of_many_workers_at_once_one_gets_each_chunk(bench: Bench) -> None:
    job = submit(bench.ledger, [1] * 12)
    won: list[str] = []

    def work() -> None:
        for n in range(12):
            held = bench.ledger.claim_chunk(f"{job.id}:{n}", LONG)
            if held is not None:
                won.append(held.chunk_id)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == sorted(f"{job.id}:{n}" for n in range(12))


@pytest.mark.parametrize(
    "chunk_id", ["", "x", ":0", "a:b", "a:0:0", "a:01", "a:0:1:2", "a:٣", "a:-1", "$a:0", "a:99999999999999"]
)
def test_there_is_nothing_to_do_for_an_id_that_is_none(bench: Bench, chunk_id: str) -> None:
    assert bench.ledger.claim_chunk(chunk_id, LONG) is None
    assert bench.ledger.split_chunk(chunk_id) == []
    assert not bench.ledger.fail_chunk(chunk_id, BROKEN)


def test_a_lease_that_is_over_lets_another_worker_in_and_the_late_one_is_refused(bench: Bench) -> None:
    job = submit(bench.ledger, [2])
    late = claim(bench.ledger, job, 0, lease_s=LEASE)
    bench.end_leases()
    other = claim(bench.ledger, job, 0)
    assert other.attempt == 2
    assert not bench.ledger.renew_chunk(late, LONG)
    assert bench.ledger.look_at(late) == (False, False)
    assert not bench.ledger.finish_chunk(late, [Row(Status.FAILED, reason=BROKEN)] * 2)
    assert bench.ledger.finish_chunk(other, done(2))
    assert bench.ledger.job(job.id).counts == Counts(submitted=2, done=2)


def test_a_late_worker_whom_nobody_replaced_may_still_finish(bench: Bench) -> None:
    job = submit(bench.ledger, [2])
    late = claim(bench.ledger, job, 0, lease_s=LEASE)
    bench.end_leases()
    assert bench.ledger.finish_chunk(late, done(2))


def test_a_renewed_chunk_stays_held(bench: Bench) -> None:
    job = submit(bench.ledger, [2])
    held = claim(bench.ledger, job, 0, lease_s=LEASE)
    assert bench.ledger.renew_chunk(held, LONG)
    assert bench.ledger.look_at(held) == (True, False)
    bench.end_leases()
    assert bench.ledger.claim_chunk(held.chunk_id, LONG) is None


def test_a_chunk_finished_twice_is_finished_once(bench: Bench) -> None:
    job = submit(bench.ledger, [2])
    held = claim(bench.ledger, job, 0)
    assert bench.ledger.finish_chunk(held, done(2))
    assert bench.ledger.finish_chunk(held, [Row(Status.FAILED, reason=BROKEN)] * 2)
    assert bench.ledger.job(job.id).counts == Counts(submitted=2, done=2)
    assert bench.ledger.claim_chunk(held.chunk_id, LONG) is None
    assert not bench.ledger.renew_chunk(held, LONG)
    assert bench.ledger.look_at(held) == (False, False)


def test_of_two_workers_that_finish_at_once_one_counts(bench: Bench) -> None:
    job = submit(bench.ledger, [2])
    late = claim(bench.ledger, job, 0, lease_s=LEASE)
    bench.end_leases()
    other = claim(bench.ledger, job, 0)
    won: dict[str, bool] = {}
    ends = {"late": (late, [Row(Status.FAILED, reason=BROKEN)] * 2), "other": (other, done(2))}
    threads = [
        threading.Thread(target=lambda who=who: won.__setitem__(who, bench.ledger.finish_chunk(*ends[who])))
        for who in ends
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == {"late": False, "other": True}
    assert bench.ledger.job(job.id).counts.done == 2


@pytest.mark.parametrize("rows", [[], done(1), done(3), [*done(1), Row(Status.PENDING)]])
def test_every_file_needs_one_end(bench: Bench, rows: list[Row]) -> None:
    job = submit(bench.ledger, [2])
    held = claim(bench.ledger, job, 0)
    with pytest.raises(ParameterError):
        bench.ledger.finish_chunk(held, rows)
    assert bench.ledger.job(job.id).counts.pending == 2


def test_a_job_is_finished_once_by_one(bench: Bench) -> None:
    job = submit(bench.ledger, [1, 2])
    finish(bench.ledger, job, 0)
    assert bench.ledger.finish_job(job.id) is None
    finish(bench.ledger, job, 1)
    ends: list[JobState | None] = []
    threads = [threading.Thread(target=lambda: ends.append(bench.ledger.finish_job(job.id))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends, key=str) == [None] * 5 + [JobState.COMPLETE]
    job = bench.ledger.job(job.id)
    assert (job.state, job.counts) == (JobState.COMPLETE, Counts(submitted=3, done=3))
    assert job.finished_at is not None
    assert job.finished_at >= job.created_at
    assert bench.ledger.active_jobs() == []


def test_a_job_whose_scan_goes_on_is_not_finished(bench: Bench) -> None:
    from tests.stores.making import new_job

    job = bench.ledger.create_job(new_job())[0]
    bench.ledger.claim_scan(job.id, LONG)
    bench.ledger.add_chunk(job.id, 0, 0, files(1))
    finish(bench.ledger, job, 0)
    assert bench.ledger.finish_job(job.id) is None
    assert bench.ledger.finish_job("nothing") is None


def test_the_lease_of_an_attempt_that_is_known_to_be_dead_holds_nobody_up(bench: Bench) -> None:
    job = submit(bench.ledger, [2])
    dead = claim(bench.ledger, job, 0)
    assert bench.ledger.claim_chunk(f"{job.id}:0", LONG, dead=lambda: 2) is None
    again = bench.ledger.claim_chunk(f"{job.id}:0", LONG, dead=lambda: 1)
    assert again is not None
    assert again.attempt == 2
    assert bench.ledger.claim_chunk(f"{job.id}:0", LONG, dead=lambda: 1) is None  # the living one's
    assert not bench.ledger.finish_chunk(dead, done(2))
    assert bench.ledger.finish_chunk(again, done(2))
    assert bench.ledger.claim_chunk(f"{job.id}:0", LONG, dead=lambda: 2) is None


def test_deaths_at_a_known_file_are_kept_once_and_count_for_no_split(bench: Bench) -> None:
    job = submit(bench.ledger, [3])
    claim(bench.ledger, job, 0)
    again = bench.ledger.claim_chunk(f"{job.id}:0", LONG, dead=lambda: 1)
    assert again is not None
    assert again.unexplained == 2
    for _ in range(2):  # an answer that was lost
        noted = bench.ledger.note_death(again, 1, Death(2, "ended by SIGSEGV"))
    assert (noted.deaths, noted.unexplained) == ((Death(2, "ended by SIGSEGV"),), 1)
    third = bench.ledger.claim_chunk(f"{job.id}:0", LEASE, dead=lambda: 2)
    assert third is not None
    assert third.deaths == noted.deaths
    assert bench.ledger.note_death(again, 2, Death(0, "")).deaths != third.deaths  # but not in the ledger
    bench.end_leases()
    assert bench.ledger.stale(job.id, published_s_ago=LONG, limit=9) == [(f"{job.id}:0", 2, 3)]


def test_a_chunk_given_back_is_left_alone_for_a_while_and_was_no_attempt(bench: Bench) -> None:
    job = submit(bench.ledger, [2])
    held = claim(bench.ledger, job, 0)
    bench.ledger.mark_fed(job.id, [held.chunk_id])
    bench.ledger.return_chunk(held, LEASE)
    assert bench.ledger.claim_chunk(held.chunk_id, LONG) is None
    assert bench.ledger.renew_chunk(held, LONG) is False
    bench.end_leases()
    assert bench.ledger.stale(job.id, published_s_ago=LONG, limit=9) == [(held.chunk_id, 0, 2)]
    again = claim(bench.ledger, job, 0)
    assert again.attempt == 1
    bench.ledger.return_chunk(held, LONG)
    assert bench.ledger.renew_chunk(again, LONG) is True, "who lost it cannot give it back"
