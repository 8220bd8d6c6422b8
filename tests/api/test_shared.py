"""Many who ask the same at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.shared import Shared
from workers.errors import NotFound


def test_many_at_once_share_one_question_and_none_gets_an_older_answer() -> None:
    shared: Shared[int] = Shared()
    begun, go_on = threading.Event(), threading.Event()
    asked: list[int] = []
    now = 0

    def ask() -> int:
        asked.append(now)
        said = now
        begun.set()
        assert go_on.wait(10)
        return said

    with ThreadPoolExecutor(20) as pool:
        first = pool.submit(shared.get, "job", ask)
        assert begun.wait(10)
        now = 1
        later = [pool.submit(shared.get, "job", ask) for _ in range(15)]
        other = pool.submit(shared.get, "another job", lambda: 7)
        assert other.result(10) == 7
        go_on.set()
        assert first.result(10) == 0
        assert {each.result(10) for each in later} == {1}
    assert 2 <= len(asked) < 10
    assert shared.get("job", lambda: 2) == 2


def test_an_error_is_everybodys_and_is_not_remembered() -> None:
    shared: Shared[int] = Shared()

    def fail() -> int:
        raise NotFound("job")

    with pytest.raises(NotFound):
        shared.get("job", fail)
    assert shared.get("job", lambda: 3) == 3
