"""``python -m api``: the gateway as a process.

``python -m api --new-key NAME`` makes an admin's key and ends: for a gateway that is to listen beyond loopback from its
first start, where nobody could make one over HTTP.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import socket
import sys
from collections.abc import Iterator, Sequence

import structlog
import uvicorn
from pydantic import ValidationError

from api.app import create_app
from api.parts import Parts
from api.protocol import Protocol
from api.security import is_loopback
from config.logging import configure_logging
from config.settings import ConfigFileMissing, Settings, get_settings
from config.tracing import close_tracing, configure_tracing
from workers.errors import StoreError

_GRACE_S = 10

_log = structlog.get_logger("api")


class Server(uvicorn.Server):
    """uvicorn, which stops in time although event streams are open, and then ends with 0 after a SIGTERM."""

    def __init__(self, config: uvicorn.Config, parts: Parts) -> None:
        super().__init__(config)
        self._parts = parts

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams first: uvicorn waits for open answers."""
        await self._parts.hub.close()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """uvicorn raises a signal that it obeyed once more, and the process would end by it; this one ends cleanly."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()


def main(arguments: Sequence[str] = ()) -> int:
    """Serve until told to stop. 0 after that, 2 where it may not or cannot start."""
    parser = argparse.ArgumentParser(prog="python -m api", description="Serve SampleMind over HTTP.")
    parser.add_argument("--new-key", metavar="NAME", help="make an admin's key, print it, and end")
    given = parser.parse_args(arguments)
    try:
        settings = get_settings()
    except ConfigFileMissing as error:
        print(error, file=sys.stderr)
        return 2
    except ValidationError as error:
        for each in error.errors(include_input=False):
            print(f"{'.'.join(map(str, each['loc']))}: {each['msg']}", file=sys.stderr)
        return 2
    configure_logging(settings.log, part="gateway")
    configure_tracing(settings.tracing, "gateway")
    try:
        app = create_app(settings)
    except StoreError as error:
        print(f"The gateway cannot start. {error.message}", file=sys.stderr)
        return 2
    parts: Parts = app.state.parts
    if given.new_key:
        return make_key(parts, given.new_key)
    refusal = refuse_to_listen(settings, parts)
    if refusal:
        print(refusal, file=sys.stderr)
        return 2
    try:
        door = listen(settings.gateway.host, settings.gateway.port)
    except OSError as error:
        where = f"{settings.gateway.host}:{settings.gateway.port}"
        print(f"Cannot listen on {where}: {error.strerror or error}.", file=sys.stderr)
        return 2
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level=settings.log.level,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        ws="none",
        http=Protocol,
        timeout_graceful_shutdown=_GRACE_S,
        ssl_certfile=settings.gateway.tls_cert,
        ssl_keyfile=settings.gateway.tls_key,
    )
    _log.info("listening", host=settings.gateway.host, port=door.getsockname()[1])
    server = Server(config, parts)
    keep_for_good()
    server.run(sockets=[door])
    close_tracing()
    return 0 if server.started else 2


def keep_for_good() -> None:
    """Let the collector pass over all that is loaded by now: looking through it stops every request for 0.3 s."""
    gc.collect()
    gc.freeze()


def make_key(parts: Parts, name: str) -> int:
    """Print the secret of a new admin's key, this once."""
    try:
        _, secret = parts.keys.create(name=name, owner="admin", scopes=("admin",), ttl_s=None)
    except StoreError as error:
        print(f"No key was made. {error.message}", file=sys.stderr)
        return 1
    print(secret)
    return 0


def listen(host: str, port: int) -> socket.socket:
    """The socket to serve on; `OSError` where it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=2048)


def refuse_to_listen(settings: Settings, parts: Parts) -> str | None:
    """Why this gateway may not listen where it is told to: beyond loopback an API key must exist first."""
    host = settings.gateway.host
    if is_loopback(host):
        return None
    try:
        if parts.keys.any():
            return None
    except StoreError as error:
        return f"Not listening on {host}: whether an API key exists cannot be told. {error.message}"
    return (
        f"Not listening on {host}: no API key exists, so anybody on the network could use this gateway. "
        "Make one first with 'samplemind keys create' or 'python -m api --new-key NAME', or listen on 127.0.0.1."
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
