"""The queue on a real RabbitMQ, where one is installed: sent, counted, pulled by urgency, given back, refused, away."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celery.worker import state
from kombu import Connection

from config.settings import Settings
from stores.records import Priority
from tasks import puller as pulling
from tasks.names import QueueName, TaskName
from tasks.puller import Puller
from tasks.rabbit import pulse_of
from tasks.send import Sender
from tests.rabbit import RabbitServer, rabbit_server, why_not
from workers.errors import StoreUnavailable

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(bool(why_not()), reason=why_not() or "it is there"),
]


class Hub:
    """Celery's loop, turned by hand."""

    def call_repeatedly(self, seconds: float, call: Callable[[], None]) -> Hub:
        return self

    def cancel(self) -> None:
        """Nothing runs by itself."""


@pytest.fixture(scope="module")
def rabbit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitServer]:
    server = rabbit_server(tmp_path_factory.mktemp("rabbit"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def settings(rabbit: RabbitServer, redis_url: str, tmp_path: Path) -> Settings:
    return Settings.model_validate(
        {"data_dir": tmp_path, "rabbitmq": {"url": rabbit.url}, "redis": {"url": redis_url, "key_prefix": "rabbit:"}}
    )


class Bench:
    """A sender, a pulse, and workers that take."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.sender, self.pulse = Sender(settings), pulse_of(settings)
        self.connections: list[Connection] = []

    def lengths(self) -> dict[str, int]:
        return {name: length for name, length in self.pulse.queue_lengths().items() if length}

    def worker(self) -> tuple[Puller, list[Any]]:
        url = self.settings.rabbitmq.url
        assert url is not None
        connection = Connection(url.get_secret_value())
        self.connections.append(connection)
        taken: list[Any] = []
        puller = Puller(connection)
        puller.on_message = taken.append
        puller.consume()
        return puller, taken

    def close(self) -> None:
        for connection in self.connections:
            connection.release()
        self.sender.close()
        self.pulse.close()


@pytest.fixture
def bench(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(pulling, "get_event_loop", Hub)
    monkeypatch.setattr(pulling, "_LOOK_S", 0.0)
    monkeypatch.setattr(pulling, "_IDLE_S", 0.0)
    bench = Bench(settings)
    yield bench
    bench.close()


def id_of(message: Any) -> str:
    return str(json.loads(message.body)[0][0])


def test_the_most_urgent_is_taken_first_and_nothing_is_held_that_does_not_run(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.sender.chunks(Priority.BULK, ["j:1"])
    bench.sender.chunks(Priority.NORMAL, ["j:2", "j:3"])
    bench.sender.scan("j")
    bench.sender.chunks(Priority.INTERACTIVE, ["j:4"])
    assert bench.lengths() == {"interactive": 1, "scan": 1, "normal": 2, "bulk": 1}
    puller, taken = bench.worker()
    for expected in ("j:4", "j", "j:2", "j:3", "j:1"):
        puller.look()
        assert id_of(taken[-1]) == expected
        waiting = bench.lengths()
        monkeypatch.setattr(state, "reserved_requests", {expected})
        puller.look()
        assert bench.lengths() == waiting, "who is at work takes nothing"
        monkeypatch.setattr(state, "reserved_requests", set())
        taken[-1].ack()
    puller.look()
    assert (len(taken), bench.lengths()) == (5, {})


def test_what_a_dead_worker_had_taken_comes_back(bench: Bench) -> None:
    bench.sender.chunks(Priority.NORMAL, ["j:1"])
    puller, taken = bench.worker()
    puller.look()
    assert (id_of(taken[0]), bench.lengths()) == ("j:1", {})
    bench.connections[0].collect(socket_timeout=1)  # its socket is gone, without a word
    other, again = bench.worker()
    for _ in range(200):
        other.look()
        if again:
            break
    assert id_of(again[0]) == "j:1"
    again[0].ack()


@pytest.mark.parametrize(
    ("body", "headers", "kind"),
    [
        (b"no json", {"task": TaskName.ANALYZE.value, "id": "1"}, "application/json"),
        (b'[["j:1"], {}, {"chord": "x"}]', {"task": TaskName.ANALYZE.value, "id": "1"}, "application/json"),
        (b'[["j:1"], {}, {}]', {"task": "os.system", "id": "1"}, "application/json"),
        (b'[["j:1"], {}, {}]', {"task": TaskName.ANALYZE.value, "id": "1", "eta": "later"}, "application/json"),
        (b'[["j:1"], {}, {}]', {"task": TaskName.ANALYZE.value, "id": "1"}, "application/x-python-serialize"),
        (b'[["%s"], {}, {}]' % (b"x" * 900), {"task": TaskName.ANALYZE.value, "id": "1"}, "application/json"),
    ],
)
def test_what_is_no_message_of_ours_is_dropped_and_the_worker_lives(
    bench: Bench, body: bytes, headers: dict[str, str], kind: str
) -> None:
    puller, taken = bench.worker()
    channel = puller.channel
    message = channel.prepare_message(body, content_type=kind, content_encoding="utf-8", headers=headers)
    channel.basic_publish(message, exchange="", routing_key=QueueName.NORMAL.value)
    while not bench.lengths():
        continue
    puller.look()
    assert (taken, bench.lengths()) == ([], {})


def test_a_broker_that_is_killed_is_said_to_be_away(bench: Bench, rabbit: RabbitServer) -> None:
    bench.sender.chunks(Priority.NORMAL, ["j:1"])
    assert bench.lengths() == {"normal": 1}
    rabbit.kill()  # the last test: its start would take ten seconds
    with pytest.raises(StoreUnavailable, match="RabbitMQ"):
        bench.pulse.queue_lengths()
    with pytest.raises(StoreUnavailable, match="The queue"):
        bench.sender.chunks(Priority.NORMAL, ["j:2"])
    with pytest.raises(StoreUnavailable):
        bench.pulse.ping()
