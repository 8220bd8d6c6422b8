"""The last one out: takes every process of a cluster down when its supervisor is killed.

The supervisor writes ``+PID`` and ``-PID`` lines for the sessions it starts and ends; end of file means that it is
gone. The kernel's death signal reaches the parts themselves but not what they started (a pool's child, a decoder), and
only on Linux. The guardian also keeps the inherited lock on the data folder until nothing is left. Run alone with
``python -I -S``.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

GRACE_S = 6.0
"""From SIGTERM to SIGKILL once the supervisor is gone: the ledger survives either."""


def _stat(entry: Path) -> tuple[int, int, int] | None:
    """(pid, parent, session) of a living process; ``None`` for a zombie or one that has just gone."""
    try:
        # the second field is the program's name in parentheses and may hold anything
        fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
        return None if fields[0] in "ZX" else (int(entry.name), int(fields[1]), int(fields[3]))
    except (OSError, IndexError, ValueError):
        return None


def members(leaders: set[int]) -> set[int]:
    """Living processes of these sessions and everything they started, as far as it can be told."""
    processes = Path("/proc")
    if not processes.is_dir():
        return {leader for leader in leaders if _signalled(leader, 0, group=False)}
    table = [found for entry in processes.glob("[0-9]*") if (found := _stat(entry))]
    inside = {pid for pid, _, session in table if pid in leaders or session in leaders}
    grown = True
    while grown:
        more = {pid for pid, parent, _ in table if parent in inside} - inside
        inside |= more
        grown = bool(more)
    return inside - {os.getpid()}


def _signalled(pid: int, number: int, *, group: bool) -> bool:
    try:
        if group:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def kill_leftovers(leaders: set[int]) -> None:
    """SIGKILL what is left of these sessions and of what they started."""
    for pid in members(leaders):
        _signalled(pid, signal.SIGKILL, group=False)
    if not Path("/proc").is_dir():
        for leader in leaders:
            _signalled(leader, signal.SIGKILL, group=True)


def watch() -> set[int]:
    """Follow the supervisor until it is gone; the sessions it left behind."""
    leaders: set[int] = set()
    for line in sys.stdin:
        if line.startswith("+"):
            leaders.add(int(line[1:]))
        elif line.startswith("-"):
            leaders.discard(int(line[1:]))
    return leaders


def clear_up(leaders: set[int], grace_s: float = GRACE_S) -> None:
    """SIGTERM, a while, SIGKILL."""
    found = members(leaders)
    for leader in leaders & found:
        _signalled(leader, signal.SIGTERM, group=False)
    deadline = time.monotonic() + grace_s
    pause = threading.Event()
    while (found := members(leaders | found)) and time.monotonic() < deadline:
        pause.wait(0.05)
    kill_leftovers(leaders | found)


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends when the supervisor does, not before
    clear_up(watch())


if __name__ == "__main__":
    main()
