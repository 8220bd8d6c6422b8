"""What a worker's two processes hold, and when they take and leave it.

The parent takes messages, beats the pulse and never loads numba or opens a database: it forks. The child is
pinned to its core and holds everything that the work needs, made after the fork because neither pymongo's
threads nor a compiled kernel's survive one.
"""

from __future__ import annotations

import atexit
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Any, Final, Protocol

import structlog
from celery.signals import heartbeat_sent, worker_process_init, worker_process_shutdown

from config.logging import configure_logging
from config.settings import RedisSettings, Settings, get_settings
from stores.doors import Pulse, Stores
from stores.pulse import RedisPulse
from tasks.chunk import Bench
from tasks.send import Sender, Sends
from tasks.stopping import nothing_yet
from workers.errors import SampleMindError, StoreUnavailable

if TYPE_CHECKING:
    from workers.audio.decode import Decoder

log = structlog.stdlib.get_logger(__name__)

BEAT_S: Final = 5.0
BEAT_TTL_S: Final = 20.0
"""A worker that has not beaten for so long counts as gone; only the feeder's arithmetic depends on it."""
_RESTART_S: Final = 2.0
"""The parent replaces a child that could not start at once, for ever: not more often than this."""
_QUICK_S: Final = 2.0
"""Longest that a heartbeat may hold up the parent's loop."""
_MEBI: Final = 1 << 20


class Closes(Protocol):
    """Something to close at the end."""

    def close(self) -> None: ...


@dataclass(slots=True)
class Child:
    """What the process that does the work holds."""

    name: str
    settings: Settings
    stores: Stores
    pulse: Pulse
    sender: Sends
    bench: Bench
    core: int | None = None
    chunks: int = 0
    files: int = 0
    closes: list[Callable[[], None]] = field(default_factory=list)

    def did(self, files: int) -> None:
        """Count a chunk of so many files and say so."""
        self.chunks += 1
        self.files += files
        self.beat()

    def beat(self) -> None:
        """Say what this process is at. Redis being away is no reason to stop."""
        facts: dict[str, str | int | float] = {"chunks": self.chunks, "files": self.files, "child_pid": os.getpid()}
        if self.core is not None:
            facts["core"] = self.core
        try:
            self.pulse.beat("worker", self.name, facts, BEAT_TTL_S)
        except StoreUnavailable:
            log.debug("pulse_missed")

    def close(self) -> None:
        """Leave everything, whatever fails on the way."""
        for close in reversed(self.closes):
            try:
                close()
            except (SampleMindError, OSError) as error:
                log.warning("not_closed", why=str(error))


_child: Child | None = None


def this_child() -> Child:
    """What this process holds. `RuntimeError` in a process that is no worker's child."""
    if _child is None:
        raise RuntimeError("tasks run only in a worker's child process")
    return _child


@worker_process_init.connect(weak=False)
def _begin(sender: Any = None, **_: Any) -> None:
    """Take everything. A child that cannot must not take messages: it ends, and the parent makes another."""
    global _child
    nothing_yet()
    try:
        _child = open_child(get_settings(), str(sender))
        _child.beat()
    except BaseException:
        log.exception("worker_not_started")
        Event().wait(_RESTART_S)
        os._exit(os.EX_UNAVAILABLE)


@worker_process_shutdown.connect(weak=False)
def _end(**_: Any) -> None:
    global _child
    if _child is not None:
        _child.close()
        _child = None


def open_child(settings: Settings, name: str) -> Child:
    """Pin this process, warm its kernels, connect it. Imports numba and pymongo, so never in the parent."""
    from stores.mongo import connect
    from workers import process
    from workers.audio.decode import Decoder
    from workers.file import analyze_file

    configure_logging(settings.log, part="worker", worker=name)
    began = time.monotonic()
    process.prepare(settings.worker)
    decoder = Decoder(settings.decode)
    stores = connect(settings.mongo, pool="worker")
    pulse, sender = RedisPulse(quick(settings.redis)), Sender(settings)
    child = Child(
        name=name,
        settings=settings,
        stores=stores,
        pulse=pulse,
        sender=sender,
        bench=_bench(settings, stores, decoder, analyze_file),
        core=_core(),
        closes=[decoder.close, stores.close, pulse.close, sender.close],
    )
    log.info("worker_ready", core=child.core, seconds=round(time.monotonic() - began, 2))
    return child


def _bench(settings: Settings, stores: Stores, decoder: Decoder, analyze_file: Callable[..., Any]) -> Bench:
    return Bench(
        ledger=stores.ledger,
        samples=stores.samples,
        analyze=lambda fd, name: analyze_file(decoder, fd, name),
        roots=settings.all_roots,
        lease_s=settings.queue.lease_s,
        budget_s=settings.queue.task_time_limit_s / 2,
        max_file_bytes=settings.decode.max_file_mb * _MEBI,
    )


def _core() -> int | None:
    """The core this process is pinned to, where it is to one."""
    if not hasattr(os, "sched_getaffinity"):
        return None
    cores = os.sched_getaffinity(0)
    return next(iter(cores)) if len(cores) == 1 else None


def quick(redis: RedisSettings) -> RedisSettings:
    """The same Redis for what may be missed: a short wait only."""
    return redis.model_copy(update={"connect_timeout_s": _QUICK_S, "socket_timeout_s": _QUICK_S})


class ParentPulse:
    """Beats for the parent, at Celery's own heartbeat: it stops when the parent's loop does."""

    def __init__(self, pulse: RedisPulse, clock: Callable[[], float] = time.monotonic) -> None:
        self._pulse, self._clock = pulse, clock
        self._next = 0.0
        self._since = time.time()
        self._name: str | None = None

    def beat(self, name: str) -> None:
        """Beat, if the last one is `BEAT_S` ago."""
        if self._clock() < self._next:
            return
        self._next = self._clock() + BEAT_S
        self._name = name
        try:
            self._pulse.beat("worker", name, {"pid": os.getpid(), "since": round(self._since, 3)}, BEAT_TTL_S)
        except StoreUnavailable:
            log.debug("pulse_missed")

    def stop(self) -> None:
        """Say that the worker is gone."""
        try:
            if self._name is not None:
                self._pulse.gone("worker", self._name)
        except StoreUnavailable:
            log.debug("pulse_missed")
        self._pulse.close()


_parent: ParentPulse | None = None


@heartbeat_sent.connect(weak=False)
def _beat(sender: Any = None, **_: Any) -> None:
    global _parent
    if _parent is None:
        _parent = ParentPulse(RedisPulse(quick(get_settings().redis)))
        # Celery's own signal for it is not sent where a worker is told to end soon.
        atexit.register(_parent.stop)
    _parent.beat(str(sender.eventer.hostname))
