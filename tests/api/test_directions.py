"""What a page keeps to compare sounds by while the gateway is away."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest

from api.similarity import compare, unpack, weights_of
from tests.api.gateway import Gateway
from workers.model import ASPECTS, VECTOR_DIMENSIONS


def _vectors(count: int) -> list[bytes]:
    rng = np.random.default_rng(7)
    return [rng.normal(0, 1, VECTOR_DIMENSIONS).astype("<f4").tobytes() for _ in range(count)]


def _ask(gateway: Gateway, ids: list[str], **headers: str) -> Any:
    return gateway.client.post("/v1/samples/directions", json={"ids": ids}, headers=headers)


def test_their_products_are_what_a_search_says_of_each_aspect(gateway: Gateway) -> None:
    vectors = _vectors(6)
    ids = [gateway.sample(f"loops/{n}.wav", vector=each) for n, each in enumerate(vectors)]
    said = _ask(gateway, [*ids, ids[0], "nothing"]).json()
    rows = np.frombuffer(base64.b64decode(said["directions"]), np.int8).reshape(-1, VECTOR_DIMENSIONS) / 127
    assert sorted(said["ids"]) == sorted(ids)
    assert set(said["spaces"]) == {gateway.stores.samples.get(ids[0]).space}
    query = unpack(vectors[0])
    exact = compare(query, dict(zip(ids, vectors, strict=True)), weights_of(None, query))
    ours = rows[said["ids"].index(ids[0])]
    for one, likeness in exact.items():
        row = rows[said["ids"].index(one)]
        for name, (start, end) in said["aspects"].items():
            assert ours[start:end] @ row[start:end] == pytest.approx(likeness.aspects[name], abs=0.02)
    assert set(said["aspects"]) == set(ASPECTS)


def test_silence_has_none_and_sounds_of_others_are_not_given(gateway: Gateway) -> None:
    silent = gateway.sample("loops/silence.wav", vector=b"")
    theirs = gateway.sample("loops/theirs.wav", vector=_vectors(1)[0], owner="somebody else")
    assert _ask(gateway, [silent]).json() | {"aspects": 0} == {"aspects": 0, "ids": [], "spaces": [], "directions": ""}
    made = gateway.client.post("/v1/keys", json={"name": "a", "scopes": ["admin", "read"]}).json()
    asked = {"name": "b", "scopes": ["read"], "owner": "b"}
    other = gateway.client.post("/v1/keys", json=asked, headers={"X-API-Key": made["secret"]}).json()["secret"]
    assert _ask(gateway, [theirs], **{"X-API-Key": made["secret"]}).json()["ids"] == [theirs]
    assert _ask(gateway, [theirs], **{"X-API-Key": other}).json()["ids"] == []
    assert _ask(gateway, [theirs]).status_code == 401
    assert _ask(gateway, [], **{"X-API-Key": other}).status_code == 422
