"""Telling people why nothing happens: kernels are compiled once after each change of them, for half a minute."""

from __future__ import annotations

import fcntl
import os
import sys
from typing import Any

from numba.core import event

from config.environment import numba_cache_dir

SENTENCE = "samplemind: compiling kernels once, about half a minute"


class _Once(event.Listener):
    """Says so at the first compilation, unless another process is at it: one line is enough."""

    def __init__(self) -> None:
        self._begun = False
        self._lock = -1

    def on_start(self, event: Any) -> None:
        """A compilation begins."""
        if self._begun:
            return
        self._begun = True
        try:
            # kept until this process ends; it fails where nothing can be kept, and then each run is slow and says so
            self._lock = os.open(numba_cache_dir() / "compiling", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        except OSError:
            pass
        print(SENTENCE, file=sys.stderr, flush=True)

    def on_end(self, event: Any) -> None:
        """A compilation ends."""


_listening: list[_Once] = []


def say_when_compiling() -> None:
    """Write one line to standard error when this process compiles a kernel. Call after the cache is chosen."""
    if not _listening:
        _listening.append(_Once())
        event.register("numba:compile", _listening[0])  # type: ignore[no-untyped-call]  # numba is untyped
