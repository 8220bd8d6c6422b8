"""The gateway as a process: what it loads, where it refuses to listen, how it stops."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from config.settings import MongoSettings, Settings
from stores.mongo import connect
from tests.servers import PROJECT, free_port


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Settings for a gateway whose servers are all away."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SAMPLEMIND_")}
    library = folder / "library"
    library.mkdir(exist_ok=True)
    return {
        **kept,
        "SAMPLEMIND_DATA_DIR": str(folder / "data"),
        "SAMPLEMIND_ROOTS": f'{{"library": "{library}"}}',
        "SAMPLEMIND_MONGO__URL": "mongodb://127.0.0.1:1",
        "SAMPLEMIND_MONGO__SERVER_SELECTION_TIMEOUT_S": "0.5",
        "SAMPLEMIND_REDIS__URL": "redis://127.0.0.1:1/0",
        "SAMPLEMIND_CHROMA__URL": "http://127.0.0.1:1",
        "SAMPLEMIND_FLOWER__URL": "http://127.0.0.1:1",
        **more,
    }


@contextmanager
def gateway(folder: Path, **more: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A gateway process that answers, and its URL."""
    port = free_port()
    with (folder / "gateway.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "api"],
            cwd=PROJECT,
            env=environment(folder, SAMPLEMIND_GATEWAY__PORT=str(port), **more),
            stdout=log,
            stderr=log,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while True:
            assert process.poll() is None, (folder / "gateway.log").read_text()
            try:
                assert httpx.get(f"{url}/health", timeout=2).status_code == 200
                break
            except httpx.TransportError:
                assert time.monotonic() < deadline, (folder / "gateway.log").read_text()
                time.sleep(0.05)
        yield process, url
    finally:
        process.kill()
        process.wait(10)


def stopped(process: subprocess.Popen[bytes], how: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
    """Exit code, and seconds until it came."""
    began = time.monotonic()
    process.send_signal(how)
    return process.wait(30), time.monotonic() - began


def test_it_loads_no_numba_and_no_decoder() -> None:
    program = (
        "import sys, api.app, api.__main__, stores.mongo, stores.vectors, stores.pulse, tasks.send\n"
        "heavy = {'numba', 'soundfile', 'librosa', 'av', 'soxr', 'scipy', 'pandas', 'llvmlite', 'joblib'}\n"
        "heavy |= {'workers.kernels', 'workers.audio', 'workers.analysis'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, timeout=120, check=True
    )
    assert said.stdout.strip() == "[]"


def test_when_it_begins_to_serve_the_collector_passes_over_all_that_is_loaded(tmp_path: Path) -> None:
    program = (
        "import gc, api.__main__ as gateway\n"
        "gateway.Server.run = lambda self, sockets: print(gc.get_freeze_count() > 50_000 > len(gc.get_objects()))\n"
        "gateway.main()"
    )
    settings = environment(tmp_path, SAMPLEMIND_GATEWAY__PORT=str(free_port()))
    asked = [sys.executable, "-c", program]
    said = subprocess.run(asked, cwd=PROJECT, env=settings, capture_output=True, text=True, timeout=120, check=False)
    assert said.stdout.split()[-1:] == ["True"], said.stdout + said.stderr


def test_it_starts_and_stops_without_any_of_its_servers(tmp_path: Path) -> None:
    with gateway(tmp_path) as (process, url):
        ready = httpx.get(f"{url}/ready", timeout=10)
        assert ready.status_code == 503
        assert not any(part["ok"] for part in ready.json()["parts"].values())
        jobs = httpx.get(f"{url}/v1/jobs", timeout=10)
        assert (jobs.status_code, jobs.json()["code"]) == (503, "store_unavailable")
        assert httpx.get(url, timeout=10).status_code == 200
        code, took = stopped(process)
        assert code == 0, (tmp_path / "gateway.log").read_text()
        assert took < 10


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"SAMPLEMIND_GATEWAY__HOST": "0.0.0.0"}, "Not listening on 0.0.0.0"),
        ({"SAMPLEMIND_GATEWAY__PORT": "many"}, "gateway.port"),
        ({"SAMPLEMIND_CONFIG_FILE": "/no/such.toml"}, "/no/such.toml"),
        ({"SAMPLEMIND_MONGO__URL": "http://nonsense"}, "cannot start"),
    ],
)
def test_it_says_why_it_does_not_start(tmp_path: Path, more: Mapping[str, str], words: str) -> None:
    said = subprocess.run(
        [sys.executable, "-m", "api"],
        cwd=PROJECT,
        env=environment(tmp_path, **more),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert said.returncode == 2
    assert words in said.stderr
    assert "Traceback" not in said.stderr


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        env = environment(tmp_path, SAMPLEMIND_GATEWAY__PORT=str(taken.getsockname()[1]))
        said = subprocess.run(
            [sys.executable, "-m", "api"], cwd=PROJECT, env=env, capture_output=True, text=True, timeout=60, check=False
        )
    assert said.returncode == 2
    assert "Cannot listen on 127.0.0.1" in said.stderr
    assert "Traceback" not in said.stderr


@pytest.mark.integration
def test_beyond_loopback_a_key_must_exist_first(tmp_path: Path, mongo_url: str) -> None:
    mongo = {"SAMPLEMIND_MONGO__URL": mongo_url, "SAMPLEMIND_MONGO__DATABASE": f"gateway_keys_{os.getpid()}"}
    more = {**mongo, "SAMPLEMIND_GATEWAY__HOST": "0.0.0.0"}
    command = [sys.executable, "-m", "api"]
    said = subprocess.run(
        command, cwd=PROJECT, env=environment(tmp_path, **more), capture_output=True, text=True, timeout=60, check=False
    )
    assert said.returncode == 2
    assert "no API key exists" in said.stderr
    stores = connect(
        MongoSettings(url=mongo_url, database=mongo["SAMPLEMIND_MONGO__DATABASE"], min_pool_size=0),
        pool="gateway",
    )
    try:
        _, secret = stores.keys.create(name="first", owner="ann", scopes=["admin"], ttl_s=None)
    finally:
        stores.close()
    with gateway(tmp_path, **more) as (process, url):
        assert httpx.get(f"{url}/v1/jobs", timeout=10).status_code == 401
        assert httpx.get(f"{url}/v1/jobs", headers={"X-API-Key": secret}, timeout=10).status_code == 200
        assert stopped(process)[0] == 0


@pytest.mark.integration
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_in_time_although_streams_are_open(tmp_path: Path, mongo_url: str, how: signal.Signals) -> None:
    more = {"SAMPLEMIND_MONGO__URL": mongo_url, "SAMPLEMIND_MONGO__DATABASE": f"gateway_stop_{os.getpid()}"}
    with gateway(tmp_path, **more) as (process, url), httpx.Client(base_url=url, timeout=20) as client:
        job = client.post("/v1/jobs", json={"source": {"root": "library"}}).json()
        with client.stream("GET", job["links"]["events"]) as stream:
            text = stream.iter_text()
            assert next(text).startswith("event: progress")
            code, took = stopped(process, how)
            assert "".join(text) == ""
        assert code == 0, (tmp_path / "gateway.log").read_text()
        assert took < 6


def test_settings_of_these_tests_are_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(tmp_path).items():
        if name.startswith("SAMPLEMIND_"):
            monkeypatch.setenv(name, value)
    assert Settings().roots == {"library": tmp_path / "library"}


@pytest.mark.integration
def test_a_key_made_before_the_first_start_opens_the_door_beyond_loopback(tmp_path: Path, mongo_url: str) -> None:
    more = {
        "SAMPLEMIND_MONGO__URL": mongo_url,
        "SAMPLEMIND_MONGO__DATABASE": f"gateway_key_{os.getpid()}",
        "SAMPLEMIND_GATEWAY__HOST": "0.0.0.0",
    }
    made = subprocess.run(
        [sys.executable, "-m", "api", "--new-key", "admin"],
        cwd=PROJECT, env=environment(tmp_path, **more), capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    secret = made.stdout.strip()
    with gateway(tmp_path, **more) as (_, url):
        assert httpx.get(f"{url}/v1/jobs", timeout=20).status_code == 401
        assert httpx.get(f"{url}/v1/jobs", headers={"X-API-Key": secret}, timeout=20).status_code == 200
