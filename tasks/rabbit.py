"""RabbitMQ as the queue's broker: its quorum queues, one for each class of work, and how many messages wait in them."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import amqp
from kombu import Connection, Queue
from kombu.exceptions import KombuError
from kombu.exceptions import OperationalError as BrokerError

from config.settings import RabbitSettings, RedisSettings, Settings
from stores.pulse import RedisPulse
from tasks.names import QueueName
from workers.errors import StoreUnavailable

_QUORUM: Final = {"x-queue-type": "quorum"}


def queues() -> list[Queue]:
    """Our queues. They outlive RabbitMQ's restarts and, where it has three nodes, one of them."""
    return [Queue(name.value, durable=True, queue_arguments=_QUORUM) for name in QueueName]


def broker(settings: RabbitSettings) -> dict[str, Any]:
    """Celery's configuration of this broker: what of it differs from Redis."""
    assert settings.url is not None
    return {
        "broker_url": settings.url.get_secret_value(),
        "broker_use_ssl": _tls(settings),
        "broker_connection_timeout": settings.connect_timeout_s,
        "broker_heartbeat": settings.heartbeat_s,
        "broker_transport_options": {
            # A message is sent when a majority of the nodes has it on disk.
            "confirm_publish": True,
            "read_timeout": settings.socket_timeout_s,
            "write_timeout": settings.socket_timeout_s,
        },
        "task_queues": queues(),
        # Nothing is sent that was not asked for; Celery's own way is for Redis.
        "worker_disable_prefetch": False,
    }


def _tls(settings: RabbitSettings) -> dict[str, Any] | None:
    if settings.url is None or not settings.url.get_secret_value().startswith("amqps:"):
        return None
    files = {"ca_certs": settings.tls_ca, "certfile": settings.tls_cert, "keyfile": settings.tls_key}
    given = {name: str(path) for name, path in files.items() if path is not None}
    return {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": None, **given}


class RabbitPulse(RedisPulse):
    """Signs of life in Redis, and the lengths of the queues from RabbitMQ. Safe to share among threads."""

    def __init__(self, redis: RedisSettings, rabbit: RabbitSettings) -> None:
        super().__init__(redis)
        self._rabbit = rabbit
        self._lock = threading.Lock()
        self._connection: Any = None

    def queue_lengths(self) -> dict[str, int]:
        """Messages waiting in each of our queues, by its name."""
        with self._lock, self._broker() as channel:
            # Declared, not only looked at: who asks first makes them.
            asked = {"durable": True, "auto_delete": False, "arguments": _QUORUM}
            return {name.value: channel.queue_declare(name.value, **asked).message_count for name in QueueName}

    def ping(self) -> None:
        """Raise `StoreUnavailable` unless both answer."""
        super().ping()
        self.queue_lengths()

    def close(self) -> None:
        """Give the connections back."""
        with self._lock:
            self._drop()
        super().close()

    @contextmanager
    def _broker(self) -> Iterator[Any]:
        try:
            if self._connection is None:
                options = broker(self._rabbit)
                self._connection = Connection(
                    options["broker_url"],
                    ssl=options["broker_use_ssl"],
                    connect_timeout=options["broker_connection_timeout"],
                    transport_options={**options["broker_transport_options"], "confirm_publish": False},
                )
            yield self._connection.default_channel
        except (amqp.AMQPError, BrokerError, KombuError, OSError) as error:
            self._drop()
            raise StoreUnavailable(f"RabbitMQ: {type(error).__name__}.") from error

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.collect(socket_timeout=0.1)


def pulse_of(settings: Settings, redis: RedisSettings | None = None) -> RedisPulse:
    """The pulse of a cluster with these settings; `redis` where it is to be asked otherwise than they say."""
    redis = redis or settings.redis
    return RabbitPulse(redis, settings.rabbitmq) if settings.rabbitmq.url else RedisPulse(redis)
