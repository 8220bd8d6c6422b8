"""What people say of sounds themselves: kept, shown beside what was measured, and what filters go by."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.gateway import Gateway
from tests.api.test_security_owners import key_of
from workers.model import Key, Tempo


@pytest.fixture
def ids(gateway: Gateway) -> list[str]:
    minor = Key("C", "minor", "C minor", "5A", 0.9, 0.0, None)
    return [
        gateway.sample(f"{name}.wav", tempo=Tempo(bpm, 0.9, 8, (), None), key=minor)
        for name, bpm in (("a", 120.0), ("b", 60.0), ("c", 121.0))
    ]


def put(gateway: Gateway, sample_id: str, **said: Any) -> dict[str, Any]:
    answer = gateway.client.put(f"/v1/samples/{sample_id}/mark", json=said)
    assert answer.status_code == 200, answer.text
    kept: dict[str, Any] = answer.json()
    return kept


def names(gateway: Gateway, query: str) -> str:
    answer = gateway.client.get(f"/v1/samples?{query}")
    assert answer.status_code == 200, answer.text
    return "".join(sorted(item["files"][0]["path"][0] for item in answer.json()["items"]))


def test_it_is_shown_beside_what_was_measured(gateway: Gateway, ids: list[str]) -> None:
    assert gateway.client.get(f"/v1/samples/{ids[0]}").json()["yours"] is None
    said = put(gateway, ids[0], tags=["Dusty ", "dusty", "for  the album"], favourite=True, bpm=60, key="ebm")
    assert said == {"tags": ["dusty", "for the album"], "favourite": True, "bpm": 60.0, "key": "D# minor", "kind": None}
    shown = gateway.client.get(f"/v1/samples/{ids[0]}").json()
    assert shown["yours"] == said
    assert (shown["tempo"]["bpm"], shown["key"]["label"]) == (120.0, "C minor")
    assert gateway.client.get("/v1/samples/tags").json() == {"tags": {"dusty": 1, "for the album": 1}}
    gateway.index()
    hits = gateway.client.post("/v1/search", json={"like": {"sample": ids[1]}}).json()["items"]
    assert {hit["sample"]["sample_id"]: hit["sample"]["yours"] for hit in hits} == {ids[0]: said, ids[2]: None}


def test_it_can_be_taken_back(gateway: Gateway, ids: list[str]) -> None:
    put(gateway, ids[0], tags=["dusty"])
    for _ in range(2):
        assert gateway.client.delete(f"/v1/samples/{ids[0]}/mark").status_code == 204
    assert gateway.client.get(f"/v1/samples/{ids[0]}").json()["yours"] is None
    put(gateway, ids[0], favourite=True)
    put(gateway, ids[0])
    assert names(gateway, "favourite=true") == ""


def test_filters_go_by_what_people_say(gateway: Gateway, ids: list[str]) -> None:
    put(gateway, ids[0], bpm=60.0)
    put(gateway, ids[1], bpm=120.0, key="F minor", kind="loop")
    assert names(gateway, "bpm=118..122") == "bc"
    assert names(gateway, "bpm=60") == "a"
    assert names(gateway, "bpm=60&sort=bpm") == "a"
    assert names(gateway, "key=C minor") == "ac"
    assert names(gateway, "camelot=4A") == "b"
    assert names(gateway, "tonic=F&mode=minor&bpm=120") == "b"
    assert names(gateway, "kind=loop&corrected=true") == "ab"
    assert names(gateway, "text=b.wav&bpm=120") == "b"
    assert names(gateway, "text=a.wav&bpm=120") == ""
    assert gateway.client.get("/v1/samples/facets?bpm=118..122").json()["total"] == 2


def test_tags_and_stars_narrow_any_listing(gateway: Gateway, ids: list[str]) -> None:
    put(gateway, ids[0], tags=["dusty"], favourite=True)
    put(gateway, ids[1], tags=["album"])
    assert names(gateway, "tag=dusty") == "a"
    assert names(gateway, "tag=Dusty,album") == "ab"
    put(gateway, ids[2], tags=["for the album"])
    assert names(gateway, "tag=For  the album") == "c"
    assert names(gateway, "tag=dusty,album&bpm=..100") == "b"
    assert names(gateway, "tag=nobody's") == ""
    assert names(gateway, "favourite=true") == "a"
    assert names(gateway, "favourite=true&tag=album") == ""
    assert names(gateway, "corrected=true") == ""


def test_others_neither_see_nor_find_it(gateway: Gateway) -> None:
    ada, bob = key_of(gateway, "ada", "write"), key_of(gateway, "bob", "write")
    shared = gateway.sample("shared.wav", owner="ada")
    gateway.stores.samples.seen_at([(shared, gateway.stores.samples.get(shared).files[0])], owner="bob")
    mine = gateway.sample("mine.wav", owner="ada")
    assert gateway.client.put(f"/v1/samples/{shared}/mark", json={"tags": ["x"], "bpm": 99}, headers=ada).is_success
    for query, found in (("tag=x", 1), ("bpm=99", 1), ("corrected=true", 1)):
        assert len(gateway.client.get(f"/v1/samples?{query}", headers=ada).json()["items"]) == found
        assert gateway.client.get(f"/v1/samples?{query}", headers=bob).json()["items"] == []
    assert gateway.client.get(f"/v1/samples/{shared}", headers=bob).json()["yours"] is None
    assert gateway.client.get("/v1/samples/tags", headers=bob).json() == {"tags": {}}
    for method in ("PUT", "DELETE"):
        body = {"json": {}} if method == "PUT" else {}
        refused = gateway.client.request(method, f"/v1/samples/{mine}/mark", headers=bob, **body)
        assert refused.status_code == 404


@pytest.mark.parametrize(
    "said",
    [
        {"tags": ["a,b"]},
        {"tags": [" "]},
        {"tags": ["x" * 41]},
        {"tags": ["\ud800"]},
        {"tags": ["a\n\u0007"]},
        {"tags": [str(n) for n in range(21)]},
        {"bpm": 0},
        {"bpm": "NaN"},
        {"key": "H minor"},
        {"key": ""},
        {"kind": "noise"},
        {"star": True},
    ],
)
def test_what_makes_no_sense_is_refused(gateway: Gateway, ids: list[str], said: dict[str, Any]) -> None:
    body, kind = json.dumps(said), {"Content-Type": "application/json"}
    answer = gateway.client.put(f"/v1/samples/{ids[0]}/mark", content=body, headers=kind)
    assert answer.status_code == 422, answer.text
    assert gateway.client.get(f"/v1/samples/{ids[0]}").json()["yours"] is None
