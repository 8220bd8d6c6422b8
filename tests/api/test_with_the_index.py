"""Search over a real Chroma: its filters, its scores, its generations."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from config.settings import ChromaSettings
from stores.memory import MemoryStores
from stores.vectors import ChromaVectors
from tests.api.gateway import HERE, Gateway, Sent, make_settings, vector
from workers.model import Kind, Tempo

pytestmark = pytest.mark.integration


@pytest.fixture
def gateway(tmp_path: Path, chroma_url: str) -> Iterator[Gateway]:
    """The gateway over a real index; the ledger is a twin."""
    settings, stores, sent = make_settings(tmp_path), MemoryStores(), Sent()
    index = ChromaVectors(ChromaSettings(url=chroma_url, collection=f"gateway-{uuid.uuid4().hex[:12]}"))
    stores.vectors = index  # type: ignore[assignment]
    app = create_app(settings, stores=stores, vectors=index, pulse=stores.pulse, sender=sent)
    client = TestClient(app, base_url="http://127.0.0.1:8000", client=HERE, raise_server_exceptions=False)
    with client:
        yield Gateway(app, settings, stores, sent, client)
    index.close()


def test_neighbours_come_in_their_order_and_through_every_filter(gateway: Gateway) -> None:
    here = gateway.sample("here.wav", vector=vector(timbre=[3, 0], rhythm=[3, 0]))
    gateway.sample("timbre.wav", vector=vector(timbre=[1, 0], rhythm=[0, 1]), tempo=Tempo(90.0, 0.9, 8, (), None))
    gateway.sample("rhythm.wav", vector=vector(timbre=[0, 1], rhythm=[1, 0]), kind=Kind("one-shot", 0.9))
    gateway.index()

    def search(**more: object) -> list[tuple[str, float]]:
        answer = gateway.client.post("/v1/search", json={"like": {"sample": here}, "include_self": True, **more})
        assert answer.status_code == 200, answer.text
        return [(hit["sample"]["files"][0]["path"], hit["score"]) for hit in answer.json()["items"]]

    assert search()[0] == ("here.wav", 1.0)
    scores = dict(search(aspects={"timbre": 3, "rhythm": 1}))
    assert scores["timbre.wav"] == pytest.approx(0.75, abs=1e-3)
    assert scores["rhythm.wav"] == pytest.approx(0.25, abs=1e-3)
    assert [name for name, _ in search(where={"bpm": [80, 100], "kind": "loop"})] == ["timbre.wav"]
    assert [name for name, _ in search(where={"kind": "one-shot"})] == ["rhythm.wav"]
    assert search(where={"key": "D minor"}) == []
    gateway.stores.samples.next_generation(1)
    gateway.index()
    assert search()[0] == ("here.wav", 1.0)
