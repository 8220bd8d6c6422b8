from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.naive import signals as naive
from tests.workers.kernels.examples import gains, quick, signals
from workers.errors import ParameterError
from workers.kernels.peaks import BLOCK, CLIMB, find_peaks_simple

steps = signals(values=st.integers(-3, 3).map(float))
"""Few values: plateaus and peaks of equal height everywhere."""
heights = st.one_of(st.none(), st.integers(-3, 3))
distances = st.one_of(st.integers(1, 20), st.floats(1, 20))


@quick
@given(st.one_of(steps, signals()), heights, distances)
def test_finds_the_middles_of_maxima(x, height, distance):
    expected = naive.find_peaks(x.tolist(), -math.inf if height is None else height, math.ceil(distance))
    assert find_peaks_simple(x, height=height, distance=distance).tolist() == expected


@pytest.mark.parametrize("distance", [3, CLIMB, CLIMB + 1, 500])
@pytest.mark.parametrize("digits", [0, 9])
def test_many_peaks_thin_out_alike_whatever_the_way(distance, digits):
    rng = np.random.default_rng(12)
    for x in (rng.standard_normal(1500), np.sort(rng.standard_normal(1500)) + np.arange(1500) % 2 * 0.5):
        x = np.round(x, digits)
        assert find_peaks_simple(x, distance=distance).tolist() == naive.find_peaks(x, -math.inf, distance)


@pytest.mark.parametrize("digits", [0, 9])
@pytest.mark.parametrize("more", [-1, 0, 1, 2, 3, BLOCK])
def test_peaks_and_plateaus_may_lie_across_blocks(more, digits):
    x = np.round(np.random.default_rng(3).standard_normal(BLOCK + more), digits)
    x[BLOCK - 3 :] = np.resize([0, 5, 5, 5, 0, 9, 0], len(x) - BLOCK + 3)
    assert find_peaks_simple(x).tolist() == naive.find_peaks(x, -math.inf, 1)


@pytest.mark.parametrize("distance", [2, 5, 11])
def test_a_climb_is_settled_from_its_top_however_long(distance):
    rising = np.arange(600) + np.arange(600) % 2 * 3.0
    for x in (rising, rising[::-1], np.minimum(rising, 150), np.concatenate([rising, rising[::-1]])):
        assert find_peaks_simple(x, distance=distance).tolist() == naive.find_peaks(x, -math.inf, distance)


@quick
@given(steps, distances, gains)
def test_is_deaf_to_gain_and_offset(x, distance, gain):
    expected = find_peaks_simple(x, distance=distance)
    np.testing.assert_array_equal(find_peaks_simple(gain * x + 5, distance=distance), expected)


@quick
@given(steps, heights, distances)
def test_peaks_keep_their_distance_and_their_height(x, height, distance):
    peaks = find_peaks_simple(x, height=height, distance=distance)
    assert (np.diff(peaks) >= distance).all()
    assert height is None or (x[peaks] >= height).all()


@quick
@given(signals(3, 60), signals(1, 20))
def test_later_samples_change_nothing_before_them(x, more):
    peaks = find_peaks_simple(x)
    longer = find_peaks_simple(np.concatenate([x, more]))
    np.testing.assert_array_equal(longer[: len(peaks)], peaks)


@pytest.mark.parametrize(
    ("x", "peaks"),
    [
        ([1.0], []),
        ([1.0, 2.0], []),
        ([2.0, 2.0, 2.0], []),
        ([0.0, 2.0, 2.0], []),
        ([0.0, 1.0, 0.0], [1]),
        ([0.0, 1.0, 1.0, 0.0], [1]),
        ([0.0, 1.0, 1.0, 1.0, 0.0], [2]),
        ([0.0, np.nan, 0.0, 1.0, 0.0], [3]),
        ([0.0, np.inf, 0.0], [1]),
    ],
)
def test_ends_plateaus_and_gaps(x, peaks):
    for dtype in (np.float32, np.float64):
        assert find_peaks_simple(np.array(x, dtype)).tolist() == peaks


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"x": []}, "x must be"),
        ({"x": [[1.0]]}, "x must be"),
        ({"x": [1.0], "distance": 0.5}, "distance"),
        ({"x": [1.0], "distance": float("nan")}, "distance"),
        ({"x": [1.0], "distance": "far"}, "distance"),
        ({"x": [1.0], "distance": 1e300}, "distance"),
        ({"x": [1.0], "height": float("nan")}, "height"),
        ({"x": [1.0], "height": "high"}, "height"),
    ],
)
def test_refuses(arguments, said):
    with pytest.raises(ParameterError, match=said):
        find_peaks_simple(**arguments)


def test_agrees_with_scipy():
    signal = pytest.importorskip("scipy.signal")
    rng = np.random.default_rng(8)
    for x in (rng.standard_normal(2000), np.round(rng.standard_normal(2000), 1)):
        for height in (None, 0.5):
            np.testing.assert_array_equal(find_peaks_simple(x, height=height), signal.find_peaks(x, height)[0])
    x = rng.standard_normal(2000)
    for distance in (2, 7.5, 300):
        expected = signal.find_peaks(x, distance=distance)[0]
        np.testing.assert_array_equal(find_peaks_simple(x, distance=distance), expected)
