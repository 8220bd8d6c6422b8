from __future__ import annotations

import pytest

from config.settings import QueueSettings
from stores.outcome import CANCELLED
from stores.records import FolderSource, Job, JobState, Priority, Row, Status
from tasks.feeder import Feeder
from tasks.upkeep import Upkeep
from tests.tasks.twins import Cluster, refs
from workers.errors import StoreUnavailable

QUEUE = QueueSettings(lease_s=30, republish_after_s=300, republish_idle_s=5, max_attempts=3)


class Rig(Cluster):
    """A cluster with upkeep and a feeder."""

    def __init__(self) -> None:
        super().__init__()
        self.upkeep = Upkeep(self.ledger, self.sender, QUEUE, self.clock)

    def published(self, *sizes: int, priority: Priority = Priority.NORMAL) -> Job:
        """A job of chunks of these sizes, all published now."""
        job = self.job_of(*(refs(size) for size in sizes), priority=priority)
        Feeder(self.ledger, self.sender, 1000).feed([job], self.lengths(), 1000)
        self.sender.take()
        return job

    def tend(self, job: Job, **waiting: int) -> list[str]:
        """What one round publishes again."""
        self.upkeep.tend(self.ledger.job(job.id), self.lengths(**waiting))
        return [id_ for _, id_ in self.sender.take()]

    def die(self, chunk_id: str) -> None:
        """A worker claims a chunk and is never heard of again."""
        assert self.ledger.claim_chunk(chunk_id, QUEUE.lease_s) is not None
        self.clock.advance(QUEUE.lease_s + 1)

    def finish(self, chunk_id: str) -> None:
        claim = self.ledger.claim_chunk(chunk_id, QUEUE.lease_s)
        assert claim is not None
        assert self.ledger.finish_chunk(claim, [Row(Status.DONE, sample_id="x")] * len(claim.files))


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_a_chunk_whose_worker_died_is_published_again_at_once_and_once(rig: Rig) -> None:
    job = rig.published(2, 2)
    assert rig.ledger.claim_chunk(f"{job.id}:0", 30)
    rig.clock.advance(29)
    assert rig.tend(job, normal=1) == []
    rig.clock.advance(2)
    assert rig.tend(job, normal=1) == [f"{job.id}:0"]
    assert rig.tend(job, normal=1) == []


def test_a_chunk_nobody_claims_is_published_again_soon_where_its_queue_is_empty(rig: Rig) -> None:
    job = rig.published(2)
    rig.clock.advance(4)
    assert rig.tend(job) == []
    rig.clock.advance(2)
    assert rig.tend(job, bulk=100) == [f"{job.id}:0"]  # another queue is not its own
    assert rig.tend(job) == []


def test_a_chunk_nobody_claims_waits_where_its_queue_is_long(rig: Rig) -> None:
    job = rig.published(2)
    rig.clock.advance(299)
    assert rig.tend(job, normal=1) == []
    rig.clock.advance(2)
    assert rig.tend(job, normal=1) == [f"{job.id}:0"]


def test_losing_all_of_redis_is_no_flood(rig: Rig) -> None:
    job = rig.published(*[1] * 400)
    rig.clock.advance(6)
    seen: list[str] = []
    for _ in range(20):
        batch = rig.tend(job)
        assert len(batch) <= 50
        seen += batch
    assert sorted(seen) == sorted(f"{job.id}:{n}" for n in range(400))


def test_what_kills_workers_is_split_and_the_culprit_alone_is_set_aside(rig: Rig) -> None:
    job = rig.published(3)
    for _ in range(3):
        rig.die(f"{job.id}:0")
        again = rig.tend(job)
    assert again == [f"{job.id}:0:{n}" for n in (1, 2, 3)]
    rig.finish(f"{job.id}:0:1")
    rig.finish(f"{job.id}:0:3")
    for _ in range(3):
        rig.die(f"{job.id}:0:2")
        rig.tend(job)
    ended = rig.ledger.job(job.id)
    assert ended.counts.done == 2
    assert ended.counts.failed == 1
    (bad,) = rig.ledger.files(job.id, status=Status.FAILED, cursor=None, limit=9).items
    assert bad.index == 1
    assert bad.row.reason is not None
    assert bad.row.reason.code == "killed_worker"
    rig.tend(job)
    assert rig.ledger.job(job.id).state is JobState.COMPLETE


def test_even_a_chunk_of_two_is_split(rig: Rig) -> None:
    job = rig.published(2)
    for _ in range(3):
        rig.die(f"{job.id}:0")
        again = rig.tend(job)
    assert again == [f"{job.id}:0:1", f"{job.id}:0:2"]


def test_a_single_file_that_kills_workers_is_failed_without_a_split(rig: Rig) -> None:
    job = rig.published(1)
    for _ in range(3):
        rig.die(f"{job.id}:0")
        rig.tend(job)
    assert rig.ledger.job(job.id).counts.failed == 1


