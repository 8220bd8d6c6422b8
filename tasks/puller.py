"""How a worker takes its messages from RabbitMQ: as it does from Redis.

A worker that let itself be sent messages would hold one of each class while it is busy, and begin them in the order in
which they came. Here it asks, when it is free, for the most urgent one there is: nothing is held that does not run,
what waits can be counted, and urgent work goes ahead (docs/decisions/0027).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import structlog
from celery.app.amqp import AMQP
from celery.worker import state
from kombu.asynchronous import get_event_loop

from tasks.names import QueueName
from tasks.rabbit import queues
from tasks.stopping import is_at_work
from tasks.vetting import arguments_flaw, headers_flaw

log = structlog.stdlib.get_logger(__name__)

_LOOK_S: Final = 0.05
"""A worker looks so often whether it is free, which asks nobody,"""
_IDLE_S: Final = 0.5
"""... and asks an empty broker so often at least, if at first more often."""
_LONGEST_BODY: Final = 1000


class PullingAMQP(AMQP):
    """Celery's door to its broker, with a `Puller` where that is RabbitMQ."""

    def TaskConsumer(self, channel: Any, *given: Any, **more: Any) -> Any:  # noqa: N802 - Celery looks for this name
        """What a worker takes its messages with."""
        if channel.transport.driver_type == "amqp":
            return Puller(channel)
        return super().TaskConsumer(channel, *given, **more)


class Puller:
    """Asks for one message at a time, the most urgent there is, when nothing runs. Stands in for kombu's consumer."""

    on_message: Callable[[Any], object]
    """Set by Celery: what is done with a message."""

    def __init__(self, connection: Any) -> None:
        self.channel = connection.channel()
        self._entry: Any = None
        self._hub: Any = None
        self._next_s, self._pause_s = 0.0, _LOOK_S
        for queue in queues():
            queue(self.channel).declare()

    def consume(self, *_: object, **__: object) -> None:
        """Begin."""
        self._hub = get_event_loop()
        self._entry = self._hub.call_repeatedly(_LOOK_S, self.look)

    def cancel(self) -> None:
        """End."""
        if self._entry is not None:
            self._entry.cancel()
            self._entry = None

    def close(self) -> None:
        """End for good."""
        self.cancel()
        self.channel.close()

    def qos(self, **_: object) -> None:
        """One message at a time is all that is ever asked for."""

    def look(self) -> None:
        """Take a message, if this worker is free and it is time to ask."""
        told_to_stop: tuple[Any, ...] = (state.should_stop, state.should_terminate)
        if any(each is not None and each is not False for each in told_to_stop):
            return
        now = time.monotonic()
        if state.reserved_requests or is_at_work() or now < self._next_s:
            return
        message = self._most_urgent()
        self._pause_s = _LOOK_S if message is not None else min(2 * self._pause_s, _IDLE_S)
        self._next_s = now + self._pause_s
        if message is not None:
            self._hand_on(message)

    def _most_urgent(self) -> Any:
        for name in QueueName:
            # Where nothing waits it is not asked for: that would be written to the disks of a majority of the nodes.
            if self.channel.queue_declare(name.value, passive=True).message_count:
                message = self.channel.basic_get(name.value)
                if message is not None:
                    return self.channel.message_to_python(message)
        return None

    def _hand_on(self, message: Any) -> None:
        flaw = message_flaw(message)
        if flaw:
            # Never what it said: that may be anything, and as long as it likes.
            log.warning("message_refused", queue="RabbitMQ", why=flaw)
            message.reject()
        else:
            self.on_message(message)


def message_flaw(message: Any) -> str | None:
    """What is wrong with a message of a task queue, or ``None``: what `tasks.vetting` says of one from Redis."""
    body = bytes(message.body) if not isinstance(message.body, str) else message.body.encode()
    if len(body) > _LONGEST_BODY:
        return "its body is too long"
    if message.content_type != "application/json" or message.content_encoding != "utf-8":
        return "it is not JSON"
    if not isinstance(message.headers, Mapping):
        return "it has no headers"
    return headers_flaw(message.headers) or arguments_flaw(body)
