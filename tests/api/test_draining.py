"""Who is refused in the middle of a request can read why; what is no HTTP is refused in the same shape."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from starlette.types import Message, Receive, Scope, Send

from api.draining import Draining
from tests.api.test_process import gateway

_MIB = 1 << 20


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with gateway(Path(tmp_path_factory.mktemp("draining"))) as (_, url):
        yield int(url.rpartition(":")[2])


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/v1/jobs", {"Content-Type": "application/json"}, 413),
        ("/v1/jobs", {"Content-Type": "text/plain", "Host": "evil.example"}, 421),
        ("/v1/uploads?name=x.wav", {"Origin": "http://evil.example"}, 403),
    ],
)
def test_who_sends_all_before_they_read_still_learns_why_they_were_refused(
    port: int, path: str, headers: dict[str, str], status: int
) -> None:
    for _ in range(5):
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
            connection.request("POST", path, b" " * (8 * _MIB), headers)
            answer = connection.getresponse()
            assert answer.status == status
            assert json.loads(answer.read())["status"] == status


@pytest.mark.parametrize("request_line", [b"GARBAGE\r\n\r\n", b"FOO /v1/jobs HTTP/1.1\r\nHost: localhost\r\n\r\n"])
def test_what_is_no_http_is_a_problem_document_too(port: int, request_line: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request_line)
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in head
    assert json.loads(body)["code"] == "malformed_request"


async def _refuse(_: Scope, __: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"no"})


def test_a_body_that_never_ends_is_read_no_longer_than_allowed() -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {"type": "http", "headers": [(b"content-length", b"9")]}
    began = time.monotonic()
    asyncio.run(_answered(Draining(_refuse, longest_s=0.1), scope, receive, send))
    assert time.monotonic() - began < 20
    assert [message.get("more_body") for message in sent] == [None, True, False]


async def _answered(app: Draining, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)
