"""To half the rate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.naive import transform as naive
from tests.workers.kernels.examples import needs_numba, quick, signals
from workers.errors import ParameterError
from workers.kernels.decimate import BLOCK, center_halved, half_band, halve


@quick
@given(signals(1, 200), st.sampled_from([0.0, 0.25]), st.sampled_from([0.0225, 0.04, 0.1, 0.2]))
def test_agrees_with_the_naive_twin(y: np.ndarray, offset: float, width: float) -> None:
    expected = naive.halve(y.tolist(), offset, half_band(width).tolist())
    halved = halve(y, offset=offset, width=width)
    assert np.allclose(halved.y, expected, atol=1e-5)
    assert halved.peak == pytest.approx(np.abs(halved.y).max())


@quick
@given(signals(1, 200), st.sampled_from([0.0, 0.25]))
def test_taking_an_offset_away_later_agrees_with_the_naive_twin(y: np.ndarray, offset: float) -> None:
    later = halve(y).y
    peak = center_halved(later, len(y), offset)
    assert np.allclose(later, naive.halve(y.tolist(), offset, half_band(0.0225).tolist()), atol=1e-5)
    assert peak == pytest.approx(np.abs(later).max())


@needs_numba
@pytest.mark.parametrize("n", [2 * BLOCK - 1, 2 * BLOCK, 2 * BLOCK + 1, 4 * BLOCK + 37])
def test_blocks_meet_without_a_seam(n: int) -> None:
    y = np.random.default_rng(n).uniform(-1, 1, n).astype(np.float32)
    assert np.allclose(halve(y).y, naive.halve(y.tolist(), 0.0, half_band(0.0225).tolist()), atol=1e-5)


@pytest.mark.parametrize(
    ("hz", "db"), [(441, 0.0), (5000, 0.0), (9900, 0.0), (12_200, -80), (16_000, -80), (21_000, -80)]
)
def test_passes_what_stays_and_stops_what_would_fold(hz: float, db: float) -> None:
    y = np.sin(2 * np.pi * hz * np.arange(4000) / 44_100 + 0.3).astype(np.float32)
    left = 10 * np.log10(2 * np.mean(halve(y).y[100:-100] ** 2) + 1e-12)
    assert left == pytest.approx(0, abs=0.05) if db == 0 else left < db + 2


def test_a_constant_is_taken_away() -> None:
    assert halve(np.full(500, 0.5), offset=0.5).peak == 0


@quick
@given(signals(1, 100), st.sampled_from([0.5, 2.0]))
def test_gain_goes_through(y: np.ndarray, gain: float) -> None:
    assert np.array_equal(halve(gain * y).y, gain * halve(y).y)


@pytest.mark.parametrize(
    "call",
    [
        lambda: halve([]),
        lambda: halve(np.ones((2, 2))),
        lambda: halve(np.ones(4), width=0.001),
        lambda: halve(np.ones(4), width=0.3),
        lambda: halve(np.ones(4), offset=float("nan")),
    ],
)
def test_refuses(call: object) -> None:
    with pytest.raises(ParameterError):
        call()  # type: ignore[operator]
