"""Stopping a worker as soon as its chunk is done.

Celery's soft shutdown sleeps for the whole of `worker_soft_shutdown_timeout` where a task is running, be it done
after a moment: 20 s for each worker at every stop. Here the child says in one shared byte whether it is at work,
and the parent waits for that.
"""

from __future__ import annotations

import mmap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Final

import celery.apps.worker
import structlog
from celery import Celery
from celery.worker import state
from kombu.utils.objects import cached_property

from tasks.signs import ours

log = structlog.stdlib.get_logger(__name__)

_POLL_S: Final = 0.05
_byte: Final = mmap.mmap(-1, 1)
"""Shared with the children, because it is made before they are forked."""


@contextmanager
def at_work() -> Iterator[None]:
    """Say, in the child, that a task is running."""
    _byte[0] = 1
    try:
        yield
    finally:
        _byte[0] = 0


def is_at_work() -> bool:
    """Whether the child runs a task; also for the parent."""
    return _byte[0] == 1


def nothing_yet() -> None:
    """A new child begins: the last one may have died at work."""
    _byte[0] = 0


class PoliteWorker(celery.apps.worker.Worker):
    """A Celery worker that waits for its running task no longer than the task takes."""

    def wait_for_soft_shutdown(self) -> None:  # type: ignore[override]
        """Wait until the child has done its task, at most `worker_soft_shutdown_timeout`. Runs in a signal handler.

        The message of a task that ended here is delivered once more, and finds nothing to do.
        """
        if not state.active_requests:
            return
        ends = time.monotonic() + float(self.app.conf.worker_soft_shutdown_timeout)
        pause = Event()
        while is_at_work() and time.monotonic() < ends:
            ours().turn()
            pause.wait(_POLL_S)
        log.info("worker_stopping", finished=not is_at_work())


class PoliteCelery(Celery):
    """An app whose ``celery worker`` is a `PoliteWorker`, and asks RabbitMQ for each message."""

    amqp_cls = "tasks.puller:PullingAMQP"

    @cached_property
    def Worker(self) -> type[PoliteWorker]:  # noqa: N802 - Celery looks for this name
        """The class that the command line runs."""
        worker: type[PoliteWorker] = self.subclass_with_self(PoliteWorker)
        return worker
