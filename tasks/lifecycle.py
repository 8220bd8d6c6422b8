"""What a worker's two processes hold, and when they take and leave it.

The parent takes messages, beats the pulse and never loads numba or opens a database: it forks. The child is
pinned to its core and holds everything that the work needs, made after the fork because neither pymongo's
threads nor a compiled kernel's survive one.
"""

from __future__ import annotations

import atexit
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Any, Final, Protocol

import structlog
from celery.signals import heartbeat_sent, worker_init, worker_process_init, worker_process_shutdown

from config.logging import configure_logging
from config.settings import Settings, get_settings
from config.tracing import close_tracing, configure_tracing
from stores.buckets import Bucket
from stores.doors import Pulse, Stores
from stores.pulse import RedisPulse, quick
from tasks.chunk import Bench
from tasks.culprit import Marks
from tasks.rabbit import pulse_of
from tasks.send import Sender, Sends
from tasks.signs import begin_ours, ours
from tasks.stopping import at_work, nothing_yet
from tasks.watch import Watch, WorkerLook, telling
from workers.errors import SampleMindError, StoreUnavailable

if TYPE_CHECKING:
    from workers.audio.decode import Decoder

log = structlog.stdlib.get_logger(__name__)

BEAT_S: Final = 5.0
BEAT_TTL_S: Final = 20.0
"""A worker that has not beaten for so long counts as gone; only the feeder's arithmetic depends on it."""
_LOADS_S: Final = 600.0
"""Compiling the kernels on a cold and busy machine takes minutes."""
_RESTART_S: Final = 2.0
"""The parent replaces a child that could not start at once, for ever: not more often than this."""
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
    marks: Marks
    core: int | None = None
    chunks: int = 0
    files: int = 0
    closes: list[Callable[[], None]] = field(default_factory=list)

    @contextmanager
    def working(self) -> Iterator[Child]:
        """Say, while the block lasts, that a task is running."""
        ours().task()
        try:
            with at_work():
                yield self
        finally:
            ours().rest()

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
_watch: Watch | None = None


@worker_init.connect(weak=False)
def _parent_begins(**_: Any) -> None:
    settings = get_settings()
    begin_ours(settings.signs_dir, "worker", settings.queue.stuck_after_s).turn()


def this_child() -> Child:
    """What this process holds. `RuntimeError` in a process that is no worker's child."""
    if _child is None:
        raise RuntimeError("tasks run only in a worker's child process")
    return _child


@worker_process_init.connect(weak=False)
def _begin(sender: Any = None, **_: Any) -> None:
    """Take everything. A child that cannot must not take messages: it ends, and the parent makes another."""
    global _child, _watch
    nothing_yet()
    try:
        _watch = _watched(get_settings(), str(sender))
        _child = open_child(get_settings(), str(sender))
        _child.beat()
        ours().rest()
    except BaseException:
        log.exception("worker_not_started")
        Event().wait(_RESTART_S)
        os._exit(os.EX_UNAVAILABLE)


@worker_process_shutdown.connect(weak=False)
def _end(**_: Any) -> None:
    global _child, _watch
    if _watch is not None:
        _watch.close()
        _watch = None
    if _child is not None:
        _child.close()
        _child = None


def _watched(settings: Settings, name: str) -> Watch:
    """A thread that watches this worker from its child, from before the kernels are loaded."""
    ours().step(_LOADS_S)
    pulse = pulse_of(settings, quick(settings.redis))
    look = WorkerLook(ours(), pulse.queue_lengths)
    return Watch(ours(), look, telling(pulse, "worker", name, BEAT_TTL_S)).start()


def open_child(settings: Settings, name: str) -> Child:
    """Pin this process, warm its kernels, connect it. Imports numba and pymongo, so never in the parent."""
    from stores.mongo import connect
    from workers import process
    from workers.audio.decode import Decoder
    from workers.file import analyze_file

    configure_logging(settings.log, part="worker", worker=name)
    configure_tracing(settings.tracing, "worker")
    began = time.monotonic()
    process.prepare(settings.worker)
    decoder = Decoder(settings.decode)
    stores = connect(settings.mongo, pool="worker", told=lambda: ours().step())
    pulse, sender = pulse_of(settings, quick(settings.redis)), Sender(settings)
    marks = Marks(pulse)
    child = Child(
        name=name,
        settings=settings,
        stores=stores,
        pulse=pulse,
        sender=sender,
        bench=_bench(settings, stores, decoder, analyze_file, marks),
        marks=marks,
        core=_core(),
        closes=[close_tracing, decoder.close, stores.close, pulse.close, sender.close],
    )
    log.info("worker_ready", core=child.core, seconds=round(time.monotonic() - began, 2))
    return child


def _bench(
    settings: Settings, stores: Stores, decoder: Decoder, analyze_file: Callable[..., Any], marks: Marks
) -> Bench:
    return Bench(
        ledger=stores.ledger,
        samples=stores.samples,
        analyze=lambda fd, name, alive: analyze_file(decoder, fd, name, alive),
        roots=settings.all_roots,
        buckets={name: Bucket(where, settings.s3) for name, where in settings.buckets.items()},
        s3=settings.s3,
        lease_s=settings.queue.lease_s,
        budget_s=settings.queue.task_time_limit_s / 2,
        max_file_bytes=settings.decode.max_file_mb * _MEBI,
        progress=lambda longer_s: ours().step(longer_s),
        max_deaths=settings.queue.max_attempts,
        at=marks.at,
    )


def _core() -> int | None:
    """The core this process is pinned to, where it is to one."""
    if not hasattr(os, "sched_getaffinity"):
        return None
    cores = os.sched_getaffinity(0)
    return next(iter(cores)) if len(cores) == 1 else None


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
            facts: dict[str, str | int | float] = {"pid": os.getpid(), "since": round(self._since, 3)}
            facts["stuck"] = ours().trouble()
            self._pulse.beat("worker", name, facts, BEAT_TTL_S)
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
        ours().end()


_parent: ParentPulse | None = None


@heartbeat_sent.connect(weak=False)
def _beat(sender: Any = None, **_: Any) -> None:
    global _parent
    ours().turn()
    if _parent is None:
        _parent = ParentPulse(RedisPulse(quick(get_settings().redis)))
        # Celery's own signal for it is not sent where a worker is told to end soon.
        atexit.register(_parent.stop)
    _parent.beat(str(sender.eventer.hostname))
