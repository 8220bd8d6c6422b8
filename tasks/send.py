"""Publishing by name: what the gateway, the reconciler and the scan send. Loads no task and no numba.

A message is a claim check, an id of less than 130 characters; losing one costs time, not work.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from secrets import token_urlsafe
from typing import Protocol

import amqp
from celery import Celery
from kombu.exceptions import KombuError, OperationalError
from redis.exceptions import RedisError

from config.settings import Settings
from stores.records import Priority
from tasks.configuration import celery_config
from tasks.names import QueueName, TaskName
from workers.errors import StoreUnavailable

_BATCH = 500
"""Most messages in one write to Redis."""


class Sends(Protocol):
    """The door to the queue; `tests.tasks.twins` has one that remembers."""

    def scan(self, job_id: str, *, ahead: bool = False) -> None:
        """Ask for a job's source to be walked (on), `ahead` of everything else."""

    def chunks(self, priority: Priority, chunk_ids: Sequence[str]) -> None:
        """Ask for chunks to be analysed, in this order."""


class Sender:
    """Publishes on the broker. Safe to share among threads; connects when it is first used.

    Every method raises `StoreUnavailable` when it cannot be reached: within some 12 s where it does not
    answer at all, at once where nobody listens.
    """

    def __init__(self, settings: Settings) -> None:
        self._app = Celery("samplemind.sender", set_as_current=False)
        self._app.conf.update(celery_config(settings))

    def scan(self, job_id: str, *, ahead: bool = False) -> None:
        """Ask for a job's source to be walked (on), `ahead` of everything else."""
        self._send(TaskName.SCAN, QueueName.INTERACTIVE if ahead else QueueName.SCAN, [job_id])

    def chunks(self, priority: Priority, chunk_ids: Sequence[str]) -> None:
        """Ask for chunks to be analysed, in this order."""
        self._send(TaskName.ANALYZE, QueueName(priority.value), chunk_ids)

    def close(self) -> None:
        """Give the connections back."""
        self._app.close()

    def _send(self, task: TaskName, queue: QueueName, ids: Sequence[str]) -> None:
        with _broker_door(), self._app.producer_or_acquire() as producer, producer.batch(_BATCH):
            for one in ids:
                self._app.send_task(
                    task.value,
                    args=(one,),
                    # Said three times in a message; Celery's own ids of 36 characters would make it over 1 KB.
                    task_id=token_urlsafe(9),
                    queue=queue.value,
                    argsrepr=one,
                    kwargsrepr="",
                    producer=producer,
                )


@contextmanager
def _broker_door() -> Iterator[None]:
    try:
        yield
    except (OperationalError, KombuError, RedisError, amqp.AMQPError, OSError) as error:
        raise StoreUnavailable(f"The queue: {type(error).__name__}.") from error
