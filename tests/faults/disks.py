"""Disks that can be full: a tmpfs for each part that writes, made just so large as what it holds."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

_ROOM = "4g"
_PAGE = 4096
_TRIES = 20


class Disks:
    """The file systems that were mounted; without any where this machine does not let us."""

    def __init__(self, why_not: str = "") -> None:
        self.why_not = why_not
        """Why there is none."""
        self._mounted: list[Path] = []

    def mount(self, folder: Path) -> None:
        """Put a file system of its own on an empty folder."""
        folder.mkdir(parents=True, exist_ok=True)
        _mount("-t", "tmpfs", "-o", f"size={_ROOM},mode=700", "samplemind-faults", str(folder))
        self._mounted.append(folder)

    @contextmanager
    def another(self, folder: Path) -> Iterator[None]:
        """One more, for a while; a plain folder where none can be mounted."""
        folder.mkdir(parents=True)
        if not self.why_not:
            self.mount(folder)
        try:
            yield
        finally:
            if folder in self._mounted:
                self._mounted.remove(folder)
                _unmount(folder)

    def only_read(self, folder: Path) -> None:
        """Let nobody write there any more, where it is a file system of its own."""
        if folder in self._mounted:
            _mount("-o", "remount,ro", str(folder))

    def fill(self, folder: Path) -> None:
        """Leave no room beyond what is there, where it is a file system of its own."""
        if folder not in self._mounted:
            return None
        for _ in range(_TRIES):  # it cannot be made smaller than what was written meanwhile
            there = os.statvfs(folder)
            used = max(_PAGE, (there.f_blocks - there.f_bfree) * there.f_frsize)
            with contextlib.suppress(subprocess.CalledProcessError):
                return _mount("-o", f"remount,size={used}", str(folder))
        raise AssertionError(f"{folder.name} was written to all the while")

    def make_room(self) -> None:
        """Room for everything again, everywhere."""
        for folder in self._mounted:
            _mount("-o", f"remount,size={_ROOM}", str(folder))

    def unmount(self) -> None:
        """Take them away, with all that is on them."""
        while self._mounted:
            _unmount(self._mounted.pop())


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True, text=True)


def _unmount(folder: Path) -> None:
    subprocess.run(["umount", "--lazy", str(folder)], check=True, capture_output=True)


@contextmanager
def mounted(folders: Sequence[Path]) -> Iterator[Disks]:
    """A file system on each of the folders, where it can be done."""
    disks = Disks()
    with ExitStack() as stack:
        stack.callback(disks.unmount)
        try:
            for folder in folders:
                disks.mount(folder)
        except (subprocess.CalledProcessError, FileNotFoundError) as error:
            disks.unmount()
            why = getattr(error, "stderr", None) or str(error)
            disks.why_not = f"a tmpfs cannot be mounted here: {why.strip()}"
        yield disks
