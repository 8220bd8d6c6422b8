"""A real SSH server on loopback: OpenSSH's where it is installed and may run, else asyncssh's."""

from __future__ import annotations

import getpass
import importlib.util
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.servers import free_port, missing


class SshServer:
    """Every command of it runs with `environment`."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder, self._port, self._environment = folder, free_port(), environment
        folder.mkdir(mode=0o700)
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        shutil.copy(folder / "user.pub", folder / "authorized_keys")
        self.client = self._client()
        self._command = self._openssh() or self._asyncssh()
        self._log = folder / "server.log"
        self.start()

    def start(self) -> None:
        """On the same port as ever."""
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, env=dict(self._environment))
        wait_for(lambda: "Server listening" in self._log.read_text(), "the SSH server did not start")

    def stop(self) -> None:
        """Gone, with every connection; what they started goes on."""
        for child in psutil.Process(self._process.pid).children():
            if "sshd" in child.name():  # one a connection
                child.kill()
        self._process.kill()
        self._process.wait()

    def cut(self) -> None:
        """Lose every connection."""
        self.stop()
        self.start()

    def _client(self) -> str:
        """The command that reaches it, with a key and a known host of its own."""
        folder, host = self._folder, (self._folder / "host.pub").read_text()
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{self._port} {host}")
        said = (
            f"Port {self._port}",
            f"User {getpass.getuser()}",
            f"IdentityFile {folder}/user",
            "IdentitiesOnly yes",
            f"UserKnownHostsFile {folder}/known_hosts",
        )
        (folder / "config").write_text("\n".join(said) + "\n")
        return f"ssh -F {folder}/config"

    def _openssh(self) -> list[str] | None:
        sshd = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
        if sshd is None or (os.geteuid() == 0 and not Path("/run/sshd").is_dir()):
            return None
        said = (
            f"Port {self._port}",
            "ListenAddress 127.0.0.1",
            f"HostKey {self._folder}/host",
            f"AuthorizedKeysFile {self._folder}/authorized_keys",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "PermitRootLogin prohibit-password",
            "StrictModes no",
            "PidFile none",
            "SetEnv " + " ".join(f'"{name}={value}"' for name, value in self._environment.items()),
        )
        (self._folder / "sshd_config").write_text("\n".join(said) + "\n")
        return [sshd, "-D", "-e", "-f", str(self._folder / "sshd_config")]

    def _asyncssh(self) -> list[str]:
        if importlib.util.find_spec("asyncssh") is None:
            missing("neither sshd (with /run/sshd, for root) nor asyncssh is installed")
        script = Path(__file__).parent / "python_sshd.py"
        return [sys.executable, str(script), str(self._folder), str(self._port)]


def wait_for(condition: Callable[[], bool], what: str, within_s: float = 60) -> None:
    """Wait until it holds."""
    pause = threading.Event()
    for _ in range(round(within_s / 0.05)):
        if condition():
            return
        pause.wait(0.05)
    raise TimeoutError(what)


@contextmanager
def ssh_server(folder: Path, environment: Mapping[str, str]) -> Iterator[SshServer]:
    """A server from here to the end of the block."""
    if shutil.which("ssh") is None or shutil.which("ssh-keygen") is None:
        missing("there is no ssh client here")
    server = SshServer(folder, environment)
    try:
        yield server
    finally:
        server.stop()
