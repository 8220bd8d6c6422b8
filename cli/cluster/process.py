"""One part of the cluster: what it is, and the process it runs as."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from cli.cluster.backoff import Backoff
from cli.cluster.guardian import kill_leftovers
from cli.cluster.health import Unanswered
from cli.cluster.probes import Probe
from tasks.signs import path_of, trouble_of

LAUNCH = Path(__file__).with_name("launch.py")


class State(StrEnum):
    """A process's life: waiting -> starting -> ready, or back to waiting when it dies."""

    WAITING = "waiting"
    """For the parts it needs, or for its next start."""
    STARTING = "starting"
    READY = "ready"
    """It answers; of a part that runs once: it ended well."""


@dataclass(frozen=True)
class Part:
    """What is to run."""

    name: str
    title: str
    """For people."""
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    ready: Probe
    needs: tuple[str, ...] = ()
    """Parts that must be ready before this one is started."""
    once: bool = False
    """It runs to its end: exit code 0 makes it ready."""
    server: bool = False
    """A server that the others stand on: stopped after them."""
    where: str = ""
    """Where it listens."""
    grace_s: float = 15.0
    """From SIGTERM to SIGKILL."""
    umask: int = 0o077
    patience_s: float = 30.0
    """For so long it may answer nothing."""
    signs: tuple[Path, str] | None = None
    """Where it leaves its signs of life, and as what; of parts that are asked nothing (`tasks.signs`)."""


@dataclass
class Process:
    """A part as it runs now. Changes only in `step` and the two that stop it; times are of `time.monotonic`."""

    part: Part
    log: Path
    cwd: Path
    state: State = State.WAITING
    backoff: Backoff = field(default_factory=Backoff)
    start_at: float = 0.0
    started: float = 0.0
    was_ready: bool = False
    """It has been ready at least once."""
    popen: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    unanswered: Unanswered = field(default_factory=Unanswered)

    @property
    def pid(self) -> int | None:
        """The leader of its session, while it runs."""
        return self.popen.pid if self.popen else None

    def start(self) -> int:
        """Start it in a session of its own; call from the main thread, whose end would end it. Its process id."""
        with _opened(self.log) as log:
            self.popen = subprocess.Popen(
                [sys.executable, "-I", "-S", str(LAUNCH), str(os.getpid()), *self.part.command],
                cwd=self.cwd,
                env=dict(self.part.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=self.part.umask,
            )
        self.started = time.monotonic()
        self.unanswered = Unanswered(self.part.patience_s)
        self.state = State.STARTING
        return self.popen.pid

    def ended(self) -> int | None:
        """Its exit code once it has ended (negative: the signal), and nothing of it is left; else ``None``."""
        if self.popen is None or (code := self.popen.poll()) is None:
            return None
        self._clear()
        return code

    def answers(self) -> bool:
        """Whether it is ready now."""
        return not self.part.once and self.part.ready()

    def trouble(self) -> str:
        """What is wrong with it although it runs, in words; empty where it gets on or has only begun."""
        if self.popen is None or self.part.once or self.state is not State.READY:
            return ""
        if self.part.signs is not None:
            folder, part = self.part.signs
            return trouble_of(path_of(folder, part, self.popen.pid)) or ""
        return self.unanswered.after(self.part.ready())

    def wait_again(self, lived_s: float) -> float:
        """Go back to waiting after a death; seconds until the next start."""
        pause = self.backoff.after(lived_s)
        self.state = State.WAITING
        self.start_at = time.monotonic() + pause
        return pause

    def terminate(self) -> None:
        """Ask it to stop. Only its leader: a pool's child may then finish its task."""
        if self.popen is not None and self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it and everything it started, now."""
        if self.popen is not None:
            kill_leftovers({self.popen.pid})
            self.popen.wait()
            self._clear()

    def end_all(self) -> None:
        """Send SIGKILL to it and everything it started; it is buried like any other that died."""
        if self.popen is not None:
            kill_leftovers({self.popen.pid})

    def _clear(self) -> None:
        assert self.popen is not None
        kill_leftovers({self.popen.pid})
        self.popen = None


def how_it_ended(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def _opened(log: Path) -> BinaryIO:
    """A log to write to; on a disk too full to begin one, nowhere: what was to be started is started all the same."""
    try:
        return log.open("ab")
    except OSError:
        return open(os.devnull, "ab")
