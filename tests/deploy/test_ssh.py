"""A release goes to a server over SSH, or the server is as it was: a real SSH server, and a docker that writes down."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.ssh_server import SshServer, ssh_server, wait_for
from tests.servers import PROJECT

IN_TURN = ["worker", "index", "reconciler", "gateway", "flower"]
DONE, REFUSED, NOT_PULLED, UNDONE, STUCK, LOST = 0, 1, 3, 4, 5, 6


class Server:
    """A server with a folder to deploy to, and what docker was asked there."""

    def __init__(self, folder: Path, ssh: SshServer) -> None:
        self.ssh, self.stand_in, self.dir = ssh, folder / "stand-in", folder / "samplemind"
        (self.dir / "secrets").mkdir(parents=True)
        (self.dir / "secrets" / "redis_operator").write_text("secret")
        (self.dir / ".env").write_text("LIBRARY=/music\n")

    def start(self, *arguments: str, **settings: str) -> subprocess.Popen[str]:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.dir.parent),
            "DEPLOY_DIR": str(self.dir),
            "DEPLOY_REGISTRY": "r.example/",
            "DEPLOY_HEALTH_S": "1",
            "DEPLOY_AGAIN_S": "0.2",
            "DEPLOY_SSH": self.ssh.client,
        }
        script = PROJECT / "deploy" / "ssh" / "deploy.sh"
        return subprocess.Popen(
            [script, *arguments],
            env={**environment, **settings},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def deploy(self, version: str, *options: str, **settings: str) -> tuple[int, str]:
        process = self.start(*options, "127.0.0.1", version, **settings)
        said, _ = process.communicate(timeout=120)
        return process.returncode, said

    def told(self, **what: Any) -> None:
        (self.stand_in / "told.json").write_text(json.dumps(what))

    def runs(self) -> set[str]:
        state = json.loads((self.stand_in / "state.json").read_text())
        return {state[service]["version"] for service in IN_TURN}

    def calls(self, *verbs: str) -> list[list[str]]:
        """Since the last time."""
        path = self.stand_in / "calls.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [call for call in map(json.loads, lines) if call[0] in verbs]

    def renewed(self) -> list[tuple[str, str]]:
        return [(call[1], call[-1]) for call in self.calls("up")]


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, SshServer]]:
    """One SSH server for all, that finds our docker first."""
    folder = tmp_path_factory.mktemp("server")
    (folder / "stand-in").mkdir()
    docker = folder / "stand-in" / "docker"
    docker.write_text(f'#!/bin/sh\nexec {sys.executable} -SE {PROJECT}/tests/deploy/docker.py "$@"\n')
    docker.chmod(0o755)
    environment = {"PATH": f"{docker.parent}:/usr/bin:/bin", "STAND_IN": str(docker.parent)}
    with ssh_server(folder / "ssh", environment) as server:
        yield folder, server


@pytest.fixture
def server(ssh: tuple[Path, SshServer]) -> Iterator[Server]:
    folder, running = ssh
    yield Server(folder, running)
    shutil.rmtree(folder / "samplemind")
    for name in ("state.json", "calls.jsonl", "told.json", "go"):
        (folder / "stand-in" / name).unlink(missing_ok=True)


def test_a_release_is_brought_service_by_service_and_once_more_changes_nothing(server: Server) -> None:
    status, said = server.deploy("v1.0.0")
    assert (status, server.runs()) == (DONE, {"v1.0.0"}), said
    assert "v1.0.0 runs." in said
    first = server.calls("pull", "up")
    assert [call[:3] for call in first[:2]] == [["pull", "v1.0.0", "--quiet"], ["up", "v1.0.0", "-d"]]
    assert first[1][3:] == ["redis", "mongo", "mongo-users", "chroma-volume", "chroma"]
    assert [call[2:] for call in first[2:]] == [["-d", "--no-deps", service] for service in IN_TURN]
    status, said = server.deploy("v2.0.0")
    assert (status, server.runs()) == (DONE, {"v2.0.0"}), said
    assert server.renewed() == [("v2.0.0", service) for service in IN_TURN]
    assert (server.dir / "current").readlink() == Path("releases/v2.0.0")
    kept = (server.dir / ".env").read_text()
    assert server.deploy("v2.0.0")[0] == DONE
    assert (server.dir / ".env").read_text() == kept
    assert kept == "LIBRARY=/music\nSAMPLEMIND_VERSION=v2.0.0\nSAMPLEMIND_REGISTRY=r.example/\n"


def test_a_release_that_does_not_get_healthy_is_undone(server: Server) -> None:
    assert server.deploy("v1.0.0")[0] == DONE
    server.told(well={"gateway": ["v1.0.0"]})
    server.calls()
    status, said = server.deploy("v2.0.0")
    assert (status, server.runs()) == (UNDONE, {"v1.0.0"}), said
    assert "gateway is not well after at most 1 s: starting" in said
    calls = server.calls("up", "tag")
    assert [(call[1], call[-1]) for call in calls if call[0] == "up"] == [
        *(("v2.0.0", service) for service in IN_TURN[:4]),
        *(("v1.0.0", service) for service in reversed(IN_TURN[:4])),
    ]
    assert ["tag", None, "sha256:v1.0.0", "r.example/samplemind:v1.0.0"] in calls
    assert "SAMPLEMIND_VERSION=v1.0.0" in (server.dir / ".env").read_text()
    assert (server.dir / "current").readlink() == Path("releases/v1.0.0")


def test_what_cannot_be_pulled_changes_nothing(server: Server) -> None:
    assert server.deploy("v1.0.0")[0] == DONE
    before = (server.dir / ".env").read_text()
    server.told(pull=False)
    server.calls()
    status, said = server.deploy("v2.0.0")
    assert (status, server.runs(), server.renewed()) == (NOT_PULLED, {"v1.0.0"}, []), said
    assert "nothing was changed" in said
    assert (server.dir / ".env").read_text() == before


def test_a_lost_connection_is_taken_up_again(server: Server) -> None:
    server.told(hold="gateway")
    process = server.start("127.0.0.1", "v1.0.0")
    wait_for(lambda: '["up", "v1.0.0", "-d", "--no-deps", "gateway"]' in log_of(server), "no gateway yet")
    server.ssh.cut()
    (server.stand_in / "go").touch()
    said, _ = process.communicate(timeout=60)
    assert process.returncode == DONE, said
    assert "the connection was lost; the server goes on" in said
    assert said.count("v1.0.0 runs.") == 1
    again = server.start("--follow", "127.0.0.1")
    assert "v1.0.0 runs." in again.communicate(timeout=60)[0]
    assert again.returncode == DONE


def log_of(server: Server) -> str:
    path = server.stand_in / "calls.jsonl"
    return path.read_text() if path.exists() else ""


def test_a_first_release_that_fails_says_that_there_is_nothing_to_go_back_to(server: Server) -> None:
    server.told(well={"worker": []})
    status, said = server.deploy("v1.0.0")
    assert status == STUCK
    assert "no earlier release" in said


def test_a_cut_off_deployment_is_remembered_and_undone_by_the_next(server: Server) -> None:
    assert server.deploy("v1.0.0")[0] == DONE
    server.told(hold="gateway")
    process = server.start("127.0.0.1", "v2.0.0")
    wait_for(lambda: '["up", "v2.0.0", "-d", "--no-deps", "gateway"]' in log_of(server), "no gateway yet")
    pid = int((server.dir / ".deploy" / "last" / "pid").read_text())
    os.killpg(pid, 9)  # the server loses its power, as far as the script can tell
    said, _ = process.communicate(timeout=60)
    assert (process.returncode, "cut off" in said) == (STUCK, True), said
    server.told(well={service: ["v1.0.0"] for service in IN_TURN})
    status, said = server.deploy("v2.0.0")
    assert (status, "v1.0.0 runs as before" in said) == (UNDONE, True), said


def test_two_at_once_are_one(server: Server) -> None:
    server.told(hold="worker")
    first = server.start("127.0.0.1", "v1.0.0")
    wait_for(lambda: '"--no-deps", "worker"' in log_of(server), "no worker yet")
    status, said = server.deploy("v2.0.0")
    assert (status, "Another deployment" in said) == (REFUSED, True), said
    (server.stand_in / "go").touch()
    assert "v1.0.0 runs." in first.communicate(timeout=60)[0]
    assert server.runs() == {"v1.0.0"}


def test_as_many_workers_run_as_before(server: Server) -> None:
    assert server.deploy("v1.0.0")[0] == DONE
    path = server.stand_in / "state.json"
    state = json.loads(path.read_text())
    path.write_text(json.dumps({**state, "worker": {"version": "v1.0.0", "count": 3}}))
    assert server.deploy("v2.0.0")[0] == DONE
    assert json.loads(path.read_text())["worker"] == {"version": "v2.0.0", "count": 3}


def test_a_dry_run_says_what_it_would_do_and_does_nothing(server: Server) -> None:
    status, said = server.deploy("v1.0.0", "--dry-run")
    assert status == 0
    assert [line.split()[6] for line in said.splitlines() if "--no-deps" in line] == IN_TURN
    assert sorted(path.name for path in server.dir.iterdir()) == [".env", "secrets"]
    assert not server.calls("up", "pull")


@pytest.mark.parametrize("version", ["", "1.0", "v1; reboot", "v1$(reboot)", "v1\nreboot"])
def test_what_is_no_version_goes_nowhere(server: Server, version: str) -> None:
    assert server.deploy(version)[0] == REFUSED
    assert not server.calls("up", "pull")


def test_a_server_that_was_not_prepared_is_told_so(server: Server) -> None:
    (server.dir / ".env").unlink()
    status, said = server.deploy("v1.0.0")
    assert (status, "docs/howto/deploy.md" in said) == (REFUSED, True)


def test_the_stand_in_was_reached_over_ssh(server: Server) -> None:
    status, _ = server.deploy("v1.0.0", DEPLOY_SSH=server.ssh.client.replace("config", "no-config"))
    assert status == REFUSED
    assert not server.calls("up")
