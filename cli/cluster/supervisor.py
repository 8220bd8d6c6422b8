"""The supervisor: starts parts in order, starts again what dies, and takes everything down.

One thread, the main one: the kernel's death signal is tied to the thread that starts a process. It sleeps until a
signal (a child's death among them), a start or a probe that is due.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Protocol

from cli.cluster.health import CHECK_S, Rounds
from cli.cluster.logs import last_lines, rotate
from cli.cluster.probes import Probe
from cli.cluster.process import Part, Process, State, how_it_ended

PROBE_S = 0.08
FINAL_S = 0.25
QUICK_S = 20.0
"""A shorter life is a quick death."""
GUARDIAN = Path(__file__).with_name("guardian.py")


class Listener(Protocol):
    """Who is told what happens."""

    def ready(self, process: Process, took_s: float) -> None:
        """A part answers."""

    def died(self, process: Process, how: str, pause_s: float, lines: list[str]) -> None:
        """A part ended by itself and is started again after a pause; its last words after quick deaths."""

    def stuck(self, process: Process, trouble: str) -> None:
        """A part runs and does not get on; it is replaced."""

    def stopping(self) -> None:
        """Everything is being taken down."""

    def killed(self, process: Process) -> None:
        """A part did not stop in its time and was killed."""


class Supervisor:
    """Runs parts until it is told to stop."""

    def __init__(
        self, parts: list[Part], *, logs: Path, cwd: Path, listener: Listener, lock: int | None = None
    ) -> None:
        self.processes = {part.name: Process(part, logs / f"{part.name}.log", cwd) for part in parts}
        self.final: Probe = lambda: True
        """Asked once every part is ready: whether the cluster as a whole is."""
        self.on_all_ready: Callable[[], None] = lambda: None
        self.on_death: Callable[[Process, int], None] = lambda process, code: None
        """Told of a part's death and its exit code, before it is started again."""
        self.on_idle: Callable[[], None] = lambda: None
        """Called at every turn of the loop once the cluster is up: every few seconds."""
        self.on_stuck: Callable[[Process, str], None] = lambda process, trouble: None
        """Told of a part that runs and does not get on, before it is replaced."""
        self._listener = listener
        self._lock = lock
        self._rounds = Rounds()
        self._stop = 0
        self._complete = False
        self.clean = True
        """No server had to be killed."""
        self._guardian: subprocess.Popen[bytes] | None = None
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)

    # -- from outside
    def request_stop(self) -> None:
        """Begin to stop; from any thread. A second request ends everything at once."""
        self._stop += 1
        with contextlib.suppress(OSError):  # full: then it is awake already
            os.write(self._wake_write, b"s")

    @property
    def stopping(self) -> bool:
        """Whether a stop was requested."""
        return self._stop > 0

    def again(self, name: str) -> None:
        """Let a part that runs once run another time; what needs it and runs already goes on."""
        process = self.processes.get(name)
        if process is not None and process.state is State.READY:
            process.state = State.WAITING

    # -- the life of the cluster
    def run(self) -> None:
        """Run until a stop is requested (SIGINT and SIGTERM do), then take everything down."""
        with self._signals():
            try:
                while not self.stopping:
                    self._guard()
                    self._step()
                    self._sleep(self._due())
            finally:
                self._stop = max(1, self._stop)
                self._take_down()

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        def stop(number: int, frame: FrameType | None) -> None:
            self._stop += 1

        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda number, frame: None)
        old_fd = signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(old_fd)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _sleep(self, seconds: float) -> None:
        select.select([self._wake_read], [], [], max(0.0, seconds))
        with contextlib.suppress(BlockingIOError):
            while os.read(self._wake_read, 4096):
                pass

    def _due(self) -> float:
        now = time.monotonic()
        if any(process.state is State.STARTING for process in self.processes.values()):
            return PROBE_S
        if not self._complete and self._all_ready():
            return FINAL_S
        starts = [p.start_at - now for p in self.processes.values() if p.state is State.WAITING and self._free(p)]
        return min([CHECK_S, *starts])

    def _all_ready(self) -> bool:
        return all(process.state is State.READY for process in self.processes.values())

    def _free(self, process: Process) -> bool:
        return all(self.processes[name].state is State.READY for name in process.part.needs if name in self.processes)

    def _step(self) -> None:
        for process in self.processes.values():
            if self.stopping:
                return
            self._follow(process)
        if not self._complete and self._all_ready() and self.final():
            self._complete = True
            self.on_all_ready()
        if self._rounds.due():
            self._replace_stuck()
        for process in self.processes.values():
            rotate(process.log)
        if self._complete:
            self.on_idle()

    def _follow(self, process: Process) -> None:
        if process.popen is not None:
            pid = process.popen.pid
            code = process.ended()
            if code is not None:
                self._tell_guardian("-", pid)
                self._bury(process, code)
            elif process.state is State.STARTING and process.answers():
                self._is_ready(process)
        elif process.state is State.WAITING and time.monotonic() >= process.start_at and self._free(process):
            self._tell_guardian("+", process.start())

    def _replace_stuck(self) -> None:
        """End what does not get on: its death is then followed by another start."""
        for process in self.processes.values():
            if not self.stopping and (trouble := process.trouble()):
                self._listener.stuck(process, trouble)
                self.on_stuck(process, trouble)
                process.end_all()

    def _is_ready(self, process: Process) -> None:
        process.state, process.was_ready = State.READY, True
        self._listener.ready(process, time.monotonic() - process.started)

    def _bury(self, process: Process, code: int) -> None:
        if process.part.once and code == 0:
            self._is_ready(process)
            return
        lived = time.monotonic() - process.started
        pause = process.wait_again(lived)
        quick = process.backoff.deaths >= 3 and lived < QUICK_S
        self._listener.died(process, how_it_ended(code), pause, last_lines(process.log) if quick else [])
        self.on_death(process, code)

    # -- the guardian
    def _guard(self) -> None:
        if self._guardian is not None and self._guardian.poll() is None:
            return
        if self._guardian is not None and self._guardian.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._guardian.stdin.close()
        inherited = () if self._lock is None else (self._lock,)
        self._guardian = subprocess.Popen(
            [sys.executable, "-I", "-S", str(GUARDIAN)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=inherited,
            env={},
            cwd="/",
        )
        for process in self.processes.values():
            if process.pid is not None:
                self._tell_guardian("+", process.pid)

    def _tell_guardian(self, sign: str, pid: int) -> None:
        assert self._guardian is not None
        assert self._guardian.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it died; the next turn starts another and tells it all
            self._guardian.stdin.write(f"{sign}{pid}\n".encode())
            self._guardian.stdin.flush()

    # -- the end
    def _take_down(self) -> None:
        self._listener.stopping()
        for servers in (False, True):
            self._end_all([p for p in self.processes.values() if p.part.server is servers and p.popen is not None])
        if self._guardian is not None and self._guardian.stdin is not None:
            self._guardian.stdin.close()
            self._guardian.wait()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _end_all(self, processes: list[Process]) -> None:
        """TERM to all, KILL to each after its grace, or to all at once on the second Ctrl-C."""
        for process in processes:
            process.terminate()
        began = time.monotonic()
        while alive := [p for p in processes if p.popen is not None and p.ended() is None]:
            for process in alive:
                if time.monotonic() - began > process.part.grace_s or self._stop > 1:
                    process.kill()
                    self.clean = self.clean and not process.part.server
                    self._listener.killed(process)
            self._sleep(0.1)
