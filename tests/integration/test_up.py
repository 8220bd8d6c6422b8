"""`./samplemind up` as a user runs it, and what happens when it or its parts are killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from cli.demo_library import write_audio
from cli.synth import drums, tones
from tests.servers import PROJECT, free_port

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(420)]

START_S = 240
"""Kernels may have to be compiled first, on a busy machine."""


class Cluster:
    """One `up` in a process of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._seen: set[psutil.Process] = set()
        words = ["up", "--data-dir", str(self.data), "--port", str(self.port), *arguments]
        self.process = self.run_in_background(*words)

    def run_in_background(self, *words: str) -> subprocess.Popen[str]:
        with (self.folder / "out").open("w") as out, (self.folder / "err").open("w") as err:
            return subprocess.Popen(
                [sys.executable, "-m", "cli", *words], cwd=PROJECT, env=environment(), stdout=out, stderr=err, text=True
            )

    @property
    def said(self) -> str:
        return (self.folder / "err").read_text()

    def wait_ready(self) -> None:
        wait(lambda: self.get("/ready")[0] == 200 or self.process.poll() is not None, START_S)
        assert self.process.poll() is None, self.said
        wait(lambda: bool(self.facts().get("ready")), 30)
        self.family()

    def facts(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads((self.data / "run" / "cluster.json").read_text())
        except (OSError, ValueError):
            return {}
        return found

    def get(self, path: str) -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except (OSError, ValueError):
            return 0, None

    def family(self) -> list[psutil.Process]:
        """Every process of the cluster that is alive, also those seen earlier."""
        try:
            root = psutil.Process(self.process.pid)
            self._seen |= {root, *root.children(recursive=True)}
        except psutil.NoSuchProcess:
            pass
        return [each for each in self._seen if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]

    def part(self, *words: str) -> psutil.Process:
        """The direct child whose command line holds these words."""
        for child in psutil.Process(self.process.pid).children():
            if all(word in " ".join(child.cmdline()) for word in words):
                return child
        raise AssertionError(f"no part {words}")

    def command(self, *words: str, **extra: str) -> subprocess.CompletedProcess[str]:
        """Another command on the same data folder."""
        return subprocess.run(
            [sys.executable, "-m", "cli", *words, "--data-dir", str(self.data)],
            cwd=PROJECT,
            env={**environment(), **extra},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("SAMPLEMIND_")}


def wait(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library")
    (folder / "drums").mkdir()
    write_audio(folder / "drums" / "kick.wav", drums.kick())
    write_audio(folder / "drums" / "snare.flac", drums.snare())
    write_audio(folder / "bell.wav", tones.bell(76, 0.5))
    (folder / "list.wav").write_text("no sound")
    return folder


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, library: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path_factory.mktemp("up"), "--root", f"library={library}", "--workers", "1")
    try:
        made.wait_ready()
        yield made
    finally:
        made.end()


def test_it_says_every_address_and_what_the_ledger_is(cluster: Cluster) -> None:
    wait(lambda: "next:" in (cluster.folder / "out").read_text(), 10)
    said = (cluster.folder / "out").read_text()
    assert cluster.url in said
    assert "Flower: http://127.0.0.1:" in said
    assert "SecantusDB, a stand-in for MongoDB" in said
    assert "mongod replica set" in said


def test_a_second_one_on_the_same_folder_is_told_where_the_first_is(cluster: Cluster) -> None:
    done = cluster.command("up")
    assert done.returncode == 1
    assert cluster.url in done.stderr
    assert f"process {cluster.process.pid}" in done.stderr


def test_a_port_that_was_asked_for_and_is_taken_is_an_error(cluster: Cluster, tmp_path: Path) -> None:
    words = ["up", "--data-dir", str(tmp_path / "other"), "--port", str(cluster.port)]
    done = subprocess.run(
        [sys.executable, "-m", "cli", *words],
        cwd=PROJECT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert f"Port {cluster.port}" in done.stderr
    assert not (tmp_path / "other" / "RUNNING").exists()


def test_secrets_are_for_this_user_only_and_on_no_command_line(cluster: Cluster) -> None:
    password = (cluster.data / "secrets" / "redis").read_text()
    for path in [cluster.data / "secrets" / "redis", *(cluster.data / "run").iterdir()]:
        assert path.stat().st_mode & 0o077 == 0, path
    for process in cluster.family():
        assert password not in " ".join(process.cmdline())


def test_everything_listens_on_loopback_only(cluster: Cluster) -> None:
    listening = [
        each.laddr.ip
        for process in cluster.family()
        for each in process.net_connections("inet")
        if each.status == "LISTEN"
    ]
    assert len(listening) >= 5
    assert set(listening) <= {"127.0.0.1", "::1"}


def test_a_folder_is_submitted_and_watched_and_its_files_accounted_for(cluster: Cluster, library: Path) -> None:
    done = cluster.command("submit", str(library), "--watch")
    assert done.returncode == 0, done.stderr
    assert "4 submitted = 3 done + 0 reused + 0 duplicate + 0 skipped + 1 failed" in done.stdout
    again = cluster.command("submit", "library:drums", "--watch")
    assert "2 submitted = 0 done + 2 reused" in again.stdout
    jobs = cluster.command("jobs", "list", "--json").stdout.splitlines()
    first = json.loads(jobs[-1])["id"]
    files = cluster.command("jobs", "files", first, "--status", "failed")
    assert "list.wav" in files.stdout
    assert "not_audio" in files.stdout
    outside = cluster.command("submit", "/", "--watch")
    assert outside.returncode == 2
    assert "--root NAME=PATH" in outside.stderr


def test_the_doctor_finds_everything_well(cluster: Cluster) -> None:
    done = cluster.command("doctor")
    assert done.returncode == 0, done.stdout
    assert "stand-in" in done.stdout
    assert "worker" in done.stdout


@pytest.mark.parametrize(
    "words", [("valkey-server",), ("secantusd-py",), ("chroma", "run"), ("tasks.index",), ("-m", "api")]
)
def test_a_part_that_is_killed_comes_back(cluster: Cluster, words: tuple[str, ...]) -> None:
    victim = cluster.part(*words)
    victim.kill()
    wait(lambda: not victim.is_running() or victim.status() == psutil.STATUS_ZOMBIE, 10)
    wait(
        lambda: any(all(w in " ".join(c.cmdline()) for w in words) for c in cluster.family() if c.pid != victim.pid), 30
    )
    wait(lambda: cluster.get("/ready")[0] == 200, 90)
    assert "was ended by SIGKILL; starting it again" in cluster.said


def test_a_worker_that_is_killed_leaves_nothing_and_comes_back(cluster: Cluster, library: Path) -> None:
    worker = cluster.part("--pool", "prefork")
    below = worker.children(recursive=True)
    assert below
    worker.kill()
    wait(lambda: not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in below), 15)
    write_audio(library / "late.wav", drums.rim())
    done = cluster.command("submit", str(library / "late.wav"), "--watch")
    assert "1 submitted = 1 done" in done.stdout, done.stderr


def test_the_first_key_closes_the_door_and_the_last_revoked_opens_it(cluster: Cluster) -> None:
    assert "No such" not in cluster.command("keys", "list").stderr
    weak = cluster.command("keys", "create", "--name", "weak", "--scope", "read")
    assert weak.returncode == 1
    assert "admin" in weak.stderr
    secret = cluster.command("keys", "create", "--name", "first").stdout.strip()
    assert secret.startswith("sm_")
    wait(lambda: cluster.command("jobs", "list").returncode == 1, 20)
    assert "SAMPLEMIND_API_KEY" in cluster.command("jobs", "list").stderr
    assert "set SAMPLEMIND_API_KEY" in cluster.command("doctor").stdout
    listed = cluster.command("keys", "list", "--json", SAMPLEMIND_API_KEY=secret)
    assert secret not in listed.stdout
    identity = json.loads(listed.stdout)["id"]
    assert cluster.command("keys", "revoke", identity, SAMPLEMIND_API_KEY=secret).returncode == 0
    wait(lambda: cluster.command("jobs", "list").returncode == 0, 20)


def test_a_killed_supervisor_leaves_no_process_and_the_folder_can_be_used_again(cluster: Cluster) -> None:
    family = cluster.family()
    assert len(family) >= 10
    cluster.process.kill()
    cluster.process.wait()
    wait(lambda: not cluster.family(), 20)
    assert (cluster.data / "RUNNING").exists()
    words = ["up", "--data-dir", str(cluster.data), "--port", str(cluster.port), "--workers", "1"]
    cluster.process = cluster.run_in_background(*words)
    cluster.wait_ready()
    assert "not stopped in order" in cluster.said
    assert cluster.get("/v1/samples")[1]["items"]


def test_sigterm_takes_everything_down_and_exits_with_nil(cluster: Cluster) -> None:
    assert len(cluster.family()) >= 10
    cluster.process.send_signal(signal.SIGTERM)
    assert cluster.process.wait(60) == 0
    assert not cluster.family()
    assert not (cluster.data / "RUNNING").exists()
    assert not cluster.facts()


def test_beyond_loopback_without_a_key_nothing_is_served_and_the_reason_is_said(tmp_path: Path) -> None:
    made = Cluster(tmp_path, "--host", "0.0.0.0", "--workers", "1")
    try:
        assert made.process.wait(120) == 2
        assert "key" in made.said.splitlines()[-1]
        assert not made.family()
        assert not (made.data / "RUNNING").exists()
    finally:
        made.end()


@pytest.mark.parametrize("after_s", [0.5, 1.0, 2.0, 4.0])
def test_sigterm_while_it_starts_takes_everything_down_too(tmp_path: Path, after_s: float) -> None:
    made = Cluster(tmp_path)
    try:
        wait(lambda: (made.data / "lock").exists(), 30)
        time.sleep(after_s)
        made.family()
        made.process.send_signal(signal.SIGTERM)
        assert made.process.wait(60) == 0, made.said
        assert not made.family()
    finally:
        made.end()
