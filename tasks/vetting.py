"""What a worker takes from the broker: messages of ours, to the letter. Anything else is refused, and the worker lives.

Without this one message that kombu cannot read, or that Celery cannot decode, ends the worker; it goes back into the
queue and ends the next one. And whoever can write to the broker could ask for any task with any limit.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from queue import Empty
from typing import Any, Final

import structlog
from kombu.transport import TRANSPORT_ALIASES, redis

from tasks.names import QueueName, TaskName

log = structlog.stdlib.get_logger(__name__)

_QUEUES: Final = frozenset(QueueName)
_TASKS: Final = frozenset(TaskName)
_LONGEST_BODY: Final = 1000
"""Of a task's message, in base64: one id of less than 130 characters, and Celery's wrapping."""
_LONGEST_QUESTION: Final = 100_000
"""The same of what workers are asked from afar."""
_LONGEST_ID: Final = 200
_UNREADABLE: Final = (ValueError, RecursionError, TypeError, KeyError, AttributeError)


class Unacknowledged(redis.QoS):
    """Gives back what was not acknowledged in time, and drops what others wrote there."""

    def restore_by_tag(self, tag: Any, client: Any = None, leftmost: bool = False) -> None:
        """See kombu."""
        try:
            super().restore_by_tag(tag, client, leftmost)
        except _UNREADABLE as error:
            _refuse("what was not acknowledged", f"it cannot be read ({type(error).__name__})")
            with self.channel.conn_or_acquire(client) as own:  # type: ignore[attr-defined]
                own.hdel(self.unacked_key, tag)
                own.zrem(self.unacked_index_key, tag)


class Channel(redis.Channel):
    """Drops what is no JSON, instead of ending the worker."""

    QoS = Unacknowledged

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[misc]  # kombu's stubs do not know it
        except (ValueError, RecursionError) as error:
            _refuse("a queue", f"it cannot be read ({type(error).__name__})")
            raise Empty from None

    def _receive_one(self, c: Any) -> Any:
        try:
            return super()._receive_one(c)  # type: ignore[misc]
        except RecursionError:
            _refuse("a channel", "it cannot be read (RecursionError)")
            raise Empty from None


class Transport(redis.Transport):
    """kombu's own, with a look at each message before it is delivered."""

    Channel = Channel

    def _deliver(self, message: Any, queue: str | None) -> None:
        flaw = task_flaw(message) if queue in _QUEUES else wrapping_flaw(message, _LONGEST_QUESTION)
        if flaw:
            _refuse(queue or "no queue", flaw)
            return
        super()._deliver(message, queue)


def vet_messages() -> None:
    """Use the transport above for every Redis connection that this process opens from now on."""
    for alias in ("redis", "rediss"):
        TRANSPORT_ALIASES[alias] = f"{__name__}:Transport"


def task_flaw(message: Any) -> str | None:
    """What is wrong with a message of a task queue, or ``None``."""
    flaw = wrapping_flaw(message, _LONGEST_BODY)
    if flaw:
        return flaw
    return headers_flaw(message["headers"]) or _body_flaw(message["body"])


def headers_flaw(headers: Mapping[str, Any]) -> str | None:
    """What is wrong with what a task's message says of itself, or ``None``."""
    if not isinstance(headers.get("task"), str) or headers["task"] not in _TASKS:
        return "it names no task of ours"
    if not isinstance(headers.get("id"), str) or len(headers["id"]) > _LONGEST_ID:
        return "it has no id"
    if headers.get("eta") is not None or headers.get("expires") is not None:
        return "it is for another time"
    if headers.get("timelimit") not in (None, [None, None]) or type(headers.get("retries", 0)) is not int:
        return "it brings limits of its own"
    return None


def wrapping_flaw(message: Any, longest_body: int) -> str | None:
    """What is wrong with what is around a message, or ``None``."""
    if not isinstance(message, dict):
        return "it is no object"
    body, headers, properties = (message.get(name) for name in ("body", "headers", "properties"))
    if not isinstance(body, str) or len(body) > longest_body:
        return "its body is no text, or too long"
    if message.get("content-type") != "application/json" or message.get("content-encoding") != "utf-8":
        return "it is not JSON"
    if not isinstance(headers, dict) or not isinstance(properties, dict):
        return "it lacks headers or properties"
    if properties.get("body_encoding") != "base64" or not isinstance(properties.get("delivery_tag"), str):
        return "it has no tag, or another encoding"
    info = properties.get("delivery_info")
    if not isinstance(info, dict) or not all(isinstance(info.get(name), str) for name in ("exchange", "routing_key")):
        return "it has no address"
    return None


def _body_flaw(body: str) -> str | None:
    try:
        return arguments_flaw(base64.b64decode(body, validate=True))
    except _UNREADABLE:
        return "its body cannot be read"


def arguments_flaw(body: bytes) -> str | None:
    """What is wrong with a task's arguments: one id and nothing else, no callbacks, no chain, no chord."""
    try:
        args, kwargs, embedded = json.loads(body)
    except _UNREADABLE:
        return "its body cannot be read"
    if kwargs or not isinstance(args, list) or len(args) != 1:
        return "it does not have one argument"
    if not isinstance(args[0], str) or len(args[0]) > _LONGEST_ID:
        return "its argument is no id"
    if not isinstance(embedded, Mapping) or any(value is not None for value in embedded.values()):
        return "something is to be done behind it"
    return None


def _refuse(queue: str, why: str) -> None:
    # Never what it said: that may be anything, and as long as it likes.
    log.warning("message_refused", queue=queue, why=why)
