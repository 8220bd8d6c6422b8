"""Which note a sound has."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.naive import harmonics as naive
from tests.workers.kernels.examples import quick
from workers.errors import ParameterError
from workers.kernels.harmonics import (
    Partials,
    find_fundamentals,
    lowest_near,
    match_harmonics,
    own_periodicity,
    strongest_partials,
    windowed_periodicity,
)

SR = 22050


def _tone(hz: float, harmonics: int = 8, n: int = 8192) -> np.ndarray[Any, Any]:
    t = np.arange(n) / SR
    return np.sum([np.sin(2 * np.pi * h * hz * t) / h for h in range(1, harmonics + 1)], axis=0).astype(np.float32)


def _heard(y: np.ndarray[Any, Any]) -> tuple[Partials, np.ndarray[Any, Any]]:
    seen = windowed_periodicity(y, [0], np.hanning(8192), n_fft=8192, n_lags=900)
    return strongest_partials(seen.power, SR / 8192), seen.periodicity[0]


@quick
@given(st.integers(0, 2**32 - 1), st.sampled_from([(5, 128), (100, 128), (128, 128), (200, 512)]))
def test_power_and_periodicity_agree_with_the_naive_twin(seed: int, lengths: tuple[int, int]) -> None:
    length, n_fft = lengths
    rng = np.random.default_rng(seed)
    y = rng.standard_normal(300).astype(np.float32)
    window = np.hanning(length + 2)[1:-1].astype(np.float32)
    n_lags = n_fft // 2
    seen = windowed_periodicity(y, [0, 9], window, n_fft=n_fft, n_lags=n_lags)
    for row, start in enumerate((0, 9)):
        part = y[start : start + length].astype(float).tolist()
        shaped = [a * b for a, b in zip(part, window.tolist(), strict=True)]
        assert seen.power[row] == pytest.approx(naive.power_spectrum(shaped, n_fft), rel=1e-3, abs=1e-3)
        again = naive.periodicity(part, window.tolist(), n_fft, n_lags)
        assert seen.periodicity[row] == pytest.approx(again, abs=1e-4)


def test_a_window_is_asked_once_for_its_own_part() -> None:
    y, window = _tone(220.0), np.hanning(8192).astype(np.float32)
    own = own_periodicity(window, n_fft=8192, n_lags=900)
    expected = naive.circular_autocorrelation(np.hanning(12).tolist(), 128, 8)
    small = own_periodicity(np.hanning(12), n_fft=128, n_lags=8)
    assert small == pytest.approx([max(r / expected[0], 0.05) for r in expected], abs=1e-5)
    seen = windowed_periodicity(y, [0], window, n_fft=8192, n_lags=900)
    again = windowed_periodicity(y, [0], window, n_fft=8192, n_lags=900, own=own)
    assert np.array_equal(seen.periodicity, again.periodicity)
    with pytest.raises(ParameterError, match="own has 900 lags, not 800"):
        windowed_periodicity(y, [0], window, n_fft=8192, n_lags=800, own=own)


@quick
@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_partials_agree_with_the_naive_twin(seed: int, most: int) -> None:
    power = np.random.default_rng(seed).random((2, 60), np.float32) ** 4
    found = strongest_partials(power, 10.0, most=most, fmin=30.0, fmax=550.0)
    for t in range(2):
        expected = naive.partials(power[t].astype(float).tolist(), 10.0, most, 30.0, 550.0)
        assert found.number[t] == len(expected)
        assert found.hz[t, : found.number[t]] == pytest.approx([hz for hz, _ in expected], rel=1e-4)
        assert found.level[t, : found.number[t]] == pytest.approx([level for _, level in expected], rel=1e-4)
        assert not found.hz[t, found.number[t] :].any()


@quick
@given(st.integers(0, 2**32 - 1), st.floats(30, 400))
def test_matches_agree_with_the_naive_twin(seed: int, f0: float) -> None:
    rng = np.random.default_rng(seed)
    hz = (100 * rng.integers(1, 30, (1, 12)) * (1 + 0.02 * rng.standard_normal((1, 12)))).astype(np.float32)
    level = rng.random((1, 12), np.float32)
    found = match_harmonics(Partials(hz, level, np.array([12]), np.ones(1, np.float32)), np.ones(1), np.array([f0]))
    pairs = list(zip(hz[0].astype(float).tolist(), level[0].astype(float).tolist(), strict=True))
    at = naive.harmonic_levels(pairs, f0, 0.02)
    last = max((h for h, v in at.items() if v > 0.18), default=1)
    known = max(sum(at.values()), 1e-9)
    there = sum(at.get(h, 0.0) > 0.1 for h in range(1, last + 1))
    assert found.explained[0] == pytest.approx(min(1.0, sum(at.values()) / sum(v for _, v in pairs)), abs=1e-4)
    assert found.filled[0] == pytest.approx(there / last, abs=1e-6)
    assert found.odd[0] == pytest.approx(sum(at.get(h, 0.0) for h in range(1, last + 1, 2)) / known, abs=1e-4)
    assert found.first[0] == pytest.approx(at.get(1, 0.0), abs=1e-5)
    assert found.last[0] == pytest.approx(math.log2(1 + last))
    assert found.present[0] == pytest.approx(math.log2(1 + there))


@pytest.mark.parametrize("hz", [27.5, 41.2, 110.0, 261.63, 880.0])
def test_a_tone_repeats_at_its_period_and_not_before(hz: float) -> None:
    _, r = _heard(_tone(hz))
    lag = SR / hz
    assert r[round(lag)] > 0.9
    assert r[round(lag / 2)] < 0.6


@pytest.mark.parametrize("hz", [55.0, 110.0, 261.63, 880.0])
def test_its_own_fundamental_explains_a_tone_better_than_an_octave_off(hz: float) -> None:
    partials, _ = _heard(_tone(hz))
    found = match_harmonics(partials, np.ones(1), np.array([hz, hz / 2, 2 * hz]))
    assert found.explained[0] > found.explained[2] + 0.2
    assert found.filled[0] > found.filled[1] + 0.3
    assert found.odd[1] < 0.2 < found.odd[0]


def test_deaf_to_gain() -> None:
    y = _tone(196.0) + 0.1 * np.random.default_rng(1).standard_normal(8192).astype(np.float32)
    (loud, r), (quiet, s) = _heard(y), _heard(y * np.float32(2**-10))
    assert r == pytest.approx(s, abs=1e-4)
    assert loud.hz == pytest.approx(quiet.hz, rel=1e-5)
    assert loud.level == pytest.approx(quiet.level, rel=1e-4)


def test_transposed_partials_match_a_transposed_fundamental() -> None:
    partials, _ = _heard(_tone(196.0))
    up = partials._replace(hz=partials.hz * np.float32(2 ** (5 / 12)))
    here = match_harmonics(partials, np.ones(1), np.array([196.0, 98.0]))
    there = match_harmonics(up, np.ones(1), np.array([196.0, 98.0]) * 2 ** (5 / 12))
    assert np.array(here) == pytest.approx(np.array(there), abs=1e-3)


def test_silence_has_neither_period_nor_partials() -> None:
    partials, r = _heard(np.zeros(8192, np.float32))
    assert not r.any()
    assert not partials.number.any()
    assert not np.array(match_harmonics(partials, np.ones(1), np.array([100.0]))).any()


@pytest.mark.parametrize(
    ("starts", "n_fft", "n_lags"),
    [([-1], 128, 4), ([25], 128, 4), ([], 128, 4), ([0], 192, 4), ([0], 64, 4), ([0], 128, 65)],
)
def test_windows_refuse(starts: list[int], n_fft: int, n_lags: int) -> None:
    with pytest.raises(ParameterError):
        windowed_periodicity(np.zeros(30), starts, np.ones(10), n_fft=n_fft, n_lags=n_lags)


def test_partials_refuse() -> None:
    for power, hz in ((np.zeros((0, 9)), 1.0), (np.ones((1, 9)), 0.0), (np.ones((1, 4)), 10.0)):
        with pytest.raises(ParameterError):
            strongest_partials(power, hz)


@pytest.mark.parametrize(("weight", "f0"), [([1.0, 1.0], [100.0]), ([1.0], [0.0]), ([1.0], [math.nan])])
def test_matches_refuse(weight: list[float], f0: list[float]) -> None:
    partials, _ = _heard(_tone(196.0))
    with pytest.raises(ParameterError):
        match_harmonics(partials, np.array(weight), np.array(f0))


@quick
@given(st.integers(0, 2**32 - 1), st.integers(0, 12))
def test_fundamentals_agree_with_the_naive_twin(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    hz = rng.uniform(30, 3000, (2, 12)).astype(np.float32)
    level = -np.sort(-rng.random((2, 12), np.float32))
    counts = np.array([count, 12])
    periods = np.array([0.0, float(rng.uniform(40, 900))])
    found = find_fundamentals(Partials(hz, level, counts, np.ones(2, np.float32)), periods, low=26.0, high=4500.0)
    windows = [list(zip(hz[t, :n].tolist(), level[t, :n].tolist(), strict=True)) for t, n in enumerate(counts)]
    assert found == pytest.approx(naive.fundamentals(windows, periods.tolist(), 26.0, 4500.0, 0.4), rel=1e-6)


@quick
@given(st.integers(0, 2**32 - 1), st.floats(0, 80))
def test_the_lowest_agrees_with_the_naive_twin(seed: int, lag: float) -> None:
    curve = np.random.default_rng(seed).uniform(0, 2, 40)
    assert lowest_near(curve, np.array([lag]))[0] == naive.lowest_near(curve.tolist(), min(lag, 82.0), 0.015)


def test_the_rest_refuses_what_it_cannot_take() -> None:
    partials, _ = _heard(_tone(196.0))
    for periods, low in (([1.0, 2.0], 26.0), ([1.0], 0.0)):
        with pytest.raises(ParameterError):
            find_fundamentals(partials, np.array(periods), low=low, high=4500.0)
    for curve, lags in (
        (np.ones((2, 2)), np.ones(1)),
        (np.ones(4), np.array([-1.0])),
        (np.ones(4), np.array([np.nan])),
    ):
        with pytest.raises(ParameterError):
            lowest_near(curve, lags)
