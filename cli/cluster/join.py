"""Run this machine's cores as workers of a cluster that runs elsewhere, until told to stop."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from cli.cluster import parts
from cli.cluster.folder import DataFolder
from cli.cluster.joining import UPLOADS, refuse_what_cannot_work
from cli.cluster.lock import FolderLock
from cli.cluster.plan import cores
from cli.cluster.process import Part
from cli.cluster.supervisor import Supervisor
from cli.cluster.telling import Teller, say
from cli.cluster.toml import dumps, plain
from cli.cluster.up import stoppable
from cli.console import escape
from cli.errors import CommandError
from config.settings import Settings
from stores.pulse import RedisPulse, quick
from workers.errors import StoreUnavailable


def join(
    settings: Settings,
    *,
    count: int | None,
    host: str | None,
    uploads: Path | None,
    unencrypted: bool = False,
    trust_roots: bool = False,
) -> None:
    """Start workers, one on each core, and return when they have been stopped by a signal.

    Parameters
    ----------
    settings : Settings
        Broker and ledger of the cluster; `data_dir` is where logs and state of these workers lie.
    count : int or None
        How many; by default one for each physical core.
    host : str or None
        What this machine is called in Flower; by default its own name.
    uploads : Path or None
        Where the cluster's uploads are mounted here.

    Raises
    ------
    CommandError
        The cluster cannot be joined from here (`cli.cluster.joining`), or workers run on this folder already.
    """
    folder, host = DataFolder(settings.data_dir), host or socket.gethostname()
    with stoppable(), contextlib.ExitStack() as stack:
        folder.make()
        lock = FolderLock(folder)
        stack.callback(lock.close)
        _share_uploads(settings.uploads_dir, uploads)
        refuse_what_cannot_work(settings, plain=unencrypted, trust_roots=trust_roots)
        folder.write_private(folder.settings_file, dumps(_for_children(settings, folder)))
        folder.forget_signs()
        pinned = cores(count)
        listed = [parts.warm(folder), *parts.workers(folder, settings, pinned, ["warm"], host)]
        _run(settings, folder, lock, listed, [parts.worker_name(number, host) for number in range(len(pinned))])


def _for_children(settings: Settings, folder: DataFolder) -> dict[str, object]:
    values = {name: value for name, value in plain(settings).items() if name not in ("api_key", "url")}
    return {**values, "signs_folder": str(folder.signs)}


def _share_uploads(place: Path, uploads: Path | None) -> None:
    """Let the root `uploads` lead to where the cluster's are mounted, or nowhere: never to a folder of our own."""
    try:
        if place.is_symlink():
            place.unlink()
        elif place.exists():
            place.rmdir()
        if uploads is not None:
            place.symlink_to(uploads)
    except OSError as error:
        raise CommandError(
            f"{place} is not empty: was a cluster started on this folder? Choose another --data-dir."
        ) from error


def _run(settings: Settings, folder: DataFolder, lock: FolderLock, listed: list[Part], names: list[str]) -> None:
    teller = Teller("Stopping: workers finish what they hold.")
    supervisor = Supervisor(listed, logs=folder.logs, cwd=folder.run, listener=teller, lock=lock.fileno())
    pulse = RedisPulse(quick(settings.redis))
    say("The cluster lets this machine in. (At the first start the kernels are compiled, which takes a minute.)")
    try:
        supervisor.final = lambda: _all_beat(pulse, names)
        supervisor.on_all_ready = lambda: _say_joined(settings, folder, len(names))
        supervisor.run()
    finally:
        pulse.close()
    teller.stopped()


def _all_beat(pulse: RedisPulse, names: Sequence[str]) -> bool:
    """Whether the cluster has heard of all workers."""
    try:
        return all(pulse.is_alive("worker", name) for name in names)
    except StoreUnavailable:
        return False


def _say_joined(settings: Settings, folder: DataFolder, count: int) -> None:
    there = urlsplit(settings.redis.url.get_secret_value()).hostname
    said = "1 worker has" if count == 1 else f"{count} workers have"
    say(
        f"[bold green]✓[/] {said} joined the cluster at {escape(str(there))} [dim](logs: {escape(str(folder.logs))})[/]"
    )
    for name, path in settings.all_roots.items():
        say(f"  {escape(name)}: {escape(os.path.realpath(path) if name == UPLOADS else str(path))}")
    say("  Ctrl-C stops them; what they hold is finished, or done elsewhere.")
