"""The map: every sound's place, page by page."""

from __future__ import annotations

import numpy as np

from tests.api.gateway import Gateway, vector
from workers import atlas
from workers.model import Kind


def test_each_sound_has_its_place_and_what_it_is_coloured_by(gateway: Gateway) -> None:
    vectors = [vector(timbre=[n, 1, 2], pitch=[1, n]) for n in range(3)]
    ids = [gateway.sample(f"loops/{n}.wav", vector=each) for n, each in enumerate(vectors)]
    said = gateway.client.get("/v1/map").json()
    assert sorted(said["ids"]) == sorted(ids)
    assert (said["version"], said["unplaced"], said["next"]) == ("2.1", 0, None)
    assert (said["kinds"], said["bpm"]) == (["loop"] * 3, [120.0] * 3)
    for n, each in enumerate(vectors):
        at = said["ids"].index(ids[n])
        assert said["names"][at] == f"{n}.wav"
        wanted = atlas.place(np.frombuffer(each, "<f4")[None])[0]
        assert np.allclose((said["x"][at], said["y"][at]), wanted, atol=1e-3)


def test_silence_has_no_place_and_is_counted(gateway: Gateway) -> None:
    gateway.sample("loops/silence.wav", vector=b"")
    said = gateway.client.get("/v1/map").json()
    assert (said["ids"], said["x"], said["unplaced"]) == ([], [], 1)


def test_it_goes_by_filters_and_pages(gateway: Gateway) -> None:
    for n in range(5):
        gateway.sample(f"loops/{n}.wav")
    shot = gateway.sample("kicks/k.wav", kind=Kind("one-shot", 0.9))
    assert gateway.client.get("/v1/map?kind=one-shot").json()["ids"] == [shot]
    seen, cursor = [], None
    while True:
        page = gateway.client.get("/v1/map", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        seen += page["ids"]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 6
    assert gateway.client.get("/v1/map?limit=0").status_code == 422
    assert gateway.client.get("/v1/map?cursor=nonsense").status_code == 422
    assert gateway.client.get("/v1/map?nothing=1").status_code == 422


def test_nobody_sees_sounds_of_others_on_it(gateway: Gateway) -> None:
    gateway.sample("loops/a.wav")
    made = gateway.client.post("/v1/keys", json={"name": "a", "scopes": ["admin", "read"]}).json()
    admin = {"X-API-Key": made["secret"]}
    asked = {"name": "b", "scopes": ["read"], "owner": "somebody else"}
    other = gateway.client.post("/v1/keys", json=asked, headers=admin).json()["secret"]
    assert gateway.client.get("/v1/map", headers={"X-API-Key": other}).json()["ids"] == []
    assert gateway.client.get("/v1/map").status_code == 401
