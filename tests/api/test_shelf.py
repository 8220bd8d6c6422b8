"""Vectors that were met before are not read again, and their filter is the index's own."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from api.filters import index_filter
from api.shelf import Shelf, Shelved
from stores.filters import indexed
from stores.memory.vectors import MemoryVectors
from stores.records import PendingVector, SampleFilter
from tests.api.gateway import Gateway, vector

FACTS = [
    {"bpm": 120.0, "duration_s": 8.0, "kind": "loop", "key": "C minor", "camelot": "5A", "tonic": "C", "mode": "minor"},
    {"bpm": 60.0, "duration_s": 4.0, "kind": "loop", "key": "G minor", "camelot": "6A", "tonic": "G", "mode": "minor"},
    {"duration_s": 0.4, "kind": "one-shot"},
    {},
]
FILTERS = [
    SampleFilter(),
    SampleFilter(bpm=(118.0, 122.0)),
    SampleFilter(bpm=(118.0, 122.0), bpm_octaves=True),
    SampleFilter(bpm=(None, 100.0)),
    SampleFilter(kind=("loop", "track")),
    SampleFilter(kind="one-shot", duration_s=(0.1, 1.0)),
    SampleFilter(key="C minor"),
    SampleFilter(camelot=("5A", "6A"), tonic="G", mode="minor"),
]


@pytest.mark.parametrize("where", FILTERS)
def test_what_passes_is_what_the_index_itself_lets_through(where: SampleFilter) -> None:
    index = MemoryVectors()
    index.open(1)
    index.upsert([PendingVector(str(n), vector(timbre=[1]), facts) for n, facts in enumerate(FACTS)])
    by_index = {hit.id for hit in index.query(vector(timbre=[1]), limit=9, where=index_filter(where))}
    assert {str(n) for n, facts in enumerate(FACTS) if indexed(where, facts)} == by_index


def test_each_is_read_once_and_only_so_many_are_kept() -> None:
    asked: list[str] = []

    def fetch(ids: Sequence[str]) -> list[PendingVector]:
        asked.extend(ids)
        return [PendingVector(one, b"v" + one.encode(), {"kind": "loop"}) for one in ids if one != "nobody"]

    shelf = Shelf(fetch, 32)
    assert list(shelf.of(["b", "a", "nobody"])) == ["b", "a"]
    assert shelf.of(["a", "b"])["a"].vector == b"va"
    assert asked == ["b", "a", "nobody"]
    shelf.of([str(n) for n in range(31)])
    asked.clear()
    assert list(shelf.of(["b", "30"])) == ["b", "30"]
    assert asked == ["b"]
    shelf.clear()
    assert shelf.of(["30"])
    assert asked == ["b", "30"]
    assert list(Shelf(fetch, 0).of(["a", "b"])) == ["a", "b"]


def test_only_those_of_one_space_that_pass_are_candidates() -> None:
    loop = Shelved(b"", {"kind": "loop"})
    assert loop.passes(SampleFilter(kind="loop"), None)
    assert not loop.passes(SampleFilter(kind="one-shot"), None)
    kept = Shelved(b"", {"space": 2})
    assert kept.passes(SampleFilter(), 2)
    assert kept.passes(SampleFilter(), None)
    assert not kept.passes(SampleFilter(), 3)


def test_a_filter_that_few_pass_finds_them_behind_thousands_that_are_nearer(gateway: Gateway) -> None:
    from workers.model import Kind

    for n in range(5100):
        gateway.sample(f"near {n}.wav", vector=vector(timbre=[1, n / 100_000]))
    gateway.sample("rare.wav", vector=vector(timbre=[-1]), kind=Kind("one-shot", 0.9))
    gateway.index()
    body = {"like": {"vector": [1.0] + [0.0] * 127}, "where": {"kind": "one-shot"}}
    found = gateway.client.post("/v1/search", json=body).json()["items"]
    assert [hit["sample"]["files"][0]["path"] for hit in found] == ["rare.wav"]
