from __future__ import annotations

import os
import signal
import threading
import time

from tasks.loop import Stop, run
from tasks.patience import Backoff
from workers.errors import StoreUnavailable


def test_goes_on_after_databases_that_are_away_and_after_bugs() -> None:
    stop = Stop()
    seen: list[int] = []

    def round_() -> float:
        seen.append(len(seen))
        if len(seen) == 2:
            raise StoreUnavailable
        if len(seen) == 3:
            raise ZeroDivisionError
        if len(seen) == 5:
            stop.set()
        return 0

    run(round_, stop, Backoff(0.001, 0.01))
    assert seen == [0, 1, 2, 3, 4]


def test_a_wait_ends_at_once_when_it_is_time_to_stop() -> None:
    stop = Stop()
    threading.Timer(0.1, stop.set).start()
    began = time.monotonic()
    assert stop.wait(30)
    assert time.monotonic() - began < 20
    assert stop.wait(30)


def test_a_signal_ends_a_wait() -> None:
    was = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    stop = Stop()
    try:
        stop.on_signals()
        threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
        assert stop.wait(30)
    finally:
        for number, handler in was.items():
            signal.signal(number, handler)


def test_pauses_double_up_to_a_bound_until_it_goes_well() -> None:
    backoff = Backoff(1, 5)
    assert [backoff.pause_s() for _ in range(5)] == [1, 2, 4, 5, 5]
    backoff.reset()
    assert backoff.pause_s() == 1
