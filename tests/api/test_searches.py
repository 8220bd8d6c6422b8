"""Saved searches: kept by a name, checked at once, asked anew each time."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.gateway import Gateway

LOOPS = {"query": {"bpm": "80..140", "sort": "-bpm"}}


@pytest.fixture
def library(gateway: Gateway) -> Gateway:
    for n, bpm in enumerate((70, 90, 100, 120)):
        gateway.sample(f"{n}.wav", tempo=tempo(bpm))
    gateway.index()
    return gateway


def tempo(bpm: float) -> Any:
    from workers.model import Tempo

    return Tempo(bpm, 0.9, 8, (), None)


def put(gateway: Gateway, name: str, body: dict[str, Any], status: int = 200) -> dict[str, Any]:
    answer = gateway.client.put(f"/v1/searches/{name}", json=body)
    assert answer.status_code == status, answer.text
    said: dict[str, Any] = answer.json()
    return said


def tempi(page: dict[str, Any]) -> list[float]:
    return [item["tempo"]["bpm"] for item in page["items"]]


def test_a_listing_is_kept_listed_asked_anew_and_forgotten(library: Gateway) -> None:
    assert put(library, "fast loops", LOOPS)["query"] == LOOPS["query"]
    (one,) = library.client.get("/v1/searches").json()["items"]
    assert one == library.client.get("/v1/searches/fast loops").json()
    assert (one["name"], one["query"]) == ("fast loops", LOOPS["query"])
    first = library.client.get("/v1/searches/fast loops/results?limit=2").json()
    assert tempi(first) == [120, 100]
    library.sample("new.wav", tempo=tempo(95))
    rest = library.client.get("/v1/searches/fast loops/results", params={"cursor": first["next"]}).json()
    assert (tempi(rest), rest["next"]) == ([95, 90], None)
    assert library.client.delete("/v1/searches/fast loops").status_code == 204
    for path in ("fast loops", "fast loops/results"):
        assert library.client.get(f"/v1/searches/{path}").status_code == 404
    assert library.client.delete("/v1/searches/fast loops").status_code == 404


def test_a_search_by_likeness_is_kept_with_its_aspects_and_its_filter(library: Gateway) -> None:
    like = library.client.get("/v1/samples").json()["items"][0]["sample_id"]
    search = {"like": {"sample": like}, "aspects": {"timbre": 1}, "where": {"bpm": [80, 140]}, "limit": 50}
    put(library, "like this", {"search": search})
    asked = library.client.post("/v1/search", json=search).json()
    found = library.client.get("/v1/searches/like this/results").json()
    assert found == {**asked, "next": None}
    assert len(found["items"]) >= 2
    assert library.client.get("/v1/searches/like this/results?limit=1").json()["items"] == found["items"][:1]
    assert library.client.get("/v1/searches/like this/results?cursor=x").status_code == 422


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("a", {}, "either a query or a search"),
        ("a", {**LOOPS, "search": {"like": {"sample": "x"}}}, "either a query or a search"),
        ("a", {"query": {"bpm": "fast"}}, "must be a number"),
        ("a", {"query": {"key": "H minor"}}, "key"),
        ("a", {"query": {"kind": "drum"}}, "kind"),
        ("a", {"query": {"cursor": "x"}}, "cursor"),
        ("a", {"query": {"sort": "name"}}, "sort"),
        ("a", {"search": {"like": {"sample": "x"}, "aspects": {"colour": 1}}}, "colour"),
        ("a", {"search": {"like": {"sample": "x"}, "aspects": {"timbre": 0}}}, "greater than 0"),
        ("a", {"search": {"like": {"sample": "x"}, "where": {"range": {"loudness": [0, 1]}}}}, "loudness"),
        ("%20a", LOOPS, "blanks"),
        ("a%0Ab", LOOPS, "printed"),
        ("a" * 101, LOOPS, "100"),
    ],
)
def test_what_makes_no_sense_is_not_kept(gateway: Gateway, name: str, body: dict[str, Any], said: str) -> None:
    assert said in str(put(gateway, name, body, 422))
    assert gateway.client.get("/v1/searches").json() == {"items": []}


def test_others_have_their_own_and_readers_keep_none(library: Gateway) -> None:
    put(library, "mine", LOOPS)
    keys = library.stores.keys
    reader = keys.create(name="r", owner="local", scopes=["read"], ttl_s=None)[1]
    other = keys.create(name="o", owner="ann", scopes=["read", "write"], ttl_s=None)[1]
    library.app.state.parts.gate.forget()

    def asked(secret: str, method: str, path: str, **more: Any) -> Any:
        return library.client.request(method, path, headers={"Authorization": f"Bearer {secret}"}, **more)

    assert asked(reader, "GET", "/v1/searches/mine").status_code == 200
    assert asked(reader, "PUT", "/v1/searches/mine", json=LOOPS).status_code == 403
    assert asked(other, "GET", "/v1/searches").json() == {"items": []}
    assert asked(other, "GET", "/v1/searches/mine/results").status_code == 404


def test_one_kept_by_another_version_says_so(gateway: Gateway) -> None:
    gateway.stores.searches.put("local", "old", {"query": {"tempo": "1..2"}})
    answer = gateway.client.get("/v1/searches/old/results")
    assert (answer.status_code, answer.json()["code"]) == (409, "search_outdated")
