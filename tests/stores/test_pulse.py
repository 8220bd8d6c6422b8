from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from config.settings import RedisSettings
from stores.memory.pulse import MemoryPulse
from stores.pulse import QUEUES, RedisPulse, connect, keepalive_options
from stores.records import LastSeen
from tasks.names import QueueName
from tests.faults.proxy import Proxy
from tests.integration.waiting import wait_for
from tests.servers import free_port, running, valkey_server
from workers.errors import StoreUnavailable


@pytest.fixture
def settings(redis_url: str) -> RedisSettings:
    return RedisSettings(url=redis_url, key_prefix=f"{uuid4().hex}:")


@pytest.fixture
def pulse(settings: RedisSettings) -> Iterator[RedisPulse]:
    pulse = RedisPulse(settings)
    yield pulse
    pulse.close()


def test_the_queues_are_those_of_the_tasks() -> None:
    assert tuple(name.value for name in QueueName) == QUEUES


def test_asks_for_keepalive_as_the_settings_say() -> None:
    assert sorted(keepalive_options(RedisSettings()).values()) == [3, 10, 60]


@pytest.mark.integration
def test_a_beat_is_seen_until_its_time_is_over(pulse: RedisPulse) -> None:
    pulse.beat("worker", "one@host", {"core": 3, "since": 1.5}, 0.3)
    assert pulse.alive() == [{"part": "worker", "name": "one@host", "core": "3", "since": "1.5"}]
    time.sleep(0.4)
    assert pulse.alive() == []


@pytest.mark.integration
def test_two_processes_of_one_worker_add_their_facts(pulse: RedisPulse) -> None:
    pulse.beat("worker", "one", {"pid": 1}, 20)
    pulse.beat("worker", "one", {"chunks": 2}, 20)
    assert pulse.alive() == [{"part": "worker", "name": "one", "pid": "1", "chunks": "2"}]


@pytest.mark.integration
def test_who_leaves_is_gone_at_once(pulse: RedisPulse) -> None:
    pulse.beat("worker", "one", {}, 20)
    pulse.beat("worker", "two", {}, 20)
    pulse.gone("worker", "one")
    assert [facts["name"] for facts in pulse.alive()] == ["two"]
    assert [pulse.is_alive("worker", name) for name in ("one", "two")] == [False, True]


@pytest.mark.integration
def test_clusters_on_one_server_do_not_see_each_other(pulse: RedisPulse, settings: RedisSettings) -> None:
    other = RedisPulse(settings.model_copy(update={"key_prefix": f"{uuid4().hex}:"}))
    pulse.beat("worker", "one", {}, 20)
    assert other.alive() == []
    other.close()


@pytest.mark.integration
def test_counts_what_waits_in_each_queue(pulse: RedisPulse, settings: RedisSettings) -> None:
    with connect(settings) as redis:
        redis.lpush(f"{settings.key_prefix}bulk", "a", "b")
    assert pulse.queue_lengths() == {"scan": 0, "interactive": 0, "normal": 0, "bulk": 2}


@pytest.mark.integration
def test_replies_are_bytes(settings: RedisSettings) -> None:
    with connect(settings) as redis:
        redis.set(f"{settings.key_prefix}x", b"\xff\x00")
        assert redis.get(f"{settings.key_prefix}x") == b"\xff\x00"


@pytest.mark.integration
def test_says_soon_that_redis_is_away_and_finds_it_again(tmp_path: Path) -> None:
    with running(valkey_server(tmp_path)) as server:
        pulse = RedisPulse(RedisSettings(url=server.url))
        pulse.beat("worker", "one", {}, 60)
        server.kill()
        began = time.monotonic()
        for call in (pulse.ping, pulse.alive, pulse.queue_lengths):
            with pytest.raises(StoreUnavailable):
                call()
        assert time.monotonic() - began < 15
        server.start()
        pulse.ping()  # over a connection that died with the server
        pulse.beat("worker", "one", {}, 60)
        assert len(pulse.alive()) == 1
        pulse.close()


def test_nobody_listening_is_said_at_once() -> None:
    pulse = RedisPulse(RedisSettings(url=f"redis://127.0.0.1:{free_port()}/0"))
    with pytest.raises(StoreUnavailable):
        pulse.ping()


@pytest.mark.integration
def test_what_a_process_said_last_is_known_until_it_leaves(pulse: RedisPulse) -> None:
    for twin in (pulse, MemoryPulse(time.monotonic)):
        assert twin.last_seen("job:0") is None
        twin.at_file("job:0", 1, -1)
        twin.at_file("job:0", 1, 17)
        assert twin.last_seen("job:0") == LastSeen(1, 17, "")
        twin.died("job:0", "ended by SIGABRT")
        assert twin.last_seen("job:0") == LastSeen(1, 17, "ended by SIGABRT")
        twin.at_file("job:0", 2, -1)
        assert twin.last_seen("job:0") == LastSeen(2, -1, "")
        assert twin.last_seen("job:1") is None
        twin.left_chunk("job:0")
        assert twin.last_seen("job:0") is None
        twin.died("job:0", "ended by SIGABRT")
        assert twin.last_seen("job:0") is None


@pytest.mark.integration
def test_a_process_does_not_wait_for_its_word_to_arrive(redis_url: str) -> None:
    prefix, port = f"{uuid4().hex}:", urlsplit(redis_url).port
    assert port is not None
    with Proxy(port) as link:
        far = RedisPulse(RedisSettings(url=f"redis://127.0.0.1:{link.port}/0", key_prefix=prefix, socket_timeout_s=20))
        near = RedisPulse(RedisSettings(url=redis_url, key_prefix=prefix))
        far.at_file("job:0", 1, -1)
        wait_for(lambda: near.last_seen("job:0") == LastSeen(1, -1, ""), 20)
        link.blackhole()
        for n in range(5):
            far.at_file("job:0", 1, n)  # nobody answers now
        assert near.last_seen("job:0") == LastSeen(1, -1, "")
        link.heal()
        wait_for(lambda: near.last_seen("job:0") == LastSeen(1, 4, ""), 20)
        for n in range(1000):
            far.at_file("job:0", 1, n)
        far.left_chunk("job:0")  # after all that was said before
        wait_for(lambda: near.last_seen("job:0") is None, 20)
        link.reset()
        wait_for(lambda: _is_away(lambda: far.at_file("job:0", 2, 0)), 20)
        link.heal()
        far.at_file("job:0", 3, 0)
        assert far.last_seen("job:0") == LastSeen(3, 0, "")
        far.close()
        near.close()


def _is_away(call: Callable[[], None]) -> bool:
    try:
        call()
    except StoreUnavailable:
        return True
    return False
