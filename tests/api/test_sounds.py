"""A search by a sound that is sent along: the worker is played by a thread."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from stores.records import Priority, Row, Status
from tests.api.gateway import Gateway, done, failed, sample, vector
from workers.model import sample_id

SOUND = b"RIFF" + bytes(range(256)) * 50
SHA = hashlib.sha256(SOUND).hexdigest()
HERE = sample_id(SHA)


@pytest.fixture
def library(gateway: Gateway) -> Gateway:
    gateway.sample("near.wav", vector=vector(timbre=[1, 0]))
    gateway.sample("far.wav", vector=vector(timbre=[-1, 0]))
    gateway.index()
    return gateway


@contextmanager
def worker(gateway: Gateway, rows: Callable[[], Row]) -> Iterator[None]:
    """Ends the first chunk that is sent to the queue with what `rows` says."""
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.01):
            if gateway.sent.chunk_ids:
                claim = gateway.stores.ledger.claim_chunk(gateway.sent.chunk_ids[0][1], 30)
                assert claim is not None
                gateway.stores.ledger.finish_chunk(claim, [rows()])
                gateway.stores.ledger.finish_job(claim.job_id)
                return

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def analysed(gateway: Gateway, **changes: Any) -> Row:
    made = sample("hum.wav", content=SHA, **changes)
    gateway.stores.samples.insert([made])
    return done(made.id)


def send(gateway: Gateway, search: Any = None, *, sound: bytes = SOUND, **query: Any) -> Any:
    said = {"search": json.dumps(search)} if search is not None else {}
    return gateway.client.post("/v1/search/sound", params={"name": "hum.wav", **said, **query}, content=sound)


def test_it_is_analysed_ahead_of_all_and_searched_by(library: Gateway) -> None:
    with worker(library, lambda: analysed(library, vector=vector(timbre=[1, 0]))):
        answer = send(library, {"aspects": {"timbre": 2}, "limit": 5})
    assert answer.status_code == 200, answer.text
    assert answer.json()["sample_id"] == HERE
    assert [hit["sample"]["files"][0]["path"] for hit in answer.json()["items"]] == ["near.wav", "far.wav"]
    assert [priority for priority, _ in library.sent.chunk_ids] == [Priority.INTERACTIVE]


def test_what_is_known_needs_no_worker(library: Gateway) -> None:
    analysed(library)
    answer = send(library, wait_s=0)
    assert answer.status_code == 200, answer.text
    assert library.sent.chunk_ids == []


def test_where_it_takes_too_long_the_job_is_told(library: Gateway) -> None:
    answer = send(library, wait_s=0)
    said = answer.json()
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/v1/jobs/{said['job']['id']}"
    assert (said["sample_id"], said["job"]["priority"]) == (HERE, "interactive")
    analysed(library)
    found = library.client.post("/v1/search", json={"like": {"sample": said["sample_id"]}})
    assert found.status_code == 200


def test_what_is_no_sound_is_refused_with_its_reason(library: Gateway) -> None:
    with worker(library, failed):
        answer = send(library)
    assert (answer.status_code, answer.json()["code"]) == (422, "not_audio")
    assert answer.json()["detail"] == "This is not an audio file."
    with worker(library, lambda: Row(Status.SKIPPED)):
        library.sent.chunk_ids.clear()
        skipped = send(library, sound=SOUND + b"!")
    assert (skipped.status_code, skipped.json()["code"]) == (422, "not_analysed")


def test_silence_is_like_nothing(library: Gateway) -> None:
    with worker(library, lambda: analysed(library, vector=b"")):
        answer = send(library)
    assert (answer.status_code, answer.json()["code"]) == (422, "no_vector")


@pytest.mark.parametrize(
    "search",
    [
        "{",
        "[]",
        '{"like": {"sample": "x"}}',
        '{"aspects": {"timbre": -1}}',
        '{"aspects": {"timbre": 0}}',
        '{"aspects": {"colour": 1}}',
        '{"limit": 0}',
        '{"where": {"kind": "noise"}}',
        '{"where": {"bpm": [2, 1]}}',
    ],
)
def test_a_search_that_makes_no_sense_is_refused_before_the_sound_is_kept(library: Gateway, search: str) -> None:
    answer = library.client.post("/v1/search/sound", params={"search": search}, content=SOUND)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert not list(library.settings.uploads_dir.rglob("*.wav"))
    assert library.client.get("/v1/jobs").json()["items"] == []


def test_a_wait_or_a_sound_that_is_none_is_refused(library: Gateway) -> None:
    assert send(library, wait_s=-1).status_code == 422
    assert send(library, wait_s=1000).status_code == 422
    assert send(library, sound=b"").status_code == 422


def test_only_ones_own_are_found_and_others_do_not_learn_that_it_is_known(library: Gateway) -> None:
    analysed(library, owner="ann")
    _, secret = library.stores.keys.create(name="k", owner="bob", scopes=["read", "write"], ttl_s=None)
    library.app.state.parts.gate.forget()
    answer = library.client.post("/v1/search/sound", params={"wait_s": 0}, content=SOUND, headers={"X-API-Key": secret})
    assert answer.status_code == 202
