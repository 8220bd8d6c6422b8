"""The gateway over a real ledger: what is promised with a 202 is there, and a manifest costs no memory."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from pydantic import SecretStr
from pymongo import MongoClient
from starlette.testclient import TestClient

from api.app import create_app
from config.settings import MongoSettings
from stores.memory import MemoryStores
from stores.mongo import MongoStores, connect
from stores.records import FileRef, JobState
from tests.api.gateway import HERE, Gateway, Sent, counts, done, failed, make_settings, sample
from tests.api.serving import serve
from tests.api.test_events import parse
from tests.api.test_process import gateway as gateway_process

pytestmark = pytest.mark.integration
NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
def database(mongo_url: str) -> Iterator[str]:
    """A database of this test's own, dropped at its end."""
    name = f"gateway_{uuid.uuid4().hex[:12]}"
    yield name
    with MongoClient[dict[str, Any]](mongo_url) as client:
        client.drop_database(name)


@pytest.fixture
def stores(mongo_url: str, database: str) -> Iterator[MongoStores]:
    made = connect(MongoSettings(url=SecretStr(mongo_url), database=database, min_pool_size=0), pool="gateway")
    made.ledger.prepare()
    yield made
    made.close()


@pytest.fixture
def gateway(tmp_path: Path, stores: MongoStores) -> Iterator[Gateway]:
    """The gateway over a real ledger; index and queue are twins."""
    settings, twins, sent = make_settings(tmp_path), MemoryStores(), Sent()
    app = create_app(settings, stores=stores, vectors=twins.vectors, pulse=twins.pulse, sender=sent)
    client = TestClient(app, base_url="http://127.0.0.1:8000", client=HERE, raise_server_exceptions=False)
    with client:
        yield Gateway(app, settings, stores, sent, client)  # type: ignore[arg-type]


def test_a_folder_job_from_its_submission_to_its_export(gateway: Gateway, stores: MongoStores) -> None:
    made = sample("kick.wav")
    stores.samples.insert([made])
    stores.samples.seen_at([("local", made.file)])
    job = gateway.submit()
    claim = stores.ledger.claim_scan(job["id"], 30)
    assert claim is not None
    assert stores.ledger.add_chunk(job["id"], 0, 0, [FileRef("library", "kick.wav"), FileRef("library", "b.wav")])
    assert stores.ledger.finish_scan(job["id"], claim.token)
    gateway.end(job["id"], [done(made.id), failed()])
    assert stores.ledger.finish_job(job["id"]) is JobState.COMPLETE
    said = gateway.client.get(f"/v1/jobs/{job['id']}").json()
    assert (said["state"], counts(said)) == ("complete", {"submitted": 2, "done": 1, "failed": 1})
    rows = gateway.client.get(f"/v1/jobs/{job['id']}/files?status=failed").json()["items"]
    assert [(row["index"], row["reason"]["code"]) for row in rows] == [(1, "not_audio")]
    assert [name for name, _, _ in parse(gateway.client.get(f"/v1/jobs/{job['id']}/events").text)] == [
        "progress",
        "end",
    ]
    lines = gateway.client.get(f"/v1/exports/{job['id']}").text.splitlines()
    assert json.loads(lines[0])["tempo"]["bpm"] == 120
    found = gateway.client.get("/v1/samples?bpm=118..122&text=kick&note=").json()["items"]
    assert [item["sample_id"] for item in found] == [made.id]
    assert gateway.client.get(f"/v1/samples/{made.id}/waveform").status_code == 200


def test_cancelled_jobs_and_strange_questions(gateway: Gateway) -> None:
    job = gateway.submit()
    assert gateway.client.delete(f"/v1/jobs/{job['id']}").status_code == 202
    for odd in ("%00", "$where", "%ff", "x" * 190, "{}"):
        for path in ("/v1/jobs/{}", "/v1/jobs/{}/files", "/v1/samples/{}", "/v1/exports/{}", "/v1/samples/{}/waveform"):
            assert gateway.client.get(path.format(odd)).status_code == 404, (path, odd)
        for path in ("/v1/jobs?cursor={}", "/v1/samples?cursor={}", f"/v1/jobs/{job['id']}/files?cursor={{}}"):
            assert gateway.client.get(path.format(odd)).status_code == 422, (path, odd)
        for field in ("text", "key", "kind", "note", "defect"):
            assert gateway.client.get(f"/v1/samples?{field}={odd}").status_code in (200, 422), field
    answer = gateway.client.post("/v1/search", json={"like": {"sample": "\0"}})
    assert answer.status_code == 404


def test_the_same_key_at_once_is_one_job(gateway: Gateway) -> None:
    headers = {"Idempotency-Key": "k"}
    with serve(gateway) as serving, ThreadPoolExecutor(16) as pool:

        def send(_: int) -> httpx.Response:
            body = {"source": {"root": "library"}}
            return httpx.post(f"{serving.url}/v1/jobs", json=body, headers=headers, timeout=30)

        answers = list(pool.map(send, range(32)))
        assert {answer.status_code for answer in answers} == {202}
        assert len({answer.json()["id"] for answer in answers}) == 1
        other = httpx.post(f"{serving.url}/v1/jobs", json={"source": {"root": "uploads"}}, headers=headers, timeout=30)
        assert other.status_code in (404, 422)


def test_a_manifest_that_breaks_off_leaves_nothing(gateway: Gateway) -> None:
    def lines() -> Iterator[bytes]:
        yield b'{"root": "library", "path": "a.wav"}\n' * 500
        raise ConnectionError

    with serve(gateway) as serving:
        with pytest.raises(ConnectionError), httpx.Client(base_url=serving.url, timeout=20) as client:
            client.post("/v1/jobs", content=lines(), headers={**NDJSON, "Idempotency-Key": "k"})
        for _ in range(100):
            answer = httpx.post(
                f"{serving.url}/v1/jobs",
                content=b'{"root": "library", "path": "b.wav"}\n',
                headers={**NDJSON, "Idempotency-Key": "k"},
                timeout=20,
            )
            if answer.status_code != 409:
                break
        assert answer.status_code == 202, answer.text
        jobs = httpx.get(f"{serving.url}/v1/jobs", timeout=20).json()["items"]
        assert [counts(job) for job in jobs] == [{"submitted": 1, "pending": 1}]


@pytest.mark.slow
def test_a_manifest_of_100_000_lines_costs_no_memory(tmp_path: Path, mongo_url: str, database: str) -> None:
    more = {"SAMPLEMIND_MONGO__URL": mongo_url, "SAMPLEMIND_MONGO__DATABASE": database}

    def lines(number: int) -> Iterator[bytes]:
        for start in range(0, number, 100):
            yield b"".join(b'{"root": "library", "path": "drums/%07d.wav"}\n' % n for n in range(start, start + 100))

    with gateway_process(tmp_path, **more) as (process, url), httpx.Client(base_url=url, timeout=250) as client:

        def send(number: int) -> dict[str, Any]:
            answer = client.post("/v1/jobs", content=lines(number), headers=NDJSON)
            assert answer.status_code == 202, answer.text
            said: dict[str, Any] = answer.json()
            return said

        send(5000)
        before = psutil.Process(process.pid).memory_info().rss
        job = send(100_000)
        grown = psutil.Process(process.pid).memory_info().rss - before
        assert counts(job) == {"submitted": 100_000, "pending": 100_000}
        assert grown < 30_000_000, grown
        assert client.delete(job["links"]["self"]).status_code == 202
    assert os.path.exists(tmp_path / "gateway.log")
