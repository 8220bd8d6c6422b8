"""Which processes are alive, kept in Redis: hints with an expiry, never the truth (row D2)."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.settings import RedisSettings
from stores.records import LastSeen
from stores.saying import Saying
from workers.errors import StoreUnavailable

QUEUES: Final = ("interactive", "scan", "normal", "bulk")
"""Names of the queues, which are Redis lists of these names behind the prefix. `tasks.names` says what they are."""


_MARK_S: Final = 3600
"""What was said of a chunk is forgotten after an hour: longer than any attempt takes."""


def keepalive_options(settings: RedisSettings) -> dict[int, int]:
    """TCP keepalive for Redis connections, where the system knows these options."""
    wanted = {
        "TCP_KEEPIDLE": settings.keepalive_idle_s,
        "TCP_KEEPINTVL": settings.keepalive_interval_s,
        "TCP_KEEPCNT": settings.keepalive_count,
    }
    return {getattr(socket, name): value for name, value in wanted.items() if hasattr(socket, name)}


_QUICK_S: Final = 2.0
"""Longest that a heartbeat may hold up a loop."""


def quick(settings: RedisSettings) -> RedisSettings:
    """The same Redis for what may be missed: a short wait only."""
    return settings.model_copy(update={"connect_timeout_s": _QUICK_S, "socket_timeout_s": _QUICK_S})


def tls_options(settings: RedisSettings) -> dict[str, Any]:
    """TLS for redis-py and kombu alike; nothing where the URL is not `rediss://`."""
    if not settings.url.get_secret_value().startswith("rediss:"):
        return {}
    files = {"ssl_ca_certs": settings.tls_ca, "ssl_certfile": settings.tls_cert, "ssl_keyfile": settings.tls_key}
    given = {name: str(path) for name, path in files.items() if path is not None}
    return {"ssl_cert_reqs": "required", "ssl_check_hostname": True, **given}


def connect(settings: RedisSettings) -> redis.Redis:
    """A client with a pool of its own; replies are bytes. Connects when it is first used."""
    return redis.Redis.from_url(
        settings.url.get_secret_value(),
        max_connections=settings.max_connections,
        socket_connect_timeout=settings.connect_timeout_s,
        socket_timeout=settings.socket_timeout_s,
        socket_keepalive=True,
        socket_keepalive_options=keepalive_options(settings),
        health_check_interval=15,
        # Once more, at once: it heals a connection that a restart of Redis left dead. redis-py's default
        # of several tries with pauses would make each request of a gateway wait where 503 is the answer.
        retry=Retry(NoBackoff(), 1),
        decode_responses=False,
        **tls_options(settings),
    )


@contextmanager
def redis_door() -> Iterator[None]:
    """Turn Redis's errors into `StoreUnavailable`."""
    try:
        yield
    except redis.RedisError as error:
        raise StoreUnavailable(f"Redis: {type(error).__name__}.") from error


class RedisPulse:
    """`stores.doors.Pulse` on Redis. A process's facts are one hash that expires; safe to share among threads."""

    def __init__(self, settings: RedisSettings) -> None:
        self._prefix = settings.key_prefix
        self._index = f"{self._prefix}parts"
        self._redis = connect(settings)
        self._saying = Saying(self._redis)

    def beat(self, part: str, name: str, facts: Mapping[str, str | int | float], ttl_s: float) -> None:
        """Say that this process is alive, and what it is at; facts said before and not now stay.

        Raises
        ------
        StoreUnavailable
            Redis cannot be reached; nothing is kept for later.
        """
        member = f"{part}:{name}"
        fields: dict[Any, Any] = {**facts, "part": part, "name": name}
        with redis_door(), self._redis.pipeline(transaction=False) as pipe:
            pipe.hset(self._key(member), mapping=fields)
            pipe.pexpire(self._key(member), max(1, round(ttl_s * 1000)))
            pipe.sadd(self._index, member)
            pipe.execute()

    def is_alive(self, part: str, name: str) -> bool:
        """Whether this process beat within its time."""
        with redis_door():
            return bool(self._redis.exists(self._key(f"{part}:{name}")))

    def alive(self) -> list[dict[str, str]]:
        """Every process that beat within its time: part, name and its facts, ordered by part and name."""
        with redis_door():
            members: list[str] = sorted(_text(member) for member in self._smembers())
            with self._redis.pipeline(transaction=False) as pipe:
                for member in members:
                    pipe.hgetall(self._key(member))
                hashes = pipe.execute()
            gone = [member for member, facts in zip(members, hashes, strict=True) if not facts]
            if gone:
                self._redis.srem(self._index, *gone)
        return [{_text(k): _text(v) for k, v in facts.items()} for facts in hashes if facts]

    def gone(self, part: str, name: str) -> None:
        """Say that this process ends now, instead of being missed after its time."""
        member = f"{part}:{name}"
        with redis_door(), self._redis.pipeline(transaction=False) as pipe:
            pipe.delete(self._key(member))
            pipe.srem(self._index, member)
            pipe.execute()

    def at_file(self, chunk_id: str, attempt: int, n: int) -> None:
        """Say that this attempt at a chunk is at its `n`-th file now; -1: at none yet.

        It is on its way then; nobody waits until it has arrived.
        """
        with redis_door():
            self._saying.say("SET", self._mark(chunk_id), f"{attempt} {n}", "EX", _MARK_S)
            if n < 0:
                self._saying.say("DEL", self._death(chunk_id))

    def left_chunk(self, chunk_id: str) -> None:
        """Say that nobody is at this chunk any more."""
        with redis_door():
            # On the same connection, behind every word of before; the next that is seen waits until it is done.
            self._saying.say("DEL", self._mark(chunk_id), self._death(chunk_id))

    def died(self, chunk_id: str, of: str) -> None:
        """Say that the process at this chunk is dead, and what of."""
        with redis_door():
            self._redis.set(self._death(chunk_id), of, ex=_MARK_S)

    def last_seen(self, chunk_id: str) -> LastSeen | None:
        """Where the process is or was that said so last and has not left."""
        with redis_door():
            self._saying.settle()
        with redis_door(), self._redis.pipeline(transaction=False) as pipe:
            pipe.get(self._mark(chunk_id))
            pipe.get(self._death(chunk_id))
            mark, of = pipe.execute()
        if mark is None:
            return None
        attempt, n = _text(mark).split()
        return LastSeen(int(attempt), int(n), "" if of is None else _text(of))

    def _mark(self, chunk_id: str) -> str:
        return f"{self._prefix}at:{chunk_id}"

    def _death(self, chunk_id: str) -> str:
        return f"{self._prefix}died:{chunk_id}"

    def queue_lengths(self) -> dict[str, int]:
        """Messages waiting in each of our queues, by its name."""
        with redis_door(), self._redis.pipeline(transaction=False) as pipe:
            for name in QUEUES:
                pipe.llen(self._prefix + name)
            lengths = pipe.execute()
        return {name: int(length) for name, length in zip(QUEUES, lengths, strict=True)}

    def ping(self) -> None:
        """Raise `StoreUnavailable` unless Redis answers."""
        with redis_door():
            self._redis.ping()

    def close(self) -> None:
        """Give the connections back."""
        self._redis.close()

    def _key(self, member: str) -> str:
        return f"{self._prefix}part:{member}"

    def _smembers(self) -> Any:
        return self._redis.smembers(self._index)


def _text(value: Any) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
