"""Samples by several values, related keys, any number; sorted; and counted."""

from __future__ import annotations

import pytest

from api.asking import Where
from api.errors import Problem
from api.filters import index_filter, search_filter
from api.spelling import related
from api.turns import Turns
from stores.records import SampleFilter
from tests.api.gateway import Gateway
from workers.model import Key, Kind, Tempo


def _tempo(bpm: float, confidence: float = 0.9) -> Tempo:
    return Tempo(bpm, confidence, 8, (), None)


def _key(label: str | None, place: str | None) -> Key:
    tonic, mode = label.split() if label else (None, None)
    return Key(tonic, mode, label, place, 0.9, 0.0, None)  # type: ignore[arg-type]


@pytest.fixture
def library(gateway: Gateway) -> Gateway:
    gateway.sample("a.wav", tempo=_tempo(60.0), key=_key("C minor", "5A"))
    gateway.sample("b.wav", tempo=_tempo(120.0, 0.5), key=_key("D# major", "5B"))
    gateway.sample(
        "c.wav", tempo=Tempo(None, 0.0, None, (), "no pulse"), kind=Kind("one-shot", 0.9), key=_key(None, None)
    )
    gateway.sample("d.wav", tempo=_tempo(240.0), key=_key("F minor", "4A"))
    return gateway


def names(gateway: Gateway, query: str) -> list[str]:
    answer = gateway.client.get(f"/v1/samples?{query}")
    assert answer.status_code == 200, answer.text
    return [item["files"][0]["path"][0] for item in answer.json()["items"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("key=C minor,F minor", "ad"),
        ("key=cm", "a"),
        ("key=Cm&key_relation=relative", "ab"),
        ("key=Cm&key_relation=neighbours", "abd"),
        ("key=Eb major&key_relation=relative", "ab"),
        ("camelot=5A&key_relation=neighbours", "abd"),
        ("camelot=4A,5B&key_relation=relative", "abd"),
        ("kind=one-shot", "c"),
        ("bpm=118..122", "b"),
        ("bpm=118..122&bpm_octaves=true", "abd"),
        ("range=tempo.confidence:0.8..", "ad"),
        ("range=tempo.confidence:0.8..&range=tempo.beats:8", "ad"),
        ("range=loudness.integrated_lufs:-200..-100", ""),
    ],
)
def test_each_filter_finds_its_own(library: Gateway, query: str, found: str) -> None:
    assert sorted(names(library, query)) == list(found)


@pytest.mark.parametrize(("sort", "order"), [("bpm", "abdc"), ("-bpm", "dbac"), ("-added", "dcba"), ("added", "abcd")])
def test_a_listing_is_sorted_and_goes_on_where_it_ended(library: Gateway, sort: str, order: str) -> None:
    assert names(library, f"sort={sort}") == list(order)
    first = library.client.get(f"/v1/samples?sort={sort}&limit=3").json()
    rest = names(library, f"sort={sort}&limit=3&cursor={first['next']}")
    assert [item["files"][0]["path"][0] for item in first["items"]] + rest == list(order)
    refused = library.client.get(f"/v1/samples?sort=duration&cursor={first['next']}")
    assert (refused.status_code, refused.json()["code"]) == (422, "bad_cursor")


