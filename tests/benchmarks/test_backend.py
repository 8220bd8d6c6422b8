from __future__ import annotations

import pytest

from benchmarks.backend import shown, waited


def test_the_longest_wait_decides():
    slow_once = waited("a loop", [0.1, 0.1, 0.7], wanted=0.5)
    assert (slow_once.mean, slow_once.min, slow_once.max) == pytest.approx((0.3, 0.1, 0.7))
    assert slow_once.std == pytest.approx(0.3464, abs=1e-4)
    assert not slow_once.reached
    assert waited("a loop", [0.1, 0.2], wanted=0.5).reached


def test_the_table_is_in_milliseconds():
    (row,) = shown([waited("a loop", [0.01, 0.03], wanted=0.5)]).splitlines()[2:]
    assert [cell.strip() for cell in row.split("|")[1:-1]] == [
        "a loop", "2", "20.0", "14.1", "10.0", "30.0", "500", "reached",
    ]  # fmt: skip
