from __future__ import annotations

from collections import Counter

import pytest

from stores.records import FileRef, FolderSource, Priority
from tasks.feeder import Feeder, workers_alive
from tests.tasks.twins import Cluster, refs
from workers.errors import StoreUnavailable


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def chunks(count: int) -> list[list[FileRef]]:
    return [[file] for file in refs(count)]


def feeder(cluster: Cluster, per_worker: int = 50) -> Feeder:
    return Feeder(cluster.ledger, cluster.sender, per_worker)


def feed(cluster: Cluster, feeder: Feeder, workers: int = 1, **waiting: int) -> list[tuple[Priority, str]]:
    fed = feeder.feed(cluster.ledger.active_jobs(), cluster.lengths(**waiting), workers)
    sent = cluster.sender.take()
    assert fed == len(sent)
    return sent


def test_publishes_each_chunk_once_in_order(cluster: Cluster) -> None:
    job = cluster.job_of(*chunks(8))
    one = feeder(cluster)
    assert [id_ for _, id_ in feed(cluster, one, workers=2)] == [f"{job.id}:{n}" for n in range(6)]
    assert [id_ for _, id_ in feed(cluster, one, workers=2)] == [f"{job.id}:{n}" for n in range(6, 8)]
    assert feed(cluster, one) == []


@pytest.mark.parametrize(
    ("workers", "waiting", "fed"), [(0, 0, 3), (1, 0, 3), (3, 0, 9), (3, 5, 4), (3, 9, 0), (1, 99, 0)]
)
def test_keeps_three_chunks_waiting_for_each_worker(cluster: Cluster, workers: int, waiting: int, fed: int) -> None:
    cluster.job_of(*chunks(100))
    assert len(feed(cluster, feeder(cluster, 10), workers, normal=waiting)) == fed


def test_a_queue_that_is_emptied_quickly_gets_more_up_to_its_most(cluster: Cluster) -> None:
    cluster.job_of(*chunks(500))
    one = feeder(cluster, 50)
    assert [len(feed(cluster, one)) for _ in range(5)] == [3, 9, 27, 50, 50]
    slower = [len(feed(cluster, one, normal=45)) for _ in range(20)]
    assert slower[-9:] == [0] * 9


def test_owners_share_whatever_each_has(cluster: Cluster) -> None:
    crowd = [cluster.job_of(*chunks(400), owner="big") for _ in range(3)]
    one = feeder(cluster)
    feed(cluster, one)
    small = cluster.job_of(*chunks(20), owner="small")
    sent: list[str] = []
    while f"{small.id}:19" not in sent:
        sent += [id_ for _, id_ in feed(cluster, one, normal=3)] or [id_ for _, id_ in feed(cluster, one)]
    until = sent[: sent.index(f"{small.id}:19") + 1]
    assert 38 <= len(until) <= 43
    shares = Counter(id_.split(":")[0] for id_ in until)
    assert max(shares[job.id] for job in crowd) - min(shares[job.id] for job in crowd) <= 1


def test_who_was_away_does_not_catch_up(cluster: Cluster) -> None:
    cluster.job_of(*chunks(400), owner="always")
    late = cluster.job_of(*chunks(1), owner="late")
    one = feeder(cluster, 20)
    for _ in range(6):
        feed(cluster, one)
    late = cluster.job_of(*chunks(50), owner="late")
    sent = [id_.split(":")[0] for _, id_ in feed(cluster, one)]
    assert abs(sent.count(late.id) - len(sent) / 2) <= 1


def test_a_full_queue_of_one_priority_does_not_hold_up_another(cluster: Cluster) -> None:
    cluster.job_of(*chunks(100), priority=Priority.BULK)
    urgent = cluster.job_of(*chunks(3), priority=Priority.INTERACTIVE)
    sent = feed(cluster, feeder(cluster), bulk=50)
    assert sent == [(Priority.INTERACTIVE, f"{urgent.id}:{n}") for n in range(3)]


def test_the_most_urgent_is_published_first(cluster: Cluster) -> None:
    for priority in (Priority.BULK, Priority.NORMAL, Priority.INTERACTIVE):
        cluster.job_of(*chunks(2), priority=priority)
    order = [priority for priority, _ in feed(cluster, feeder(cluster))]
    assert order == [Priority.INTERACTIVE] * 2 + [Priority.NORMAL] * 2 + [Priority.BULK] * 2


def test_jobs_of_one_owner_have_turns(cluster: Cluster) -> None:
    jobs = [cluster.job_of(*chunks(500)) for _ in range(3)]
    sent = [id_.split(":")[0] for _, id_ in feed(cluster, feeder(cluster), workers=20)]
    assert Counter(sent) == {job.id: 20 for job in jobs}


def test_a_paused_job_is_not_published(cluster: Cluster) -> None:
    job = cluster.job_of(*chunks(3))
    cluster.ledger.pause(job.id)
    assert feed(cluster, feeder(cluster)) == []
    cluster.ledger.resume(job.id)
    assert len(feed(cluster, feeder(cluster))) == 3


def test_chunks_of_a_scan_that_goes_on_are_published_already(cluster: Cluster) -> None:
    job = cluster.job(source=FolderSource("library"))
    cluster.ledger.add_chunk(job.id, 0, 0, refs(3))
    assert [id_ for _, id_ in feed(cluster, feeder(cluster))] == [f"{job.id}:0"]


def test_a_cancelled_job_is_not_published(cluster: Cluster) -> None:
    job = cluster.job_of(*chunks(3))
    cluster.ledger.request_cancel(job.id)
    assert feed(cluster, feeder(cluster)) == []


def test_what_could_not_be_published_is_published_later(cluster: Cluster) -> None:
    cluster.job_of(*chunks(3))
    one = feeder(cluster)
    cluster.sender.away = True
    with pytest.raises(StoreUnavailable):
        feed(cluster, one)
    cluster.sender.away = False
    assert len(feed(cluster, one)) == 3


def test_counts_workers_only(cluster: Cluster) -> None:
    for part, name in (("worker", "a"), ("worker", "b"), ("index", "c")):
        cluster.pulse.beat(part, name, {}, 20)
    assert workers_alive(cluster.pulse) == 2
    cluster.clock.advance(21)
    assert workers_alive(cluster.pulse) == 0
