from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from stores.records import FileRef, NewSample, Origin
from tasks.index import IndexWriter
from tests.tasks.twins import Cluster, analysis
from workers.errors import StoreUnavailable, VectorIndexBroken


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def writer(cluster: Cluster, name: str = "one", **doors: Any) -> IndexWriter:
    return IndexWriter(
        doors.get("ledger", cluster.ledger),
        doors.get("samples", cluster.samples),
        doors.get("vectors", cluster.stores.vectors),
        cluster.pulse,
        batch_size=10,
        idle_s=2,
        holder=name,
        clock=cluster.clock,
    )


def add(cluster: Cluster, count: int, first: int = 0) -> None:
    """Write samples, five at a time."""
    for start in range(first, first + count, 5):
        cluster.samples.insert([new(n) for n in range(start, min(start + 5, first + count))])


def new(n: int) -> NewSample:
    said = analysis()
    return NewSample(
        id=f"s{n}",
        content=f"{n}",
        analyzer="1",
        analysis=said.to_dict(),
        vector=said.vector,
        peaks=b"",
        mel=b"",
        origin=Origin("job", n),
        owner="me",
        file=FileRef("library", f"{n}.wav"),
    )


def test_an_index_full_of_replaced_vectors_is_well_and_is_renewed_when_there_are_many(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.index._SURPLUS", 12)
    add(cluster, 20)
    one = writer(cluster)
    drain(cluster, one)
    cluster.samples.insert([replace(new(n), id=f"{n}-2", analyzer="2") for n in range(10)])
    drain(cluster, one)
    cluster.clock.advance(100)
    drain(cluster, one)
    assert (cluster.stores.vectors.probe(), cluster.samples.generation()) == (30, 1)
    cluster.samples.insert([replace(new(n), id=f"{n}-2", analyzer="2") for n in range(10, 20)])
    drain(cluster, one)
    cluster.clock.advance(100)
    drain(cluster, one)
    drain(cluster, one)
    assert (cluster.stores.vectors.probe(), cluster.samples.generation()) == (20, 2)


def drain(cluster: Cluster, one: IndexWriter, rounds: int = 50) -> None:
    for _ in range(rounds):
        cluster.clock.advance(1)
        if one.round() == 2:
            return
    raise AssertionError("never idle")


def test_writes_every_vector_and_then_waits(cluster: Cluster) -> None:
    add(cluster, 25)
    one = writer(cluster)
    drain(cluster, one)
    assert cluster.stores.vectors.probe() == cluster.samples.indexed_count() == 25
    add(cluster, 5, first=25)
    drain(cluster, one)
    assert cluster.stores.vectors.probe() == 30


def test_a_broken_index_is_rebuilt_as_the_next_generation(cluster: Cluster) -> None:
    add(cluster, 25)
    one = writer(cluster)
    drain(cluster, one)
    cluster.stores.vectors.broken = True
    cluster.clock.advance(100)
    drain(cluster, one)
    assert cluster.samples.generation() == 2
    assert cluster.stores.vectors.probe() == cluster.samples.indexed_count() == 25


def test_an_index_that_lost_vectors_is_rebuilt_at_the_start(cluster: Cluster) -> None:
    add(cluster, 25)
    drain(cluster, writer(cluster))
    cluster.stores.vectors._kept.popitem()
    drain(cluster, writer(cluster))
    assert cluster.samples.generation() == 2
    assert cluster.stores.vectors.probe() == 25


def test_a_crash_between_writing_and_marking_costs_nothing(cluster: Cluster) -> None:
    """The index then holds more than is marked; that is no damage and must not start a rebuild of millions."""
    add(cluster, 25)

    class Crashes:
        def __getattr__(self, name: str) -> Any:
            if name == "sent":
                raise KeyboardInterrupt
            return getattr(cluster.samples, name)

    with pytest.raises(KeyboardInterrupt):
        writer(cluster, samples=Crashes()).round()
    assert cluster.stores.vectors.probe() == 10
    drain(cluster, writer(cluster))
    assert cluster.samples.generation() == 1
    assert cluster.stores.vectors.probe() == cluster.samples.indexed_count() == 25


def test_only_one_of_two_writes(cluster: Cluster) -> None:
    first, second = writer(cluster, "first"), writer(cluster, "second")
    assert first.round() == 2
    add(cluster, 5)
    assert second.round() == 2
    assert cluster.samples.indexed_count() == 0
    first.leave()
    second.round()
    assert cluster.samples.indexed_count() == 5


def test_after_chroma_was_away_the_index_is_opened_and_looked_at_anew(cluster: Cluster) -> None:
    opened: list[int] = []
    away = iter([False, True])

    class Away:
        def __getattr__(self, name: str) -> Any:
            if name == "open":
                opened.append(1)
            if name == "upsert" and next(away, False):
                raise StoreUnavailable
            return getattr(cluster.stores.vectors, name)

    add(cluster, 25)
    one = writer(cluster, vectors=Away())
    one.round()
    with pytest.raises(StoreUnavailable):
        one.round()
    drain(cluster, one)
    assert len(opened) == 2
    assert cluster.stores.vectors.probe() == 25
    assert cluster.samples.generation() == 1


def test_an_index_that_breaks_again_and_again_is_rebuilt_ever_more_seldom(cluster: Cluster) -> None:
    class Broken:
        def __getattr__(self, name: str) -> Any:
            if name == "upsert":
                raise VectorIndexBroken
            return getattr(cluster.stores.vectors, name)

    add(cluster, 1)
    one = writer(cluster, vectors=Broken())
    pauses = [one.round() for _ in range(5)]
    assert pauses == sorted(pauses)
    assert pauses[-1] >= 1
