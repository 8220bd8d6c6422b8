"""Waiting for something to become so."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


def wait_for(what: Callable[[], bool], within_s: float, each_s: float = 0.2) -> None:
    """Wait until something is so; an `AssertionError` where it never is."""
    pause = threading.Event()
    end = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < end, f"not within {within_s} s"
        pause.wait(each_s)
