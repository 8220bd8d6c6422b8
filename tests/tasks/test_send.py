from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from celery import Celery

from config.settings import RedisSettings, Settings
from stores.pulse import RedisPulse, connect
from stores.records import Priority
from tasks.configuration import celery_config
from tasks.send import Sender
from tests.servers import free_port, running, valkey_server
from workers.errors import StoreUnavailable


@pytest.fixture
def settings(redis_url: str) -> Settings:
    return Settings(redis=RedisSettings(url=redis_url, key_prefix=f"{uuid4().hex}:"))


@pytest.fixture
def sender(settings: Settings) -> Iterator[Sender]:
    sender = Sender(settings)
    yield sender
    sender.close()


def messages(settings: Settings, queue: str) -> list[dict[str, Any]]:
    """What waits in a queue, the next to be taken first."""
    with connect(settings.redis) as redis:
        waiting: Any = redis.lrange(f"{settings.redis.key_prefix}{queue}", 0, -1)
    return [json.loads(one) for one in reversed(waiting)]


@pytest.mark.integration
@pytest.mark.parametrize("priority", list(Priority))
def test_chunks_go_to_the_queue_of_their_priority_in_order(
    sender: Sender, settings: Settings, priority: Priority
) -> None:
    ids = [f"job:{n}" for n in range(700)]
    sender.chunks(priority, ids)
    waiting = messages(settings, priority.value)
    assert [one["headers"]["argsrepr"] for one in waiting] == ids
    assert {one["headers"]["task"] for one in waiting} == {"samplemind.analyze"}


@pytest.mark.integration
def test_a_message_is_a_claim_check_of_less_than_a_kilobyte(sender: Sender, settings: Settings) -> None:
    job_id = "01K9ZZZZZZZZZZZZZZZZZZZZZZ"
    sender.scan(job_id)
    sender.chunks(Priority.BULK, [f"{job_id}:123456:200"])
    with connect(settings.redis) as redis:
        for queue in ("scan", "bulk"):
            (one,) = redis.lrange(f"{settings.redis.key_prefix}{queue}", 0, -1)  # type: ignore[misc]
            assert len(one) < 1024
    (said,) = messages(settings, "scan")
    assert (said["headers"]["task"], said["headers"]["argsrepr"], said["headers"]["kwargsrepr"]) == (
        "samplemind.scan",
        job_id,
        "",
    )
    assert said["content-type"] == "application/json"


@pytest.mark.integration
def test_threads_may_share_one(sender: Sender, settings: Settings) -> None:
    threads = [
        threading.Thread(target=sender.chunks, args=(Priority.NORMAL, [f"job:{t}{n:03}" for n in range(50)]))
        for t in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one["headers"]["argsrepr"] for one in messages(settings, "normal")}) == 400


@pytest.mark.integration
def test_the_most_urgent_message_is_taken_first(sender: Sender, settings: Settings) -> None:
    """Through a consumer with the workers' own configuration, one message at a time."""
    for priority in reversed(Priority):
        sender.chunks(priority, [f"{priority}:0", f"{priority}:1"])
    sender.scan("scan")
    taken: list[str] = []
    app = Celery(set_as_current=False)
    app.conf.update(celery_config(settings))
    with app.connection_for_read() as connection:
        channel = connection.channel()
        channel.basic_qos(0, 1, False)

        def take(body: object, message: Any) -> None:
            taken.append(message.headers["argsrepr"])
            message.ack()

        with app.amqp.TaskConsumer(channel, queues=list(app.amqp.queues.values()), callbacks=[take]):
            while len(taken) < 7:
                connection.drain_events(timeout=5)
    chunks = [[f"{name}:{n}" for n in (0, 1)] for name in ("interactive", "normal", "bulk")]
    assert taken == [*chunks[0], "scan", *chunks[1], *chunks[2]]


@pytest.mark.integration
def test_redis_being_away_is_said_soon_and_its_return_noticed(tmp_path: Path) -> None:
    with running(valkey_server(tmp_path)) as server:
        settings = Settings(redis=RedisSettings(url=server.url))
        sender, pulse = Sender(settings), RedisPulse(settings.redis)
        sender.scan("a")
        server.kill()
        began = time.monotonic()
        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                sender.scan("b")
            with pytest.raises(StoreUnavailable):
                sender.chunks(Priority.BULK, ["c", "d"])
        assert time.monotonic() - began < 20
        server.start()
        was = pulse.queue_lengths()["scan"]
        sender.scan("e")
        assert pulse.queue_lengths()["scan"] == was + 1
        sender.close()
        pulse.close()


def test_nobody_listening_is_said_at_once() -> None:
    sender = Sender(Settings(redis=RedisSettings(url=f"redis://127.0.0.1:{free_port()}/0")))
    began = time.monotonic()
    with pytest.raises(StoreUnavailable):
        sender.scan("a")
    assert time.monotonic() - began < 15
