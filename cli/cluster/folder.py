"""The data folder: who owns it now, and where things lie in it.

lock          held by the running cluster; says its process
RUNNING       there while a cluster runs, and after one that was not stopped in order
secrets/      0600: the embedded broker's password
run/          0600: the children's settings, the servers' configuration, cluster.json for clients
logs/         one a process
valkey/ mongo/ chroma/ uploads/ demo/
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.errors import CommandError
from tasks.signs import REPLACED


@dataclass(frozen=True)
class DataFolder:
    """Everything of one cluster below one folder."""

    path: Path

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def settings_file(self) -> Path:
        """What the processes of the cluster read."""
        return self.run / "settings.toml"

    @property
    def running_mark(self) -> Path:
        return self.path / "RUNNING"

    @property
    def verify_mark(self) -> Path:
        """There while the embedded ledger's indexes must be checked before use."""
        return self.path / "VERIFY"

    @property
    def prepared(self) -> Path:
        """What `cli.cluster.prepare` found."""
        return self.run / "prepared.json"

    def make(self) -> None:
        """Make what is missing, for this user only. `CommandError` where that cannot be."""
        try:
            for folder in (self.path, self.run, self.logs, self.path / "secrets", self.path / "uploads"):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            probe = self.run / f".probe-{os.getpid()}"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise CommandError(f"The data folder {self.path} cannot be written ({error.strerror}).") from error

    def write_private(self, path: Path, text: str) -> None:
        """Write a file that only this user may read, in one step."""
        part = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        part.replace(path)

    def secret(self, name: str) -> str:
        """A secret of this folder, made the first time."""
        path = self.path / "secrets" / name
        if not path.exists():
            self.write_private(path, secrets.token_hex(24))
        return path.read_text().strip()

    @property
    def signs(self) -> Path:
        """Where the processes leave their signs of life."""
        return self.run / "signs"

    def forget_signs(self) -> None:
        """Those of the last cluster."""
        self.signs.mkdir(exist_ok=True, mode=0o700)
        for sign in self.signs.iterdir():
            sign.unlink(missing_ok=True)

    @property
    def replaced(self) -> Path:
        """Which parts were replaced because they did not get on."""
        return self.signs / REPLACED

    # -- what clients read
    @property
    def cluster_file(self) -> Path:
        return self.run / "cluster.json"

    def announce(self, facts: dict[str, Any]) -> None:
        """Tell clients on this machine where the cluster is."""
        self.write_private(self.cluster_file, json.dumps(facts, indent=1) + "\n")

    def running(self) -> dict[str, Any] | None:
        """What the cluster that runs on this folder announced, if one does."""
        try:
            facts = json.loads(self.cluster_file.read_text())
        except (OSError, ValueError):
            return None
        return facts if isinstance(facts, dict) and self.held() else None

    def held(self) -> bool:
        """Whether a cluster holds this folder now."""
        try:
            with (self.path / "lock").open("r") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False
