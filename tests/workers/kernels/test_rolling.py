from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.naive import signals as naive
from tests.workers.kernels.examples import gains, needs_numba, quick, sample, signals
from workers.errors import ParameterError
from workers.kernels.rolling import RESUM, fast_rolling_mean

gaps = st.sampled_from([np.nan, np.inf, -np.inf])
windows = st.integers(1, 70)


@quick
@given(signals(), windows, st.sampled_from([np.float32, np.float64]))
def test_is_the_mean_of_the_last_values(x, window, dtype):
    mean = fast_rolling_mean(x.astype(dtype), window)
    np.testing.assert_allclose(mean, naive.rolling_mean(x.tolist(), window), atol=1e-12)


@quick
@given(signals(values=st.one_of(sample, sample, sample, gaps)), st.integers(1, 6))
def test_a_window_with_a_gap_has_no_mean(x, window):
    np.testing.assert_allclose(fast_rolling_mean(x, window), naive.rolling_mean(x.tolist(), window), atol=1e-12)


@needs_numba
@pytest.mark.parametrize("gap", [False, True])
@pytest.mark.parametrize("window", [1, 7, RESUM + 3])
def test_rounding_does_not_pile_up(window, gap):
    x = np.random.default_rng(6).standard_normal(5 * RESUM)
    x[: RESUM // 2] *= 1e12  # what a running sum would remember for ever
    if gap:
        x[10] = np.nan
    expected = np.convolve(np.where(np.isfinite(x), x, 0), np.ones(window) / window, "valid")
    mean = fast_rolling_mean(x, window)
    np.testing.assert_allclose(mean[-RESUM:], expected[-RESUM:], atol=1e-12)


@quick
@given(signals(), st.integers(1, 10), gains)
def test_scales_with_the_gain(x, window, gain):
    np.testing.assert_array_equal(fast_rolling_mean(gain * x, window), gain * fast_rolling_mean(x, window))


@quick
@given(signals(1, 60), signals(1, 20), st.integers(1, 10))
def test_later_values_change_nothing_before_them(x, more, window):
    longer = fast_rolling_mean(np.concatenate([x, more]), window)
    np.testing.assert_allclose(longer[: len(x)], fast_rolling_mean(x, window), atol=1e-12)


def test_a_window_longer_than_the_signal_is_never_full():
    for x in (np.ones(3), [1, 2, 3]):
        for window in (4, 10**30):
            np.testing.assert_array_equal(fast_rolling_mean(x, window), np.full(3, np.nan))


def test_other_types_are_converted():
    for x in ([1, 2, 3], np.array([1, 2, 3]), np.array([1.0, 0, 2, 0, 3, 0])[::2]):
        np.testing.assert_array_equal(fast_rolling_mean(x, np.int64(2)), [np.nan, 1.5, 2.5])


@pytest.mark.parametrize(
    ("x", "window", "said"),
    [
        ([], 1, "x must be"),
        (np.ones((2, 2)), 1, "x must be"),
        (np.ones(3), 0, "window"),
        (np.ones(3), -2, "window"),
        (np.ones(3), 2.5, "window"),
        (np.ones(3), None, "window"),
        (np.ones(3), "2", "window"),
    ],
)
def test_refuses(x, window, said):
    with pytest.raises(ParameterError, match=said):
        fast_rolling_mean(x, window)


def test_agrees_with_pandas():
    pandas = pytest.importorskip("pandas")
    x = np.random.default_rng(7).standard_normal(1000)
    x[[100, 101, 500]] = [np.nan, np.inf, -np.inf]
    for window in (1, 2, 31):
        np.testing.assert_allclose(fast_rolling_mean(x, window), pandas.Series(x).rolling(window).mean(), atol=1e-12)