def test_what_matches_is_counted(library: Gateway) -> None:
    said = library.client.get("/v1/samples/facets?bpm=1..").json()
    assert said["total"] == 3
    assert said["counts"]["tempo"] == {"60": 1, "120": 1, "240": 1}
    assert said["counts"]["key"] == {"C minor": 1, "D# major": 1, "F minor": 1}


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("sort=name", "sort"),
        ("key=Cm&key_relation=parallel", "key_relation"),
        ("range=tempo.confidence", "range"),
        ("range=tempo.confidence:a", "tempo.confidence"),
        ("range=tempo.$where:0..1", "no number"),
        ("kind=loop,", "kind has an empty value"),
        ("bpm=118...122", "two dots"),
        ("bpm=118..120&bpm=122", "more than once"),
        ("sort=bpm&sort=-bpm", "more than once"),
        ("key_relation=relative", "key_relation"),
        ("bpm_octaves=true", "bpm_octaves"),
        ("camelot=13A,5A&key_relation=relative", "13A"),
        ("key=H minor,C minor&key_relation=relative", "H minor"),
        ("range=tempo.bpm:100..", "filter of its own: bpm"),
        ("instrument=kazoo", "instrument"),
        ("limit=5&facets=1", "facets"),
    ],
)
def test_what_makes_no_sense_is_said_by_name(library: Gateway, query: str, word: str) -> None:
    answer = library.client.get(f"/v1/samples?{query}")
    assert answer.status_code == 422, answer.text
    assert word in answer.json()["detail"]


def test_few_ask_for_sorted_and_counted_listings_at_once(library: Gateway) -> None:
    turns = Turns(at_once=1, waiting=0)
    object.__setattr__(library.app.state.parts, "turns", turns)
    with turns.one():
        for query in ("?sort=bpm", "/facets"):
            answer = library.client.get(f"/v1/samples{query}")
            assert (answer.status_code, answer.json()["code"]) == (503, "busy")
            assert answer.headers["Retry-After"] == "2"
        assert library.client.get("/v1/samples").status_code == 200
    for query in ("?sort=bpm", "/facets", "?sort=bpm"):
        assert library.client.get(f"/v1/samples{query}").status_code == 200


def test_who_waits_too_long_comes_again() -> None:
    turns = Turns(at_once=1, waiting=1, patience_s=0.01)
    with turns.one(), pytest.raises(Problem), turns.one():
        pass
    with turns.one():
        pass


def test_facets_take_no_page(library: Gateway) -> None:
    assert library.client.get("/v1/samples/facets?limit=5").status_code == 422


def test_the_wheel_goes_round() -> None:
    keys = related(SampleFilter(key="E major"), "neighbours").key  # 12B: 12A, 11B, 1B
    assert set(keys or ()) == {"E major", "C# minor", "A major", "B major"}
    keys = related(SampleFilter(key="B major"), "neighbours").key  # 1B: 1A, 12B, 2B
    assert set(keys or ()) == {"B major", "G# minor", "E major", "F# major"}
    assert related(SampleFilter(key=("E major", "A major")), "relative").key == (
        "E major",
        "C# minor",
        "A major",
        "F# minor",
    )
    assert related(SampleFilter(kind="loop"), "neighbours") == SampleFilter(kind="loop")


def test_a_search_asks_the_index_for_any_of_several() -> None:
    where = Where.model_validate(
        {"bpm": [118, 122], "bpm_octaves": True, "key": ["Cm", "F minor"], "kind": "loop", "duration": [None, 5]}
    )
    tempi = [{"$and": [{"bpm": {"$gte": 118 * n}}, {"bpm": {"$lte": 122 * n}}]} for n in (0.5, 1.0, 2.0)]
    assert index_filter(search_filter(where)) == {
        "$and": [
            {"duration_s": {"$lte": 5.0}},
            {"$or": tempi},
            {"key": {"$in": ["C minor", "F minor"]}},
            {"kind": {"$eq": "loop"}},
        ]
    }
    assert index_filter(search_filter(Where())) is None


def test_a_search_finds_through_the_new_filters(library: Gateway) -> None:
    library.index()
    like = library.client.get("/v1/samples?kind=one-shot").json()["items"][0]["sample_id"]
    asked = {
        "like": {"sample": like},
        "where": {"key": "C minor", "key_relation": "neighbours", "bpm": [119, 121], "bpm_octaves": True},
    }
    answer = library.client.post("/v1/search", json=asked)
    assert answer.status_code == 200, answer.text
    assert sorted(hit["sample"]["files"][0]["path"][0] for hit in answer.json()["items"]) == ["a", "b", "d"]
