"""One cluster a data folder."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from io import TextIOWrapper

import psutil

from cli.cluster.folder import DataFolder
from cli.errors import CommandError

WAIT_S = 10.0
"""A killed cluster's guardian holds the lock until its last process is gone."""


class FolderLock:
    """Held from `FolderLock(folder)` to `close`; whoever holds the folder already is named in the refusal."""

    def __init__(self, folder: DataFolder, wait_s: float = WAIT_S) -> None:
        self._file: TextIOWrapper = (folder.path / "lock").open("a+")
        deadline = time.monotonic() + wait_s
        pause = threading.Event()
        while not self._try():
            holder = self._holder()
            if psutil.pid_exists(holder):
                facts = folder.running() or {}
                self._file.close()
                where = f" at {facts['url']}" if "url" in facts else ""
                raise CommandError(
                    f"A cluster already runs on {folder.path} (process {holder}){where}: "
                    "use that one, stop it, or choose another --data-dir."
                )
            if time.monotonic() > deadline:
                self._file.close()
                raise CommandError(f"The cluster that ran on {folder.path} is still stopping; try again in a moment.")
            pause.wait(0.1)
        self._file.truncate(0)
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()

    def _try(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _holder(self) -> int:
        self._file.seek(0)
        text = self._file.read().strip()
        return int(text) if text.isdigit() else 0

    def fileno(self) -> int:
        """For the guardian, which inherits the lock and so holds it until it has cleared up."""
        return self._file.fileno()

    def close(self) -> None:
        """Let others have the folder."""
        self._file.close()
