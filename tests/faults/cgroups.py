"""A group of processes that may have so much memory and no more, and of which all die together when it is too much.

That is what a container does where ``memory.oom.group`` is set. With the older cgroups, which know no such thing,
the kernel is told to stop whoever asks for too much, and a thread here kills them all.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NEW = Path("/sys/fs/cgroup")
_OLD = Path("/sys/fs/cgroup/memory")
_LOOKS_EACH_S = 0.05


class MemoryGroup:
    """A cgroup with a limit."""

    def __init__(self, path: Path, *, old: bool) -> None:
        self.path, self.old = path, old

    def join(self) -> None:
        """Move this process into it; for a child before it becomes another program."""
        (self.path / "cgroup.procs").write_text(str(os.getpid()))

    def processes(self) -> list[int]:
        """Who is in it."""
        return [int(line) for line in (self.path / "cgroup.procs").read_text().split()]

    def kill_all_at_once(self) -> None:
        """What the kernel does where it knows groups."""
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def is_out_of_memory(self) -> bool:
        """Whether somebody in it was stopped for want of memory (the older cgroups only)."""
        return self.old and "under_oom 1" in (self.path / "memory.oom_control").read_text()


@contextmanager
def memory_group(name: str, limit_mb: int) -> Iterator[MemoryGroup]:
    """A cgroup of that name.

    Raises
    ------
    OSError
        This machine does not let us.
    """
    old = not (_NEW / "cgroup.controllers").exists()
    path = (_OLD if old else _NEW) / name
    path.mkdir()
    over = threading.Event()
    group = MemoryGroup(path, old=old)
    watching = threading.Thread(target=_watch, args=(group, over), daemon=True)
    try:
        if old:
            (path / "memory.limit_in_bytes").write_text(str(limit_mb << 20))
            (path / "memory.oom_control").write_text("1")
            watching.start()
        else:
            (path / "memory.max").write_text(str(limit_mb << 20))
            (path / "memory.oom.group").write_text("1")
        yield group
    finally:
        over.set()
        if watching.is_alive():
            watching.join()
        _remove(group)


def _watch(group: MemoryGroup, over: threading.Event) -> None:
    while not over.wait(_LOOKS_EACH_S):
        if group.is_out_of_memory():
            group.kill_all_at_once()


def _remove(group: MemoryGroup) -> None:
    pause = threading.Event()
    for _ in range(100):
        group.kill_all_at_once()
        if not group.processes():
            break
        pause.wait(_LOOKS_EACH_S)
    group.path.rmdir()
