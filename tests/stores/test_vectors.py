"""The vector index on a real Chroma server."""

from __future__ import annotations

import os
import signal
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import numpy as np
import psutil
import pytest
from chromadb.errors import InternalError

from config.settings import ChromaSettings
from stores.records import PendingVector
from stores.vectors import ChromaVectors, _chroma_door
from tests.servers import chroma_server, running
from workers.errors import BadFilter, StoreUnavailable, VectorIndexBroken

pytestmark = pytest.mark.integration


@pytest.fixture
def settings(chroma_url: str) -> ChromaSettings:
    return ChromaSettings(url=chroma_url, collection=f"t{uuid4().hex}")


@pytest.fixture
def vectors(settings: ChromaSettings) -> Iterator[ChromaVectors]:
    vectors = ChromaVectors(settings)
    vectors.open(1)
    yield vectors
    vectors.close()


def some(count: int, dimensions: int = 128) -> list[PendingVector]:
    rng = np.random.default_rng(7)
    values = rng.standard_normal((count, dimensions)).astype("<f4")
    return [PendingVector(f"s{n}", values[n].tobytes(), {"bpm": 100.0 + n, "key": "C minor"}) for n in range(count)]


def test_each_vector_finds_itself_first(vectors: ChromaVectors) -> None:
    kept = some(200)
    vectors.upsert(kept[:100])
    vectors.upsert(kept[100:])
    assert vectors.probe() == 200
    for one in kept[::20]:
        hits = vectors.query(one.vector, limit=5)
        assert hits[0].id == one.id
        assert hits[0].score == pytest.approx(1, abs=1e-5)
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
        a, b = (struct.unpack("<128f", each) for each in (hits[0].vector, one.vector))
        assert np.dot(a, b) / np.linalg.norm(a) / np.linalg.norm(b) == pytest.approx(1, abs=1e-5)


def test_names_alone_are_the_same_in_the_same_order_and_what_is_kept_beside_them_can_be_read(
    vectors: ChromaVectors,
) -> None:
    kept = some(60)
    vectors.upsert(kept)
    asked = kept[7].vector
    names = vectors.near(asked, limit=20)
    assert names == [hit.id for hit in vectors.query(asked, limit=20)]
    read = {one.id: one for one in vectors.described(["s3", "nobody", "s9"])}
    assert {id_: dict(one.metadata) for id_, one in read.items()} == {
        "s3": {"bpm": 103.0, "key": "C minor"},
        "s9": {"bpm": 109.0, "key": "C minor"},
    }
    assert read["s3"].vector == vectors.held(["s3"])["s3"]


def test_writing_twice_has_the_effect_of_once(vectors: ChromaVectors) -> None:
    vectors.upsert(some(20))
    vectors.upsert(some(20))
    assert vectors.probe() == 20


def test_writing_nothing_is_nothing(vectors: ChromaVectors) -> None:
    vectors.upsert([])
    assert vectors.probe() == 0
    assert vectors.query(some(1)[0].vector, limit=3) == []


def test_what_is_there_can_be_read_back_listed_and_removed(vectors: ChromaVectors) -> None:
    kept = some(7)
    vectors.upsert(kept)
    held = vectors.held(["s1", "s5", "nobody"])
    assert held.keys() == {"s1", "s5"}
    a, b = (np.frombuffer(each, "<f4") for each in (held["s1"], kept[1].vector))
    assert np.dot(a, b) / np.linalg.norm(a) / np.linalg.norm(b) == pytest.approx(1, abs=1e-5)
    assert sorted(vectors.ids(0, 4) + vectors.ids(4, 4)) == [each.id for each in kept]
    vectors.remove(["s1", "nobody"])
    vectors.remove([])
    assert vectors.probe() == 6


def test_a_vector_without_metadata_is_taken(vectors: ChromaVectors) -> None:
    vectors.upsert([PendingVector("bare", some(1)[0].vector, {})])
    assert vectors.probe() == 1


def test_filters_by_what_is_known(vectors: ChromaVectors) -> None:
    kept = some(50)
    vectors.upsert(kept)
    where = {"$and": [{"bpm": {"$gte": 110}}, {"bpm": {"$lt": 113}}, {"key": "C minor"}]}
    assert {hit.id for hit in vectors.query(kept[0].vector, limit=50, where=where)} == {"s10", "s11", "s12"}


@pytest.mark.parametrize("where", [{"bpm": {"$around": 1}}, {"$and": []}, {"bpm": [1]}])
def test_refuses_filters_it_does_not_understand(vectors: ChromaVectors, where: dict[str, object]) -> None:
    vectors.upsert(some(2))
    with pytest.raises(BadFilter):
        vectors.query(some(1)[0].vector, limit=1, where=where)


