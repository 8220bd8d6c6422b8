"""A note's partials and periods."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.naive import notes as naive
from tests.workers.kernels.examples import gains, quick
from workers.errors import ParameterError
from workers.kernels.harmonics import Partials
from workers.kernels.notes import agreed_fundamental, compare_candidates, loud_part, shortest_periods

Array = np.ndarray[Any, Any]


def _partials(windows: list[list[tuple[float, float]]]) -> Partials:
    most = max(1, *map(len, windows))
    table = np.zeros((2, len(windows), most), np.float32)
    for t, found in enumerate(windows):
        for i, pair in enumerate(found):
            table[:, t, i] = pair
    number = np.array([len(found) for found in windows])
    return Partials(table[0], table[1], number, np.ones(len(windows), np.float32))


def _windows(seed: int, f0: float) -> list[list[tuple[float, float]]]:
    """Three windows, the last one silent: harmonics that are off by up to 5 %, in any order."""
    rng = np.random.default_rng(seed)
    rows = []
    for count in (6, 3, 0):
        h = rng.integers(1, 12, count)
        rows.append([(float(f0 * k * rng.uniform(0.95, 1.05)), float(rng.uniform(0.1, 1))) for k in h])
    return rows


@quick
@given(st.integers(0, 2**32 - 1), st.sampled_from([3, 8, 16, 20, 50]), st.integers(1, 16))
def test_the_loud_part_agrees_with_the_naive_twin(seed: int, n: int, step: int) -> None:
    rng = np.random.default_rng(seed)
    y = (rng.standard_normal(n) * rng.choice([0.001, 1.0], n)).astype(np.float32)
    assert loud_part(y, step, quiet=0.02) == naive.loud_part(y.astype(float).tolist(), step, 0.02)


def test_silence_and_what_is_shorter_than_a_step_are_taken_whole() -> None:
    assert loud_part(np.zeros(64, np.float32), 8) == (0, 64)
    assert loud_part(np.ones(5, np.float32), 8) == (0, 5)


@quick
@given(st.integers(0, 2**32 - 1), st.integers(3, 40), st.integers(1, 6))
def test_periods_agree_with_the_naive_twin(seed: int, n_lags: int, first: int) -> None:
    rows = np.random.default_rng(seed).uniform(-1, 1, (3, n_lags)).astype(np.float32)
    expected = [naive.shortest_period(row.astype(float).tolist(), 100.0, first) for row in rows]
    assert shortest_periods(rows, 100.0, first=first) == pytest.approx(expected, rel=1e-5)


def test_a_period_is_found_between_lags_and_not_its_double() -> None:
    lags = np.arange(200)
    r = np.cos(2 * np.pi * lags / 30.5).astype(np.float32)
    assert shortest_periods(r[np.newaxis], 30.5)[0] == pytest.approx(1.0, rel=1e-3)
    assert shortest_periods(-np.ones((1, 20)), 30.5)[0] == 0


@quick
@given(st.integers(0, 2**32 - 1), st.floats(80, 900))
def test_company_agrees_with_the_naive_twin(seed: int, f0: float) -> None:
    windows, rng = _windows(seed, f0), np.random.default_rng(seed)
    weight, periods = rng.random(3), np.array([f0 * rng.uniform(0.9, 1.1), 0.0, f0 / 2])
    height = np.log2(f0 / 220) + np.array([-1.0, -0.01, 0.0, 0.03, 4.0])
    found = compare_candidates(_partials(windows), weight, periods, height)
    expected = [naive.company(windows, weight.tolist(), periods.tolist(), float(h)) for h in height]
    assert np.allclose(np.stack(found), np.array(expected).T, atol=1e-5)


@quick
@given(st.integers(0, 2**32 - 1), st.floats(80, 900), gains)
def test_the_agreed_fundamental_agrees_with_the_naive_twin_and_is_deaf_to_gain(
    seed: int, f0: float, gain: float
) -> None:
    windows, weight = _windows(seed, f0), np.random.default_rng(seed).random(3)
    found = agreed_fundamental(_partials(windows), weight, f0)
    assert found == pytest.approx(naive.agreed(windows, weight.tolist(), f0, 8), rel=1e-5)
    assert agreed_fundamental(_partials(windows), gain * weight, f0) == pytest.approx(found, rel=1e-9)


def test_without_a_harmonic_nearby_the_fundamental_stays() -> None:
    assert agreed_fundamental(_partials([[(330.0, 1.0)]]), np.ones(1), 220.0) == 220.0


ONE = _partials([[(100.0, 1.0)]])


@pytest.mark.parametrize(
    "call",
    [
        lambda: loud_part(np.zeros(0, np.float32), 4),
        lambda: loud_part(np.ones(4, np.float32), 0),
        lambda: loud_part(np.ones(4, np.float32), 2, quiet=-1.0),
        lambda: shortest_periods(np.ones(4), 1.0),
        lambda: shortest_periods(np.ones((1, 4)), 0.0),
        lambda: shortest_periods(np.ones((1, 4)), 1.0, first=0),
        lambda: compare_candidates(ONE, np.ones(2), np.ones(1), np.ones(1)),
        lambda: compare_candidates(ONE, np.ones(1), np.ones(2), np.ones(1)),
        lambda: compare_candidates(ONE, np.ones(1), np.ones(1), np.ones((1, 1))),
        lambda: compare_candidates(ONE._replace(level=np.ones((1, 3), np.float32)), np.ones(1), np.ones(1), np.ones(1)),
        lambda: agreed_fundamental(ONE, np.ones(2), 100.0),
        lambda: agreed_fundamental(ONE, np.ones(1), 0.0),
        lambda: agreed_fundamental(ONE, np.ones(1), 100.0, highest=0),
    ],
)
def test_refuses_what_it_cannot_answer(call: object) -> None:
    with pytest.raises(ParameterError):
        call()  # type: ignore[operator]
