from __future__ import annotations

import pytest

from config.settings import QueueSettings
from stores.records import FolderSource, JobState, Row, Status
from tasks.reconcile import Reconciler
from tests.tasks.twins import Cluster, refs
from workers.errors import StoreUnavailable

QUEUE = QueueSettings(feed_interval_s=0.5, idle_interval_s=2)


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def reconciler(cluster: Cluster, name: str = "one") -> Reconciler:
    return Reconciler(cluster.ledger, cluster.pulse, cluster.sender, QUEUE, holder=name, clock=cluster.clock)


def test_looks_often_while_there_is_work_and_seldom_without(cluster: Cluster) -> None:
    one = reconciler(cluster)
    assert one.round() == 2
    cluster.job_of(refs(1))
    assert one.round() == 0.5


def test_brings_a_job_from_its_submission_to_its_end(cluster: Cluster) -> None:
    one = reconciler(cluster)
    job = cluster.job(source=FolderSource("library"))
    one.round()
    assert cluster.sender.scans == [job.id]
    scan = cluster.ledger.claim_scan(job.id, 30)
    assert scan is not None
    cluster.ledger.add_chunk(job.id, 0, 0, refs(3))
    cluster.ledger.finish_scan(job.id, scan.token)
    one.round()
    ((_, chunk_id),) = cluster.sender.take()
    claim = cluster.ledger.claim_chunk(chunk_id, 30)
    assert claim is not None
    cluster.ledger.finish_chunk(claim, [Row(Status.DONE, sample_id="x")] * 3)
    one.round()
    assert cluster.ledger.job(job.id).state is JobState.COMPLETE
    assert one.round() == 2


def test_only_one_of_two_works_until_its_lease_is_over(cluster: Cluster) -> None:
    first, second = reconciler(cluster, "first"), reconciler(cluster, "second")
    first.round()
    cluster.job_of(refs(1))
    second.round()
    assert cluster.sender.take() == []
    cluster.clock.advance(11)
    second.round()
    assert len(cluster.sender.take()) == 1


def test_another_takes_over_at_once_from_one_that_leaves(cluster: Cluster) -> None:
    first, second = reconciler(cluster, "first"), reconciler(cluster, "second")
    first.round()
    cluster.job_of(refs(1))
    first.leave()
    assert [facts["part"] for facts in cluster.pulse.alive()] == []
    second.round()
    assert len(cluster.sender.take()) == 1


def test_jobs_end_while_redis_is_away_and_its_absence_is_said(cluster: Cluster) -> None:
    one = reconciler(cluster)
    job = cluster.job_of(refs(1))
    claim = cluster.ledger.claim_chunk(f"{job.id}:0", 30)
    assert claim is not None
    cluster.ledger.finish_chunk(claim, [Row(Status.DONE, sample_id="x")])

    def away() -> dict[str, int]:
        raise StoreUnavailable

    cluster.pulse.queue_lengths = away  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        one.round()
    assert cluster.ledger.job(job.id).state is JobState.COMPLETE


def test_many_jobs_are_all_tended_in_the_end(cluster: Cluster) -> None:
    """One round has only so much time; the next begins with other jobs."""
    jobs = [cluster.job_of(refs(1)) for _ in range(7)]
    for job in jobs:
        claim = cluster.ledger.claim_chunk(f"{job.id}:0", 30)
        assert claim is not None
        cluster.ledger.finish_chunk(claim, [Row(Status.DONE, sample_id="x")])
    finish = cluster.ledger.finish_job

    def slow(job_id: str) -> JobState | None:
        cluster.clock.advance(1.5)
        return finish(job_id)

    cluster.ledger.finish_job = slow  # type: ignore[method-assign]
    one = reconciler(cluster)
    for _ in range(8):
        one.round()
    assert {cluster.ledger.job(job.id).state for job in jobs} == {JobState.COMPLETE}


def test_submissions_that_were_abandoned_are_dropped(cluster: Cluster) -> None:
    cluster.job()
    one = reconciler(cluster)
    one.round()
    cluster.clock.advance(700)
    one.round()
    assert cluster.ledger.jobs(owner=None, cursor=None, limit=9).items == ()