def test_generations_stand_beside_each_other_until_the_older_are_dropped(settings: ChromaSettings) -> None:
    other = ChromaVectors(settings.model_copy(update={"collection": f"{settings.collection}-x"}))
    old, new = ChromaVectors(settings), ChromaVectors(settings)
    other.open(1)
    old.open(1)
    old.upsert(some(3))
    new.open(2)
    assert (new.probe(), old.probe()) == (0, 3)
    new.drop_older(2)
    assert new.probe() == 0
    assert other.probe() == 0
    with pytest.raises(VectorIndexBroken):
        old.probe()
    for one in (other, old, new):
        one.close()


def test_has_the_figures_of_the_settings_and_refuses_a_collection_with_others(
    vectors: ChromaVectors, settings: ChromaSettings
) -> None:
    assert vectors._collection is not None
    found = vectors._collection.configuration_json["hnsw"]
    assert (found["space"], found["ef_construction"], found["ef_search"], found["max_neighbors"]) == (
        "cosine",
        200,
        64,
        32,
    )
    assert found["sync_threshold"] == 100
    other = ChromaVectors(settings.model_copy(update={"max_neighbors": 16}))
    with pytest.raises(VectorIndexBroken):
        other.open(1)
    other.open(2)
    other.close()


def test_parting_from_the_index_leaves_no_connection(settings: ChromaSettings) -> None:
    def connections() -> int:
        return len(psutil.Process().net_connections())

    before = connections()
    for _ in range(3):
        vectors = ChromaVectors(settings)
        vectors.open(1)
        assert connections() == before + 1
        vectors.close()
    assert connections() == before


def test_a_collection_that_is_gone_is_broken(vectors: ChromaVectors) -> None:
    assert vectors._client is not None
    vectors._client.delete_collection(vectors._name(1))
    for call in (vectors.probe, lambda: vectors.upsert(some(1)), lambda: vectors.query(some(1)[0].vector, limit=1)):
        with pytest.raises(VectorIndexBroken):
            call()


@pytest.mark.parametrize("said", ["(code: 13) database or disk is full", "(code: 5) database is locked"])
def test_a_full_disk_is_waited_for_and_no_reason_to_begin_anew(said: str) -> None:
    with pytest.raises(StoreUnavailable), _chroma_door():
        raise InternalError(f"Database error: error returned from database: {said}")
    with pytest.raises(VectorIndexBroken), _chroma_door():
        raise InternalError("Error reading the graph")


def test_what_was_never_opened_is_broken(settings: ChromaSettings) -> None:
    with pytest.raises(VectorIndexBroken):
        ChromaVectors(settings).probe()


def test_a_server_that_is_away_is_said_and_found_again(tmp_path: Path) -> None:
    with running(chroma_server(tmp_path)) as server:
        vectors = ChromaVectors(ChromaSettings(url=server.url))
        vectors.open(1)
        vectors.upsert(some(50))
        server.kill()
        fresh = ChromaVectors(ChromaSettings(url=server.url))
        calls = (
            vectors.ping,
            vectors.probe,
            lambda: vectors.upsert(some(1)),
            lambda: vectors.query(some(1)[0].vector, limit=1),
            lambda: vectors.open(1),
            lambda: fresh.open(1),
        )
        for call in calls:
            with pytest.raises(StoreUnavailable):
                call()
        server.start()
        assert vectors.probe() == 50
        vectors.close()


def test_a_server_that_does_not_answer_is_waited_for_no_longer_than_said(tmp_path: Path) -> None:
    with running(chroma_server(tmp_path)) as server:
        settings = ChromaSettings(url=server.url, timeout_s=0.5)
        vectors, fresh = ChromaVectors(settings), ChromaVectors(settings)
        vectors.open(1)
        assert server.process is not None
        os.kill(server.process.pid, signal.SIGSTOP)
        try:
            for call in (vectors.probe, vectors.ping, lambda: fresh.open(1)):
                began = time.monotonic()
                with pytest.raises(StoreUnavailable):
                    call()
                assert time.monotonic() - began < 15
        finally:
            os.kill(server.process.pid, signal.SIGCONT)
            vectors.close()


def test_they_are_listed_in_the_order_of_their_arrival_also_behind_some_that_were_written_again_or_removed(
    vectors: ChromaVectors,
) -> None:
    made = some(6)
    made = [PendingVector(f"{9 - n}", each.vector, each.metadata) for n, each in enumerate(made)]
    vectors.upsert(made[:3])
    vectors.upsert(made[2:5])
    vectors.upsert(made[:1])
    assert vectors.count() == 5
    page = vectors.page(1, 3)
    assert [(each.id, each.metadata) for each in page] == [(each.id, each.metadata) for each in made[1:4]]
    assert {each.id: each.vector for each in page} == vectors.held([each.id for each in made[1:4]])
    vectors.remove([made[1].id])
    vectors.upsert(made[5:])
    assert [each.id for each in vectors.page(0, 9)] == [made[n].id for n in (0, 2, 3, 4, 5)]
