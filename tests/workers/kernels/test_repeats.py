"""At which distances a curve repeats."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.naive import repeats as naive
from tests.workers.kernels.examples import gains, quick
from workers.errors import ParameterError
from workers.kernels.repeats import autocorrelation, comb_strength


@quick
@given(st.integers(0, 2**32 - 1), st.integers(2, 90), st.integers(1, 100), st.integers(1, 18))
def test_agrees_with_the_naive_twin(seed: int, n: int, n_lags: int, rows: int) -> None:
    curves = np.random.default_rng(seed).uniform(0, 5, (rows, n))
    expected = [naive.autocorrelation(row.tolist(), n_lags, 0.2) for row in curves]
    assert np.allclose(autocorrelation(curves, n_lags), expected, atol=1e-4)


def test_what_repeats_is_one_at_its_period() -> None:
    r = autocorrelation(np.tile([4.0, 1.0, 0.0, 0.0, 2.0, 0.0, 0.0], 20)[np.newaxis], 30)[0]
    assert r[[0, 7, 14, 21]] == pytest.approx(1, abs=1e-4)
    assert np.delete(r, [0, 7, 14, 21, 28]).max() < 0.6


@quick
@given(st.integers(0, 2**32 - 1), gains, st.floats(-5, 5))
def test_deaf_to_gain_and_offset(seed: int, gain: float, offset: float) -> None:
    curves = np.random.default_rng(seed).uniform(0, 1, (3, 50))
    assert np.allclose(autocorrelation(gain * curves + offset, 20), autocorrelation(curves, 20), atol=1e-4)


def test_what_is_constant_does_not_repeat() -> None:
    assert not autocorrelation(np.full((2, 30), 3.0), 10).any()


@pytest.mark.parametrize(
    "call",
    [
        lambda: autocorrelation(np.ones(4), 2),
        lambda: autocorrelation(np.ones((2, 0)), 2),
        lambda: autocorrelation(np.ones((2, 4)), 0),
        lambda: autocorrelation(np.ones((2, 4)), 2, overlap=0.0),
        lambda: autocorrelation(np.ones((2, 4)), 2, overlap=1.5),
    ],
)
def test_refuses(call: object) -> None:
    with pytest.raises(ParameterError):
        call()  # type: ignore[operator]


@quick
@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(0, 5))
def test_the_comb_agrees_with_its_naive_twin(seed: int, n: int, n_lags: int) -> None:
    rng = np.random.default_rng(seed)
    r, lags, teeth = rng.uniform(-1, 1, n), rng.uniform(0, 20, n_lags), ((1.0, 1.0), (2.0, 0.5), (4.0, 0.25))
    expected = [naive.comb(r.tolist(), lag, teeth) for lag in lags.tolist()]
    assert comb_strength(r, lags, *np.array(teeth).T) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("r", "lags", "gains"),
    [
        (np.zeros(0), [1.0], [1.0]),
        (np.ones(3), [-1.0], [1.0]),
        (np.ones(3), [np.nan], [1.0]),
        (np.ones(3), [[1.0]], [1.0]),
        (np.ones(3), [1.0], [1.0, 1.0]),
    ],
)
def test_the_comb_refuses_what_it_cannot_answer(r: object, lags: object, gains: object) -> None:
    with pytest.raises(ParameterError):
        comb_strength(r, lags, [1.0], gains)
