"""What takes messages from the broker for a worker, patient while that is away."""

from __future__ import annotations

from typing import Any, Final

import structlog
from celery import bootsteps
from celery.worker.consumer import Consumer
from celery.worker.state import maybe_shutdown

from tasks.signs import ours

log = structlog.stdlib.get_logger(__name__)

_STEPS: Final[list[str]] = list(Consumer.Blueprint.default_steps)
_MOST_S: Final = 5.0
"""Celery's own pauses grow to half a minute, in which a Redis that came back finds no worker."""


class PatientConsumer(Consumer):
    """Celery's, that gets on while it tries to connect and says so: a worker without its broker is not a stuck one."""

    class Blueprint(bootsteps.Blueprint):
        """Celery's, without the 28 queues that RabbitMQ would have to keep for messages of another time: none is."""

        name = "Consumer"
        default_steps = {step for step in _STEPS if not step.endswith(":DelayedDelivery")}  # noqa: RUF012 - Celery's

        def shutdown(self, parent: Any) -> None:
            """As Celery's."""
            self.send_all(parent, "shutdown")

    def ensure_connected(self, conn: Any) -> Any:
        """Connect, however long it takes."""

        def failed(error: Exception, pause_s: float) -> None:
            ours().turn()
            log.warning("queue_away", why=type(error).__name__, again_in_s=pause_s)

        conn.ensure_connection(failed, None, interval_start=1, interval_step=1, interval_max=_MOST_S, callback=_gets_on)
        self.first_connection_attempt = False
        return conn


def _gets_on() -> None:
    """Called about each second while there is no connection; a worker that is to stop does so here."""
    ours().turn()
    maybe_shutdown()