def test_a_job_ends_once(rig: Rig) -> None:
    job = rig.published(2, 3)
    rig.finish(f"{job.id}:0")
    assert rig.upkeep.tend(rig.ledger.job(job.id), rig.lengths()) is None
    rig.finish(f"{job.id}:1")
    assert rig.upkeep.tend(rig.ledger.job(job.id), rig.lengths()) is JobState.COMPLETE
    assert rig.upkeep.tend(rig.ledger.job(job.id), rig.lengths()) is None


def test_a_cancelled_job_is_swept_and_ended(rig: Rig) -> None:
    job = rig.published(2, 2)
    claim = rig.ledger.claim_chunk(f"{job.id}:0", 30)
    assert claim is not None
    rig.ledger.request_cancel(job.id)
    assert rig.tend(job) == []
    counts = rig.ledger.job(job.id).counts
    assert (counts.skipped, counts.pending) == (2, 2)  # what is being worked on ends by itself
    assert rig.ledger.finish_chunk(claim, [CANCELLED] * 2)
    rig.tend(job)
    assert rig.ledger.job(job.id).state is JobState.CANCELLED


def test_without_redis_jobs_still_end_and_nothing_is_published(rig: Rig) -> None:
    done, dead = rig.published(1), rig.published(1)
    rig.finish(f"{done.id}:0")
    rig.die(f"{dead.id}:0")
    rig.sender.away = True
    assert rig.upkeep.tend(rig.ledger.job(done.id), None) is JobState.COMPLETE
    assert rig.upkeep.tend(rig.ledger.job(dead.id), None) is None
    with pytest.raises(StoreUnavailable):
        rig.tend(dead)


def test_an_idle_scan_is_published_again_but_not_over_and_over(rig: Rig) -> None:
    job = rig.job(source=FolderSource("library"))
    assert rig.upkeep.scans(rig.lengths()) == 1
    assert rig.upkeep.scans(rig.lengths()) == 0
    rig.clock.advance(6)
    assert rig.upkeep.scans(rig.lengths(scan=1)) == 0  # it may be the one that waits
    assert rig.upkeep.scans(rig.lengths()) == 1
    assert rig.ledger.claim_scan(job.id, 30)
    rig.clock.advance(10)
    assert rig.upkeep.scans(rig.lengths()) == 0
    assert rig.sender.scans == [job.id] * 2


def hasten(rig: Rig, workers: int = 1) -> list[tuple[Priority, str]]:
    rig.upkeep.hasten(rig.ledger.active_jobs(), workers)
    return rig.sender.take()


def test_what_waits_too_long_goes_ahead_of_all_a_few_at_a_time(rig: Rig) -> None:
    job = rig.published(*[2] * 9, priority=Priority.BULK)
    rig.clock.advance(29)
    assert hasten(rig) == []
    rig.clock.advance(6)
    assert hasten(rig, workers=4) == [(Priority.INTERACTIVE, f"{job.id}:{n}") for n in range(2)]
    rig.clock.advance(29)
    assert hasten(rig) == []
    rig.clock.advance(2)
    assert hasten(rig) == [(Priority.INTERACTIVE, f"{job.id}:0")]


def test_what_gets_on_is_not_hastened(rig: Rig) -> None:
    job = rig.published(2, 2, priority=Priority.BULK)
    rig.finish(f"{job.id}:0")
    rig.ledger.claim_chunk(f"{job.id}:1", 60)
    rig.published(2, priority=Priority.INTERACTIVE)
    rig.ledger.pause(rig.published(2).id)
    rig.ledger.request_cancel(rig.published(2).id)
    rig.clock.advance(31)
    assert hasten(rig) == []


def test_a_bulk_job_gets_on_under_a_stream_of_normal_ones(rig: Rig) -> None:
    bulk = rig.published(*[1] * 5, priority=Priority.BULK)
    feeder = Feeder(rig.ledger, rig.sender, 50)
    queue: list[tuple[Priority, str]] = [(Priority.BULK, f"{bulk.id}:{n}") for n in range(5)]
    seconds = 0
    while rig.ledger.job(bulk.id).counts.pending:
        seconds += 4
        assert seconds < 300
        rig.job_of(refs(1), refs(1))
        active = rig.ledger.active_jobs()
        waiting = {p.value: sum(each is p for each, _ in queue) for p in Priority}
        feeder.feed(active, waiting, 1)
        rig.upkeep.hasten(active, 1)
        queue += rig.sender.take()
        # One worker, which takes the most urgent there is: a chunk takes it four seconds.
        queue.sort(key=lambda message: list(Priority).index(message[0]))
        _, chunk_id = queue.pop(0)
        claim = rig.ledger.claim_chunk(chunk_id, 1000)
        if claim is not None:
            assert rig.ledger.finish_chunk(claim, [Row(Status.DONE, sample_id="x")])
        rig.clock.advance(4)


def test_a_scan_that_waits_too_long_goes_ahead_of_all(rig: Rig) -> None:
    job = rig.job(source=FolderSource("library"))
    for _ in range(12):
        rig.upkeep.scans(rig.lengths(interactive=9))
        rig.clock.advance(4)
    assert rig.sender.ahead[0] == job.id
    assert 4 < len(rig.sender.scans) < 12
