"""The audit of the index: what it finds, what it mends, and that it is quiet where all is well."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from stores.memory import MemoryVectors
from stores.records import Hit, PendingVector
from tasks.audit import Audit
from tests.tasks.test_index import add, drain, writer
from tests.tasks.twins import Cluster


@pytest.fixture
def cluster() -> Cluster:
    """700 vectors that are indexed."""
    cluster = Cluster()
    add(cluster, 700)
    drain(cluster, writer(cluster), rounds=200)
    return cluster


def audit(cluster: Cluster, vectors: MemoryVectors | None = None) -> Audit:
    return Audit(cluster.samples, vectors or cluster.stores.vectors, 3600, cluster.clock)


def walk(one: Audit, steps: int = 20) -> bool:
    """One whole walk; whether vectors are found by no query."""
    walks = one.walks
    for _ in range(steps):
        said = one.step()
        if one.walks > walks:
            return said
    raise AssertionError("it does not end")


def test_an_index_that_is_well_is_left_alone(cluster: Cluster) -> None:
    one = audit(cluster)
    assert one.facts() == {}
    assert not walk(one)
    assert one.last is not None
    assert (one.last.compared, one.last.mended, one.last.asked, one.last.unreachable) == (700, 0, 24, 0)
    assert one.facts()["audit_compared"] == 700
    assert one.facts()["audits"] == 1


def test_between_two_walks_it_rests(cluster: Cluster) -> None:
    one = audit(cluster)
    walk(one)
    for _ in range(5):
        cluster.clock.advance(700)
        one.step()
    assert one.walks == 1
    cluster.clock.advance(200)
    walk(one)
    assert one.walks == 2


def test_what_is_missing_changed_or_too_much_is_mended(cluster: Cluster) -> None:
    kept = cluster.stores.vectors._kept
    ids = sorted(kept)
    gone, changed = kept.pop(ids[3]), kept[ids[500]]
    kept[ids[500]] = PendingVector(changed.id, b"\0\0\x80?" + b"\0" * (len(changed.vector) - 4), {})
    kept["nobody's"] = PendingVector("nobody's", gone.vector, {})
    kept["nobody's either"] = PendingVector("nobody's either", gone.vector, {})
    one = audit(cluster)
    assert not walk(one)
    assert one.last is not None
    assert (one.last.missing, one.last.different, one.last.extra) == (1, 1, 2)
    assert kept.keys() == {each.id for each in cluster.samples.walk("", 1000).vectors}
    assert kept[ids[500]] == changed
    cluster.clock.advance(3600)
    walk(one)
    assert one.last.mended == 0


def test_vectors_that_no_query_finds_have_the_index_made_anew_beside_the_old(cluster: Cluster) -> None:
    """Chroma may hold a vector, count it and give it out, and not reach it by any query (chroma#7758)."""

    class Deaf(MemoryVectors):
        def query(self, vector: bytes, *, limit: int, where: Mapping[str, object] | None = None) -> list[Hit]:
            return [] if self._generation == 1 else super().query(vector, limit=limit, where=where)

    vectors = Deaf(cluster.stores.vectors._all)
    one = writer(cluster, vectors=vectors)
    for _ in range(400):
        cluster.clock.advance(2)
        one.round()
        if cluster.samples.generation() == 2:
            break
    assert (cluster.samples.generation(), cluster.samples.serving()) == (2, 1)
    drain(cluster, one, rounds=200)
    assert (cluster.samples.generation(), cluster.samples.serving()) == (2, 2)
    assert vectors._all.keys() == {2}
    assert vectors.probe() == 700


def test_searches_stay_with_the_old_index_until_the_new_one_is_whole(cluster: Cluster) -> None:
    one = writer(cluster)
    drain(cluster, one)
    assert cluster.samples.next_generation(1, beside=True) == 2
    for _ in range(10):
        one.round()
        assert cluster.samples.serving() == 1
        assert cluster.stores.vectors._all[1].keys() > cluster.stores.vectors._all[2].keys()
    add(cluster, 5, first=700)  # what comes meanwhile is in the new one when it serves
    drain(cluster, one, rounds=200)
    assert cluster.samples.serving() == 2
    assert len(cluster.stores.vectors._all[2]) == 705
    assert cluster.stores.vectors._all.keys() == {2}
