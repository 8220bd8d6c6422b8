"""Become another program that dies with the one that started us: ``launch.py PARENT_PID PROGRAM ARGUMENT...``.

The supervisor starts every part through this file, run alone with ``python -I -S``. Asking the kernel for the death
signal here rather than between fork and exec lets the supervisor have threads; after the exec nothing of this remains.
"""

from __future__ import annotations

import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Ask for SIGTERM when the thread that started this process ends; leave at once if it already has."""
    if sys.platform != "linux":
        return  # the guardian alone clears up there
    import ctypes

    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        raise SystemExit(1)


if __name__ == "__main__":
    die_with_parent(int(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])
