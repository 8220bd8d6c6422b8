"""The proxy that the fault tests put on the cluster's links does what it says."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.faults.proxy import Proxy


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that says everything back."""
    server = socket.create_server(("127.0.0.1", 0))

    def answer(connection: socket.socket) -> None:
        with connection:
            try:
                while said := connection.recv(1 << 16):
                    connection.sendall(said)
            except OSError:
                return

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield server.getsockname()[1]
    server.shutdown(socket.SHUT_RDWR)
    server.close()


@pytest.fixture
def link(echo: int) -> Iterator[Proxy]:
    with Proxy(echo) as link:
        yield link


def connect(link: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", link.port), timeout=5)


def ask(connection: socket.socket, said: bytes) -> bytes:
    connection.sendall(said)
    answer = b""
    while len(answer) < len(said):
        piece = connection.recv(1 << 16)
        if not piece:
            break
        answer += piece
    return answer


def ask_until_it_breaks(connection: socket.socket) -> None:
    while ask(connection, b"x"):
        time.sleep(0.01)


def hear_until_it_breaks(connection: socket.socket, heard: bytearray) -> None:
    while piece := connection.recv(100):
        heard += piece


def test_passes_everything_on(link: Proxy) -> None:
    with connect(link) as connection:
        said = bytes(range(256)) * 4000
        assert ask(connection, said) == said


def test_a_black_hole_swallows_and_gives_back_what_it_held(link: Proxy) -> None:
    with connect(link) as connection:
        assert ask(connection, b"before") == b"before"
        link.blackhole()
        connection.sendall(b"held")
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connection.recv(10)
        connection.settimeout(5)
        link.heal()
        assert connection.recv(10) == b"held"


def test_a_reset_breaks_what_there_is_and_what_comes(link: Proxy) -> None:
    with connect(link) as connection:
        assert ask(connection, b"before") == b"before"
        link.reset()
        with pytest.raises(ConnectionError):
            ask_until_it_breaks(connection)
    with pytest.raises(ConnectionError), connect(link) as connection:
        ask_until_it_breaks(connection)
    link.heal()
    with connect(link) as connection:
        assert ask(connection, b"after") == b"after"


def test_a_cut_reply_ends_after_so_many_bytes(link: Proxy) -> None:
    link.cut_replies(5)
    time.sleep(0.05)
    with connect(link) as connection:
        connection.sendall(b"0123456789")
        heard = bytearray()
        with pytest.raises(ConnectionError):
            hear_until_it_breaks(connection, heard)
        assert bytes(heard) in (b"", b"01234")  # the reset may overtake what was sent


def test_a_delay_is_felt(link: Proxy) -> None:
    link.delay(0.2)
    time.sleep(0.05)
    with connect(link) as connection:
        begun = time.monotonic()
        assert ask(connection, b"x") == b"x"
        assert time.monotonic() - begun >= 0.4
