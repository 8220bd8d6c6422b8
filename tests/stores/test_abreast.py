from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from stores.abreast import Abreast


@pytest.fixture
def abreast() -> Iterator[Abreast]:
    made = Abreast()
    yield made
    made.close()


def test_calls_wait_side_by_side_and_answer_in_order(abreast: Abreast) -> None:
    meeting = threading.Barrier(3, timeout=30)  # one after the other they would never meet

    def of(number: int) -> int:
        meeting.wait()
        return number

    assert abreast(lambda: of(1), lambda: of(2), lambda: of(3)) == [1, 2, 3]
    assert abreast() == []


@pytest.mark.parametrize("failing", [0, 1])
def test_an_error_is_raised_when_no_call_is_at_work_any_more(abreast: Abreast, failing: int) -> None:
    failed, ended = threading.Event(), threading.Event()

    def fails() -> None:
        failed.set()
        raise ValueError

    def ends() -> None:
        assert failed.wait(30)
        ended.set()

    with pytest.raises(ValueError):
        abreast(*([fails, ends] if failing == 0 else [ends, fails]))
    assert ended.is_set()
