"""The loop of a process that looks after something until it is told to stop. It never dies of an error."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable
from types import FrameType

import structlog

from stores.doors import Ledger, Pulse
from tasks.patience import Backoff
from tasks.signs import ours
from workers.errors import StoreUnavailable

log = structlog.stdlib.get_logger(__name__)


class Stop:
    """Waits that a signal ends at once.

    A pipe rather than a `threading.Event`: setting an event from a signal handler can deadlock with the very wait
    that it is to end.
    """

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        self._set = False

    def set(self) -> None:
        """Stop. May be called from a signal handler or another thread."""
        self._set = True
        os.write(self._write, b"!")

    def is_set(self) -> bool:
        """Whether to stop."""
        return self._set

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until it is time to stop; whether it is."""
        if not self._set:
            select.select([self._read], [], [], seconds)
        return self._set

    def on_signals(self) -> None:
        """Stop at SIGTERM and SIGINT, from here on."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._handle)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if not self._set:
            self.set()


def run(round_: Callable[[], float], stop: Stop, backoff: Backoff | None = None) -> None:
    """Call `round_` again and again, waiting so many seconds as it says, until `stop`.

    A database that is away makes the pauses longer; a bug is logged and waited for as well.
    """
    backoff = backoff or Backoff()
    away = False
    while not stop.is_set():
        ours().step()
        try:
            pause_s = round_()
            if away:
                log.info("databases_back")
            away = False
            backoff.reset()
        except StoreUnavailable as error:
            pause_s = backoff.pause_s()
            if not away:
                log.warning("database_away", why=str(error))
            away = True
        except Exception:
            pause_s = backoff.pause_s()
            log.exception("round_failed")
        ours().step(pause_s)
        stop.wait(pause_s)


def leave(part: str, holder: str, ledger: Ledger, pulse: Pulse) -> None:
    """Let another process be this part at once, and be missed by nobody."""
    for say in (ledger.let_go, pulse.gone):
        try:
            say(part, holder)
        except StoreUnavailable:
            log.debug("left_unsaid", part=part)
