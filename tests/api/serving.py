"""The gateway behind a real uvicorn, in a thread of the test's process."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn

from api.__main__ import Server
from api.protocol import Protocol
from tests.api.gateway import Gateway


@dataclass
class Serving:
    """A gateway that listens."""

    gateway: Gateway
    url: str
    server: Server
    thread: threading.Thread

    def stop(self) -> None:
        """Stop it as a signal would, and wait."""
        self.server.should_exit = True
        self.thread.join(15)
        assert not self.thread.is_alive()


@contextmanager
def serve(gateway: Gateway) -> Iterator[Serving]:
    """Serve on a free port of loopback until the end of the block."""
    config = uvicorn.Config(
        gateway.app, host="127.0.0.1", port=0, log_config=None, ws="none", http=Protocol, timeout_graceful_shutdown=10
    )
    server = Server(config, gateway.app.state.parts)
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    serving = Serving(gateway, f"http://127.0.0.1:{port}", server, thread)
    try:
        yield serving
    finally:
        serving.stop()
