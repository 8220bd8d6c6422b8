"""What the parent of a lost process knows: that it is dead, and what of. Said in Redis, so that nobody waits for it.

Celery sends the message of the task again by itself (`task_retry_on_worker_lost`); with this whoever takes it need not
wait until the lease of the dead is over.
"""

from __future__ import annotations

import re
from typing import Any

import structlog
from billiard.exceptions import WorkerLostError
from celery.worker.request import Request

from config.settings import get_settings
from stores.doors import Pulse
from stores.pulse import RedisPulse, quick
from workers.errors import StoreUnavailable

log = structlog.stdlib.get_logger(__name__)

_pulse: Pulse | None = None


class TellingRequest(Request):
    """A task's request, in the parent, that tells what its process died of."""

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> None:
        """As Celery's; before it has the task sent again."""
        of = died_of(exc_info.exception)
        if of is not None:
            self._tell(of)
        super().on_failure(exc_info, send_failed_event, return_ok)

    def on_timeout(self, soft: bool, timeout: float) -> None:
        """As Celery's: the process is being killed."""
        if not soft:
            self._tell(f"it took more than {timeout:g} s")
        super().on_timeout(soft, timeout)

    def _tell(self, of: str) -> None:
        global _pulse
        if _pulse is None:
            _pulse = RedisPulse(quick(get_settings().redis))
        chunk_id = self.args[0] if self.args else None
        log.warning("worker_process_died", chunk=chunk_id, of=of)
        try:
            if isinstance(chunk_id, str):
                _pulse.died(chunk_id, of)
        except StoreUnavailable:
            log.debug("pulse_missed")


def died_of(error: BaseException) -> str | None:
    """In words what a process died of; ``None`` where it lives."""
    error = getattr(error, "exc", error)  # billiard wraps what comes from the child
    if isinstance(error, SystemExit):
        return f"it ended with status {error.code}"
    if not isinstance(error, WorkerLostError):
        return None
    said = str(error)
    by_signal = re.search(r"signal (\d+)(?: \((\w+)\))?", said)
    if by_signal:
        return f"ended by {by_signal[2] or 'signal ' + by_signal[1]}"
    status = re.search(r"exitcode (-?\d+)", said)
    return f"it ended with status {status[1]}" if status else "it ended"
