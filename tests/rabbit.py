"""A RabbitMQ of Debian's package for tests: a node of its own in a folder, with its own ports and its own epmd.

It runs as a process below the test and dies with it; where the package is not installed the tests that need it are
skipped (`apt-get install rabbitmq-server`).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

import amqp

from tests.servers import Server, free_port

PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


def why_not() -> str:
    """Why this machine has none; empty where it has."""
    if not PROGRAM.exists():
        return "RabbitMQ is not installed (apt-get install rabbitmq-server)"
    if shutil.which("epmd") is None:
        return "Erlang's epmd is not installed"
    return ""


def _answers(url: str) -> None:
    try:
        with amqp.Connection(url.partition("@")[2].rstrip("/"), connect_timeout=2, read_timeout=5):
            pass
    except amqp.AMQPError as error:
        raise OSError(str(error)) from error


class RabbitServer(Server):
    """One node, and the epmd that it is registered with."""

    _epmd: subprocess.Popen[bytes] | None = None
    _epmd_port = 0

    def _spawn(self) -> None:
        if self._epmd is None:
            self._epmd_port = free_port()
            line = ["epmd", "-port", str(self._epmd_port), "-address", "127.0.0.1"]
            self._epmd = subprocess.Popen(line, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        super()._spawn()

    def _end(self, how: signal.Signals) -> None:
        """The node is a child of a shell, which passes nothing on: all of its group is told."""
        process = self.process
        if process is not None and process.poll() is None:
            os.killpg(process.pid, how)
        super()._end(how)
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def stop(self) -> None:
        """The node and its epmd."""
        super().kill()  # Erlang takes ten seconds to do it in order
        if self._epmd is not None:
            self._epmd.kill()
            self._epmd.wait()
            self._epmd = None

    def forget(self) -> None:
        """Delete all that it kept; it must not run."""
        shutil.rmtree(self.directory / "mnesia", ignore_errors=True)

    def environment(self) -> dict[str, str]:
        """Where it keeps what, and where it listens."""
        files = {"plugins": "[].", "rabbitmq.conf": "disk_free_limit.absolute = 50MB\n"}
        for name, text in files.items():
            (self.directory / name).write_text(text)
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        here = {
            "HOME": str(self.directory),
            "RABBITMQ_MNESIA_BASE": str(self.directory / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.directory / "log"),
            "RABBITMQ_NODENAME": f"sm{self.port}@localhost",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.directory / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(self.directory / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(self.directory / "none"),
            "RABBITMQ_PID_FILE": str(self.directory / "pid"),
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }
        return {**kept, **here}


def rabbit_server(directory: Path) -> RabbitServer:
    """A node that keeps everything below `directory`."""

    def url(port: int) -> str:
        return f"amqp://guest:guest@127.0.0.1:{port}//"

    return RabbitServer("rabbitmq", lambda port: [str(PROGRAM)], url, _answers, directory, leads=True)
