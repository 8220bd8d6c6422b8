"""The period of a sound."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.naive import yin as naive
from tests.workers.kernels.examples import quick
from workers.errors import ParameterError
from workers.kernels.yin import yin_periods


@quick
@given(st.integers(0, 2**32 - 1), st.floats(3.0, 30.0))
def test_agrees_with_the_naive_twin(seed: int, period: float) -> None:
    t = np.arange(120)
    noise = np.random.default_rng(seed).standard_normal(120)
    y = (np.sin(2 * np.pi * t / period + seed) + 0.3 * noise).astype(np.float32)
    found = yin_periods(y, [0, 7], window=60, min_lag=2, max_lag=40)
    for i, start in enumerate((0, 7)):
        lag, depth = naive.period(y.astype(float).tolist(), start, 60, (2, 40), 0.15)
        assert found.depth[i] == pytest.approx(depth, abs=1e-3)
        assert found.lag[i] == pytest.approx(lag, abs=0.05)


@pytest.mark.parametrize("hz", [55.0, 110.0, 261.63, 880.0])
def test_a_tone_has_its_period(hz: float) -> None:
    t = np.arange(4096) / 22050
    y = np.sin(2 * np.pi * hz * t) + 0.5 * np.sin(4 * np.pi * hz * t)
    found = yin_periods(y, [0], window=2048, min_lag=5, max_lag=803)
    assert 22050 / found.lag[0] == pytest.approx(hz, rel=2e-3)
    assert found.depth[0] < 0.01


def test_deaf_to_gain() -> None:
    y = np.random.default_rng(1).standard_normal(200).cumsum().astype(np.float32)
    loud, quiet = (yin_periods(y * gain, [0], window=100, min_lag=2, max_lag=60) for gain in (1.0, 1e-3))
    assert loud.lag == pytest.approx(quiet.lag, abs=1e-2)
    assert loud.power == pytest.approx(quiet.power * 1e6, rel=1e-4)


def test_later_samples_change_nothing() -> None:
    y = np.random.default_rng(2).standard_normal(300).astype(np.float32)
    assert yin_periods(y[:160], [0], window=100, min_lag=2, max_lag=60) == yin_periods(
        y, [0], window=100, min_lag=2, max_lag=60
    )


def test_silence_has_no_period() -> None:
    found = yin_periods(np.zeros(200), [0], window=100, min_lag=2, max_lag=60)
    assert (found.lag[0], found.depth[0], found.power[0]) == (0, 1, 0)


@pytest.mark.parametrize(
    ("starts", "lags"), [([-1], (2, 60)), ([60], (2, 60)), ([], (2, 60)), ([0], (60, 60)), ([0], (1, 60))]
)
def test_refuses(starts: list[int], lags: tuple[int, int]) -> None:
    with pytest.raises(ParameterError):
        yin_periods(np.zeros(200), starts, window=100, min_lag=lags[0], max_lag=lags[1])
