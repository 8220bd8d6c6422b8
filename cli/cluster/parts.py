"""Our own processes: what each is started as, and when it is ready."""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence

from cli.cluster.folder import DataFolder
from cli.cluster.probes import http_ready
from cli.cluster.process import Part
from config.environment import child_environment
from config.settings import Settings

STOP_S = 10.0


def _python(module: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module, *arguments)


def _runs() -> bool:
    """For parts that listen nowhere: GET /ready of the gateway says whether they beat."""
    return True


def prepare(folder: DataFolder, needs: Sequence[str]) -> Part:
    """Make and check collections and indexes, once the ledger is there."""
    return Part(
        name="prepare",
        title="collections and indexes",
        command=_python("cli.cluster.prepare", str(folder.path)),
        environment=child_environment(folder.settings_file),
        ready=_runs,
        needs=tuple(needs),
        once=True,
    )


def warm(folder: DataFolder) -> Part:
    """Compile the kernels into the cache while the servers start."""
    return Part(
        name="warm",
        title="kernels compiled",
        command=_python("cli", "warm", "--quiet"),
        environment=child_environment(folder.settings_file),
        ready=_runs,
        once=True,
    )


def workers(
    folder: DataFolder, settings: Settings, cores: Sequence[int | None], needs: Sequence[str], host: str | None = None
) -> list[Part]:
    """One worker for each of `cores`; in Flower they are `worker-N@host`, by default this machine's name."""
    host = host or socket.gethostname()
    return [
        Part(
            name=f"worker-{number}",
            title=f"worker {number}" + ("" if core is None else f" on core {core}"),
            command=_python("tasks.worker"),
            environment=child_environment(folder.settings_file, **_worker_settings(number, core, host)),
            ready=_runs,
            needs=tuple(needs),
            grace_s=settings.queue.soft_shutdown_s + STOP_S,
            signs=(settings.signs_dir, "worker"),
        )
        for number, core in enumerate(cores)
    ]


def worker_name(number: int, host: str) -> str:
    """What a worker is called, in Flower and in its heartbeats."""
    return f"worker-{number}@{host}"


def _worker_settings(number: int, core: int | None, host: str) -> dict[str, str]:
    named = {"SAMPLEMIND_WORKER__NAME": worker_name(number, host)}
    return named if core is None else {**named, "SAMPLEMIND_WORKER__CORE": str(core)}


def background(folder: DataFolder, settings: Settings, needs: Sequence[str]) -> list[Part]:
    """The index writer and the reconciler."""
    said = {"index": ("index", "index writer"), "reconcile": ("reconciler", "reconciler")}
    return [
        Part(
            name=name,
            title=title,
            command=_python(f"tasks.{name}"),
            environment=child_environment(folder.settings_file),
            ready=_runs,
            needs=tuple(needs),
            signs=(settings.signs_dir, part),
        )
        for name, (part, title) in said.items()
    ]


def flower(folder: DataFolder, settings: Settings, needs: Sequence[str]) -> Part:
    """The queue's monitor."""
    return Part(
        name="flower",
        title="Flower, the queue's monitor",
        command=_python("tasks.monitor"),
        environment=child_environment(folder.settings_file),
        ready=http_ready(reachable(settings.flower.host), settings.flower.port, "/healthcheck"),
        needs=tuple(needs),
        where=settings.flower.url,
    )


def gateway(folder: DataFolder, settings: Settings, needs: Sequence[str]) -> Part:
    """The HTTP door."""
    host = reachable(settings.gateway.host)
    return Part(
        name="gateway",
        title="gateway",
        command=_python("api"),
        environment=child_environment(folder.settings_file),
        ready=http_ready(host, settings.gateway.port, "/health"),
        needs=tuple(needs),
        where=url_of(settings.gateway.host, settings.gateway.port),
    )


def reachable(host: str) -> str:
    """Where this machine reaches a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)


def url_of(host: str, port: int) -> str:
    """The URL under which this machine reaches it."""
    host = reachable(host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
