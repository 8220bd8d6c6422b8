"""Bodies are bounded while they come in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from api.errors import Problem
from api.limits import BodyLimit
from config.settings import GatewaySettings
from tests.api.gateway import Gateway, make_gateway

NDJSON = {"Content-Type": "application/x-ndjson"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway that takes 1 KB of JSON and 10 KB of anything else."""
    made = make_gateway(tmp_path, max_json_kb=1, max_body_mb=0.01)
    with made.client:
        yield made


def parts_of(size: int) -> Iterator[bytes]:
    for _ in range(size // 100):
        yield b" " * 100


@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/search", "/v1/keys", "/v1/uploads/check"])
@pytest.mark.parametrize("declared", [True, False])
def test_json_that_is_too_long_is_413(narrow: Gateway, path: str, declared: bool) -> None:
    content: Any = b" " * 1500 if declared else parts_of(1500)
    answer = narrow.client.post(path, content=content, headers=JSON)
    assert answer.status_code == 413
    assert answer.json()["code"] == "body_too_large"
    assert answer.json()["limit_bytes"] == 1000


@pytest.mark.parametrize("declared", [True, False])
def test_manifests_and_uploads_may_be_longer_but_not_endless(narrow: Gateway, declared: bool) -> None:
    for path, headers in (("/v1/jobs", NDJSON), ("/v1/uploads?name=a.wav", {})):
        content: Any = b" " * 11000 if declared else parts_of(11000)
        answer = narrow.client.post(path, content=content, headers=headers)
        assert answer.status_code == 413, answer.text
    assert narrow.client.get("/v1/jobs").json()["items"] == []
    assert narrow.client.post("/v1/uploads?name=a.wav", content=b"x" * 9000).status_code == 201


def test_a_body_that_stalls_is_given_up() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["more_body"]:
            pass

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(_: Message) -> None: ...

    limited = BodyLimit(app, GatewaySettings(), idle_s=0.01)
    scope: Scope = {"type": "http", "path": "/v1/jobs", "headers": []}
    with pytest.raises(Problem) as caught:
        asyncio.run(limited(scope, receive, send))
    assert caught.value.status_code == 408


def test_waiting_for_the_client_to_go_away_has_no_limit() -> None:
    async def messages() -> AsyncIterator[Message]:
        yield {"type": "http.request", "body": b"", "more_body": False}
        await asyncio.sleep(0.05)
        yield {"type": "http.disconnect"}

    source = messages()
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((await receive())["type"])
        seen.append((await receive())["type"])

    async def send(_: Message) -> None: ...

    async def receive() -> Message:
        return await anext(source)

    limited = BodyLimit(app, GatewaySettings(), idle_s=0.01)
    asyncio.run(limited({"type": "http", "path": "/", "headers": []}, receive, send))
    assert seen == ["http.request", "http.disconnect"]
