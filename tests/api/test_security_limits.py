"""How much one key may ask for, and what it is told of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.errors import Problem
from api.quotas import FILES, JOBS, REQUESTS, UPLOADS, Quotas
from config.settings import LimitSettings
from stores.memory import ManualClock
from tests.api.gateway import Gateway, done, make_gateway

SMALL = {"requests_per_minute": 50, "jobs_per_hour": 3, "files_per_day": 10, "upload_mb_per_day": 1, "streams": 1}
FOLDER = {"json": {"source": {"root": "library"}}}


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway whose keys may ask for little."""
    made = make_gateway(tmp_path, limits=LimitSettings(**SMALL))
    with made.client:
        yield made


def key_of(gateway: Gateway, owner: str = "ann") -> dict[str, str]:
    _, secret = gateway.stores.keys.create(name="key", owner=owner, scopes=["write"], ttl_s=None)
    gateway.app.state.parts.gate.forget()
    return {"X-API-Key": secret}


def refused(answer: Any, name: str) -> int:
    """Check a 429; the seconds to wait."""
    assert answer.status_code == 429, answer.text
    assert answer.json()["code"] == f"too_many_{name}"
    assert answer.headers["ratelimit-policy"].startswith(f'"{name}";q=')
    assert int(answer.headers["retry-after"]) >= 1
    return int(answer.headers["retry-after"])


def test_a_bucket_fills_evenly() -> None:
    clock = ManualClock()
    quotas = Quotas(LimitSettings(requests_per_minute=60), clock)
    for left in range(59, -1, -1):
        standing = quotas.take("k", REQUESTS)
        assert standing is not None
        assert standing.left == left
    with pytest.raises(Problem) as caught:
        quotas.take("k", REQUESTS)
    assert caught.value.headers is not None
    assert caught.value.headers["Retry-After"] == "1"
    clock.advance(1)
    assert quotas.take("k", REQUESTS)
    clock.advance(3600)
    standing = quotas.take("k", REQUESTS)
    assert standing is not None
    assert standing.left == 59


def test_what_is_owed_must_fill_up_before_anything_else() -> None:
    clock = ManualClock()
    quotas = Quotas(LimitSettings(files_per_day=86400), clock)
    quotas.charge("k", FILES, 86400 + 100)
    with pytest.raises(Problem) as caught:
        quotas.take("k", FILES)
    assert caught.value.headers is not None
    assert caught.value.headers["Retry-After"] == "101"
    clock.advance(102)
    quotas.take("k", FILES)


def test_what_is_more_than_ever_will_be_is_let_through_once_all_is_there() -> None:
    quotas = Quotas(LimitSettings(upload_mb_per_day=1), ManualClock())
    quotas.take("k", UPLOADS, 5e6)  # the body's own limit is another matter
    with pytest.raises(Problem):
        quotas.take("k", UPLOADS, 1)


@pytest.mark.parametrize("name", [REQUESTS, JOBS, FILES, UPLOADS])
def test_nothing_is_counted_without_a_key_nor_where_the_limit_is_0(name: str) -> None:
    endless = dict.fromkeys(("requests_per_minute", "jobs_per_hour", "files_per_day", "upload_mb_per_day"), 0)
    quotas = Quotas(LimitSettings(**endless), ManualClock())
    assert quotas.take("k", name, 1e12) is None
    assert Quotas(LimitSettings(), ManualClock()).take(None, name, 1e12) is None


def test_every_answer_to_a_key_says_what_is_left(narrow: Gateway) -> None:
    ann, bob = key_of(narrow), key_of(narrow, "bob")
    for left in (49, 48):
        answer = narrow.client.get("/v1/jobs", headers=ann)
        assert answer.headers["ratelimit-policy"] == '"requests";q=50;w=60'
        assert answer.headers["ratelimit"].startswith(f'"requests";r={left};t=')
    assert "ratelimit" in narrow.client.get("/v1/jobs/none", headers=ann).headers
    assert "ratelimit" not in narrow.client.get("/health", headers=ann).headers
    answers = [narrow.client.get("/v1/jobs", headers=ann) for _ in range(60)]
    assert refused(answers[-1], REQUESTS) <= 2
    assert narrow.client.get("/v1/jobs", headers=bob).status_code == 200


def test_jobs_are_counted_by_the_hour(narrow: Gateway) -> None:
    ann = key_of(narrow)
    assert [narrow.client.post("/v1/jobs", headers=ann, **FOLDER).status_code for _ in range(3)] == [202] * 3
    assert refused(narrow.client.post("/v1/jobs", headers=ann, **FOLDER), JOBS) > 60
    refused(narrow.client.post("/v1/uploads?name=a.wav", content=b"RIFF", headers=ann), JOBS)
    assert len(narrow.client.get("/v1/jobs", headers=ann).json()["items"]) == 3


def test_a_manifest_of_too_many_files_leaves_no_job(narrow: Gateway) -> None:
    ann = key_of(narrow)
    manifest = "\n".join(json.dumps({"root": "library", "path": f"{n}.wav"}) for n in range(11))
    headers = {**ann, "Content-Type": "application/x-ndjson"}
    refused(narrow.client.post("/v1/jobs", content=manifest, headers=headers), FILES)
    assert narrow.client.get("/v1/jobs", headers=ann).json()["items"] == []


def test_a_folders_files_are_counted_once_it_is_walked(narrow: Gateway) -> None:
    ann = key_of(narrow)
    narrow.client.headers.update(ann)
    narrow.folder_job({f"{n}.wav": done(f"sample {n}") for n in range(30)})
    refused(narrow.client.post("/v1/jobs", **FOLDER), FILES)


@pytest.mark.parametrize("declared", [True, False])
def test_bytes_uploaded_are_counted_by_the_day(narrow: Gateway, declared: bool) -> None:
    ann = key_of(narrow)

    def body() -> Any:
        return b"x" * 600_000 if declared else iter([b"x" * 100_000] * 6)

    url = "/v1/uploads?analyze=false&name=a.wav"
    assert narrow.client.post(url, content=body(), headers=ann).status_code == 201
    refused(narrow.client.post(url, content=body(), headers=ann), UPLOADS)
    folder = narrow.settings.uploads_dir / ".incoming"
    assert list(folder.iterdir()) == []


def test_each_key_has_its_own_streams(narrow: Gateway) -> None:
    hub = narrow.app.state.parts.hub
    hub._owners["one key"] = 1
    with pytest.raises(Problem) as caught:
        hub.admit("one key")
    assert caught.value.status_code == 429
    hub.admit("another key")
