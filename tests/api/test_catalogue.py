"""The index in memory: it lets through what the index lets through, finds the nearest, and keeps up with it."""

from __future__ import annotations

import random

import pytest

from api import catalogue as catalogue_module
from api.catalogue import Catalogue
from api.filters import index_filter
from api.similarity import pack, unit, unpack
from stores.memory.vectors import MemoryVectors
from stores.records import PendingVector, SampleFilter
from tests.api.gateway import Gateway, vector
from tests.api.test_shelf import FACTS, FILTERS

TOWARDS = vector(timbre=[1])


def made(count: int, start: int = 0) -> list[PendingVector]:
    chosen = random.Random(start)
    return [
        PendingVector(
            f"{n:04}",
            pack(unit(unpack(vector(timbre=[chosen.uniform(-1, 1), 1], pitch=[chosen.uniform(-1, 1)])))),
            {**FACTS[n % len(FACTS)], "space": 2},
        )
        for n in range(start, start + count)
    ]


@pytest.fixture
def index() -> MemoryVectors:
    index = MemoryVectors()
    index.open(1)
    return index


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every search looks whether there is more."""
    monkeypatch.setattr(catalogue_module, "_FRESH_S", -1.0)


def ids(catalogue: Catalogue, where: SampleFilter, most: int = 99) -> list[str] | None:
    found = catalogue.best(TOWARDS, where, None, most)
    return None if found is None else list(found[0])


@pytest.mark.parametrize("where", FILTERS)
@pytest.mark.parametrize("most", [3, 99])
def test_it_finds_what_the_index_finds_in_its_order(index: MemoryVectors, where: SampleFilter, most: int) -> None:
    index.upsert(made(40))
    hits = index.query(TOWARDS, limit=most, where=index_filter(where))
    catalogue = Catalogue(index, 100)
    found = catalogue.best(TOWARDS, where, 2, most)
    assert found is not None
    assert found == ({hit.id: hit.vector for hit in hits}, len(hits) < most)
    assert list(found[0]) == [hit.id for hit in hits]


def test_vectors_of_another_space_are_not_compared(index: MemoryVectors) -> None:
    index.upsert(made(4))
    catalogue = Catalogue(index, 100)
    assert catalogue.best(TOWARDS, SampleFilter(), 3, 9) == ({}, True)


@pytest.mark.usefixtures("fresh")
def test_what_is_written_and_removed_is_followed(index: MemoryVectors) -> None:
    index.upsert(made(8))
    catalogue = Catalogue(index, 100)
    loops = SampleFilter(kind="loop")

    def there() -> set[str]:
        return set(ids(catalogue, loops) or ())

    assert there() == {"0000", "0001", "0004", "0005"}
    index.upsert(made(4, 8))
    assert there() == {"0000", "0001", "0004", "0005", "0008", "0009"}
    index.remove(["0000", "0001"])
    index.upsert(made(4, 12))
    there()
    assert there() == {"0004", "0005", "0008", "0009", "0012", "0013"}


@pytest.mark.usefixtures("fresh")
def test_a_large_index_is_read_behind_the_searches(index: MemoryVectors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue_module, "_AT_ONCE", 10)
    monkeypatch.setattr(catalogue_module, "_PAGE", 20)
    index.upsert(made(60))
    catalogue = Catalogue(index, 100)
    assert not catalogue.read_ahead()  # nobody has searched with a filter
    assert ids(catalogue, SampleFilter(kind="loop")) is None
    assert [catalogue.read_ahead() for _ in range(4)] == [True, True, False, False]
    assert len(ids(catalogue, SampleFilter(kind="loop")) or ()) == 30
    catalogue.clear()
    assert ids(catalogue, SampleFilter(kind="loop")) is None


@pytest.mark.usefixtures("fresh")
def test_an_index_that_is_too_large_is_not_kept(index: MemoryVectors) -> None:
    index.upsert(made(20))
    catalogue = Catalogue(index, 30)
    assert ids(catalogue, SampleFilter(kind="loop")) is not None
    index.upsert(made(20, 20))
    assert ids(catalogue, SampleFilter(kind="loop")) is None
    assert not catalogue.read_ahead()


def test_a_search_with_a_filter_asks_no_graph_once_all_is_read(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    like, *others = [gateway.sample(f"{n}.wav") for n in range(3)]
    gateway.index()
    body = {"like": {"sample": like}, "where": {"kind": ["one-shot", "loop"]}}

    def refused(*_: object, **__: object) -> None:
        raise AssertionError

    for name in ("near", "query"):
        monkeypatch.setattr(gateway.stores.vectors, name, refused)
    found = gateway.client.post("/v1/search", json=body).json()["items"]
    assert {hit["sample"]["sample_id"] for hit in found} == set(others)
