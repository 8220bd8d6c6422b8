"""What is looked at before anything is started: whether it may be, and whether the servers of one's own are there."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from threading import Event
from typing import Final
from urllib.parse import urlsplit

from cli.cluster.embedded import wanted
from cli.cluster.folder import DataFolder
from cli.errors import CommandError, UsageError
from config.flower import is_loopback
from config.settings import Settings

PATIENCE_S: Final = 30.0
"""So long a server of one's own may take to come up: both may start with the machine."""
_LOOK_S: Final = 0.5
_PORTS: Final = {"redis": 6379, "rediss": 6379, "amqp": 5672, "amqps": 5671, "mongodb": 27017, "http": 80, "https": 443}
_NAMES: Final = {"redis": "Redis", "rabbitmq": "RabbitMQ", "mongo": "MongoDB", "chroma": "Chroma"}


def refuse_openness(settings: Settings, host: str | None, folder: DataFolder) -> None:
    """Raise `UsageError` where the gateway is to listen beyond loopback and there can be no key yet.

    A ledger that was used before may hold one: that is only known once it runs (`cli.cluster.prepare`).
    """
    listens = host or settings.gateway.host
    fresh = "mongo" in wanted(settings) and not (folder.path / "mongo").exists()
    if fresh and not is_loopback(listens):
        raise UsageError(openness(listens))


def openness(host: str) -> str:
    """Why nothing is started that everybody on the network could use."""
    return (
        f"Not listening on {host}: no API key exists, so anybody on the network could use this gateway. Start it on "
        "127.0.0.1, make a key with './samplemind keys create', and start it again."
    )


def wait_for_servers(
    settings: Settings, say: Callable[[str], object], patience_s: float = PATIENCE_S, pause: Event | None = None
) -> None:
    """Wait until the servers whose addresses the user gave can be reached, saying once which is not.

    Raises
    ------
    CommandError
        One cannot be reached for `patience_s` seconds.
    """
    pause, ends = pause or Event(), time.monotonic() + patience_s
    for name, host, port in _given(settings):
        told = False
        while not _reached(host, port):
            if time.monotonic() >= ends:
                raise CommandError(
                    f"{_NAMES[name]} cannot be reached at {host}:{port}: start it, or correct the address "
                    f"(SAMPLEMIND_{name.upper()}__URL). Nothing was started."
                )
            if not told:
                say(f"{_NAMES[name]} at {host}:{port} does not answer yet; waiting up to {patience_s:g} s ...")
                told = True
            pause.wait(_LOOK_S)


def _given(settings: Settings) -> Iterator[tuple[str, str, int]]:
    """(server, host, port) of what is not embedded. Of several hosts any one will do, so only a single one is asked."""
    urls = {
        "redis": settings.redis.url.get_secret_value(),
        "mongo": settings.mongo.url.get_secret_value(),
        "chroma": settings.chroma.url,
    }
    if settings.rabbitmq.url is not None:
        urls["rabbitmq"] = settings.rabbitmq.url.get_secret_value()
    for name, url in urls.items():
        parts = urlsplit(url)
        if name in wanted(settings) or parts.scheme not in _PORTS or "," in parts.netloc or not parts.hostname:
            continue
        yield name, parts.hostname, parts.port or _PORTS[parts.scheme]


def _reached(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), 2.0).close()
    except OSError:
        return False
    return True
