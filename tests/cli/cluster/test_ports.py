from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from cli.cluster.ports import Ports, is_free
from cli.errors import CommandError


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield sock.getsockname()[1]


def test_a_port_somebody_listens_on_is_not_free(taken: int) -> None:
    assert not is_free("127.0.0.1", taken)


def test_a_taken_usual_port_is_replaced_by_a_free_one(taken: int) -> None:
    ports = Ports()
    found = ports.find(taken)
    assert found > taken
    assert is_free("127.0.0.1", found)
    ports.close()


def test_a_taken_port_that_was_asked_for_is_an_error_that_names_it(taken: int) -> None:
    with pytest.raises(CommandError, match=f"Port {taken} for the gateway is taken"):
        Ports().take("gateway", taken)


def test_two_clusters_that_start_together_get_different_ports() -> None:
    one, other = Ports(), Ports()
    first = one.find(20000)
    assert other.find(20000) != first
    one.close()
    assert other.find(first) == first
    other.close()


def test_port_nil_means_any_free_port() -> None:
    ports = Ports()
    assert ports.take("gateway", 0) > 0
    ports.close()
