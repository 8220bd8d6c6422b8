"""Heads without an end, and what is no HTTP: refused before any application sees them."""

from __future__ import annotations

import importlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

import api.protocol
from api.__main__ import Server
from tests.api.gateway import make_gateway

HOST = b"Host: 127.0.0.1\r\n"


@pytest.fixture(params=["httptools", "h11"])
def port(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A gateway that reads with one of uvicorn's two parsers and waits for a head for half a second."""
    name = f"uvicorn.protocols.http.{request.param}_impl"
    base = getattr(pytest.importorskip(name), {"httptools": "HttpToolsProtocol", "h11": "H11Protocol"}[request.param])
    monkeypatch.setattr("uvicorn.protocols.http.auto.AutoHTTPProtocol", base)
    protocol = importlib.reload(api.protocol).Protocol
    protocol.head_s = 0.5
    gateway = make_gateway(tmp_path)
    config = uvicorn.Config(gateway.app, port=0, log_config=None, ws="none", http=protocol, timeout_keep_alive=1)
    server = Server(config, gateway.app.state.parts)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(15)
    monkeypatch.undo()
    importlib.reload(api.protocol)


def talk(port: int, *pieces: bytes, until: bytes = b"") -> bytes:
    """Send the pieces; everything that comes back until the gateway hangs up, or until that."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
        said = b""
        try:
            for piece in pieces:
                sock.sendall(piece)
            while not (until and until in said) and (data := sock.recv(65536)):
                said += data
        except ConnectionError:
            pass  # it hung up while we were still talking
        return said


@pytest.mark.parametrize(
    "pieces",
    [(), (b"GET / HT",), (b"GET /health HTTP/1.1\r\n" + HOST + b"X: ",), (b"GET /health HTTP/1.1\r\n", HOST)],
)
def test_a_head_that_does_not_come_is_given_up(port: int, pieces: tuple[bytes, ...]) -> None:
    said = talk(port, *pieces)
    assert said.startswith(b"HTTP/1.1 408 ")
    assert b"content-security-policy: default-src 'none'" in said


def test_the_head_after_an_answer_is_given_up_too(port: int) -> None:
    whole = b"GET /health HTTP/1.1\r\n" + HOST + b"\r\n"
    assert talk(port, whole + b"GET /hea").startswith(b"HTTP/1.1 200 ")  # by uvicorn's own clock for idle connections
    with socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
        sock.sendall(whole)
        said = sock.recv(65536)
        sock.sendall(b"GET /hea")  # which stops that clock
        while data := sock.recv(65536):
            said += data
    assert b"HTTP/1.1 408 " in said


@pytest.mark.parametrize("line", [b"X: " + b"a" * 60_000 + b"\r\n", b"a" * 60_000, b"X: a\r\n" * 10_000])
def test_a_head_without_an_end_is_refused(port: int, line: bytes) -> None:
    said = talk(port, b"GET /health HTTP/1.1\r\n" + HOST, *[line] * 300)
    assert said[:12] in (b"HTTP/1.1 431", b"HTTP/1.1 400", b"")  # the last: it hung up before we had said it all


def test_slow_bodies_and_waiting_clients_are_another_matter(port: int) -> None:
    head = b"POST /v1/search HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
        sock.sendall(head + b"{")
        sock.settimeout(1)
        with pytest.raises(TimeoutError):
            sock.recv(1)
        sock.settimeout(20)
        sock.sendall(b"}")
        assert sock.recv(12) == b"HTTP/1.1 422"


def test_a_head_in_pieces_is_a_head(port: int) -> None:
    whole = b"GET /health HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
    assert talk(port, *(whole[n : n + 1] for n in range(len(whole)))).startswith(b"HTTP/1.1 200 ")
