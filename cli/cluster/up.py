"""Run the whole cluster until told to stop."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from cli.cluster.before import refuse_openness, wait_for_servers
from cli.cluster.folder import DataFolder
from cli.cluster.lock import FolderLock
from cli.cluster.logs import last_words
from cli.cluster.notes import Notes
from cli.cluster.plan import Options, Plan, make_plan
from cli.cluster.process import Part, Process
from cli.cluster.report import Announcer
from cli.cluster.supervisor import Supervisor
from cli.console import err
from cli.errors import USAGE, CommandError
from config.settings import Settings

Ready = Callable[[Plan, Supervisor], None]


def up(settings: Settings, options: Options, on_ready: Ready | None = None, extra: Sequence[Part] = ()) -> None:
    """Start everything on `settings.data_dir`, and return when it has been stopped by a signal or by `on_ready`.

    `extra` parts are started beside it.

    Raises
    ------
    CommandError
        The folder cannot be used or is in use, or a port that was asked for is taken.
    """
    folder = DataFolder(settings.data_dir.expanduser().resolve())
    with stoppable(), contextlib.ExitStack() as stack:
        folder.make()
        lock = FolderLock(folder)
        stack.callback(lock.close)
        refuse_openness(settings, options.host, folder)
        wait_for_servers(settings, lambda said: err().print(said, markup=False))
        plan = make_plan(settings, folder, options)
        plan.parts.extend(extra)
        stack.callback(plan.ports.close)
        _run(plan, lock, on_ready)


def _run(plan: Plan, lock: FolderLock, on_ready: Ready | None) -> None:
    folder, announcer = plan.folder, Announcer(plan)
    unclean = folder.running_mark.exists()
    announcer.begin(unclean=unclean)
    if unclean and "mongo" in plan.embedded:
        folder.verify_mark.touch()
    folder.prepared.unlink(missing_ok=True)
    folder.running_mark.touch()
    folder.forget_signs()
    began = datetime.now(UTC).isoformat(timespec="seconds")
    folder.announce(_facts(plan, began, ready=False))
    supervisor = Supervisor(plan.parts, logs=folder.logs, cwd=folder.run, listener=announcer, lock=lock.fileno())

    def all_ready() -> None:
        folder.announce(_facts(plan, began, ready=True))
        announcer.up()
        if on_ready is not None:
            on_ready(plan, supervisor)

    refused: list[str] = []
    notes = Notes()

    def check_indexes() -> None:
        folder.verify_mark.touch()
        supervisor.again("prepare")

    def died(process: Process, code: int) -> None:
        if process.part.name == "secantusdb":  # an index it was making may now be short
            notes.take(check_indexes)
        elif code == USAGE and not process.was_ready:  # ours say so that they may not be started as they are
            refused.append(f"The {process.part.title} refuses to start: {last_words(process.log)}")
            supervisor.request_stop()

    counts: Counter[str] = Counter()

    def stuck(process: Process, trouble: str) -> None:
        counts[process.part.name] += 1
        notes.take(lambda: folder.write_private(folder.replaced, json.dumps(counts)))

    def idle() -> None:
        notes.catch_up()
        announcer.watch_size()

    supervisor.on_all_ready, supervisor.on_death, supervisor.final = all_ready, died, announcer.final()
    supervisor.on_stuck = stuck
    supervisor.on_idle = idle
    try:
        supervisor.run()
    finally:
        folder.cluster_file.unlink(missing_ok=True)
        if supervisor.clean:
            folder.running_mark.unlink(missing_ok=True)
    announcer.stopped()
    if refused:
        raise CommandError(refused[0])


def _facts(plan: Plan, began: str, *, ready: bool) -> dict[str, object]:
    """What clients on this machine may know: never a secret."""
    settings = plan.settings
    return {
        "pid": os.getpid(),
        "ready": ready,
        "started_at": began,
        "url": plan.url,
        "flower_url": settings.flower.url,
        "data_dir": str(plan.folder.path),
        "logs": str(plan.folder.logs),
        "settings_file": str(plan.folder.settings_file),
        "embedded": plan.embedded,
        "roots": {name: str(path) for name, path in settings.all_roots.items()},
        "buckets": {name: str(where) for name, where in settings.buckets.items()},
    }


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """A signal before the supervisor listens ends the command in order, too: there is nothing to take down yet."""

    def leave(number: int, frame: FrameType | None) -> None:
        sys.exit(0)

    before = {number: signal.signal(number, leave) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def wait_ready(folder: DataFolder, timeout_s: float, pause: Callable[[float], object]) -> bool:
    """Wait for a cluster that another process is starting."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        facts = folder.running()
        if facts is None:
            return False
        if facts.get("ready"):
            return True
        pause(0.2)
    return False


def default_folder(settings: Settings, data_dir: Path | None) -> DataFolder:
    """The folder that the command line names, or the settings."""
    return DataFolder((data_dir or settings.data_dir).expanduser().resolve())


def print_facts(plan: Plan, supervisor: Supervisor) -> None:
    """One JSON line on standard output for programs."""
    facts = plan.folder.running()
    print(json.dumps(facts), flush=True)
