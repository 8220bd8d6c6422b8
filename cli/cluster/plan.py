"""What `up` starts: the settings of the children and the parts, from the user's settings and the command line."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cli.cluster import parts
from cli.cluster.embedded import EMBEDDED, wanted
from cli.cluster.folder import DataFolder
from cli.cluster.ports import USUAL, Ports
from cli.cluster.process import Part
from cli.cluster.toml import dumps, plain
from cli.errors import UsageError
from config.buckets import SCHEME, BucketUrl
from config.settings import Settings


@dataclass(frozen=True)
class Options:
    """What the command line asks for; ``None`` where it says nothing."""

    roots: dict[str, Path | BucketUrl] = field(default_factory=dict)
    host: str | None = None
    port: int | None = None
    workers: int | None = None


@dataclass(frozen=True)
class Plan:
    """Everything that will run, and the settings it runs with."""

    folder: DataFolder
    settings: Settings
    parts: list[Part]
    embedded: list[str]
    ports: Ports

    @property
    def url(self) -> str:
        """The gateway's address on this machine."""
        return parts.url_of(self.settings.gateway.host, self.settings.gateway.port)


def make_plan(settings: Settings, folder: DataFolder, options: Options) -> Plan:
    """Choose ports, write the servers' configuration and the children's settings, and list the parts."""
    ports = Ports()
    try:
        servers, urls = _servers(settings, folder, ports)
        full = _children_settings(settings, folder, options, urls, ports)
    except BaseException:
        ports.close()
        raise
    values = {name: value for name, value in plain(full).items() if name not in ("api_key", "url")}
    folder.write_private(folder.settings_file, dumps(values))
    found = [*servers, *_ours(full, folder, options, servers)]
    patient = [replace(part, patience_s=full.queue.stuck_after_s) for part in found]
    return Plan(folder, full, patient, sorted(urls), ports)


def _servers(settings: Settings, folder: DataFolder, ports: Ports) -> tuple[list[Part], dict[str, str]]:
    found: list[Part] = []
    urls: dict[str, str] = {}
    for name in wanted(settings):
        part, urls[name] = EMBEDDED[name](folder, ports)
        found.append(part)
    return found, urls


def _children_settings(
    settings: Settings, folder: DataFolder, options: Options, urls: dict[str, str], ports: Ports
) -> Settings:
    values: dict[str, Any] = plain(settings)
    values["data_dir"] = str(folder.path)
    values["signs_folder"] = str(folder.signs)
    values["roots"] = {**{name: str(path) for name, path in settings.roots.items()}, **_roots(folder, options)}
    for name, url in urls.items():
        values[name]["url"] = url
    gateway, flower = values["gateway"], values["flower"]
    gateway["host"] = options.host or settings.gateway.host
    asked = options.port if options.port is not None else settings.gateway.port
    explicit = options.port is not None or "port" in settings.gateway.model_fields_set
    take = ports.take if explicit else (lambda name, port, host: ports.find(port, host))
    gateway["port"] = take("gateway", asked, gateway["host"])
    explicit = "port" in settings.flower.model_fields_set
    flower["port"] = (
        ports.take("Flower", settings.flower.port, settings.flower.host)
        if explicit
        else ports.find(USUAL["flower"], settings.flower.host)
    )
    flower["url"] = parts.url_of(settings.flower.host, flower["port"])
    return Settings(**values)


def _roots(folder: DataFolder, options: Options) -> dict[str, str]:
    roots = {name: str(path) for name, path in options.roots.items()}
    demo = folder.path / "demo" / "library"
    if demo.is_dir():  # so that the demo's sounds can still be played
        roots.setdefault("demo", str(demo))
    return roots


def _ours(settings: Settings, folder: DataFolder, options: Options, servers: list[Part]) -> list[Part]:
    stand_on = [part.name for part in servers]
    ready = [*stand_on, "prepare"]
    return [
        parts.prepare(folder, stand_on),
        parts.warm(folder),
        *parts.background(folder, settings, ready),
        *parts.workers(folder, settings, cores(options.workers), [*ready, "warm"]),
        parts.flower(folder, settings, stand_on),
        parts.gateway(folder, settings, ready),
    ]


def cores(count: int | None) -> list[int | None]:
    """The core of each worker: physical ones first; more workers than cores go round again."""
    from workers.process import physical_cores

    available = physical_cores()
    if count is None:
        return list(available)
    return [available[number % len(available)] for number in range(count)]


def parse_roots(given: list[str]) -> dict[str, Path | BucketUrl]:
    """``NAME=PATH`` pairs; a path is made absolute and must be a folder, or it is ``s3://bucket/prefix``."""
    roots: dict[str, Path | BucketUrl] = {}
    for pair in given:
        name, sign, path = pair.partition("=")
        if not sign or not path:
            raise UsageError(f"--root wants NAME=PATH, for example library=/music/samples, not {pair!r}.")
        if not name or not name.replace("-", "").replace("_", "").isalnum():
            raise UsageError(f"A root's name is letters, digits, - and _, not {name!r}.")
        if name == "uploads":
            raise UsageError("The root name 'uploads' is taken by the gateway's own uploads; choose another one.")
        if name in roots:
            raise UsageError(f"The root name {name!r} was given twice.")
        roots[name] = _bucket(name, path) if path.startswith(SCHEME) else _folder(name, path)
    return roots


def _bucket(name: str, url: str) -> BucketUrl:
    try:
        return BucketUrl.parse(url)
    except ValueError as error:
        raise UsageError(f"Root {name!r}: {error}.") from error


def _folder(name: str, path: str) -> Path:
    folder = Path(path).expanduser().resolve()
    if not os.path.exists(folder):  # unlike Path.exists it does not raise where a parent may not be entered
        raise UsageError(f"The folder {path} of root {name!r} does not exist.")
    if not os.path.isdir(folder):
        raise UsageError(f"{path} of root {name!r} is a file, not a folder; name the folder it lies in.")
    if not os.access(folder, os.R_OK | os.X_OK):
        raise UsageError(f"The folder {path} of root {name!r} may not be read by you.")
    return folder
