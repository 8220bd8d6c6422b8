"""One walk over a waveform."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.naive import waveform as naive
from tests.workers.kernels.examples import quick
from workers.errors import ParameterError
from workers.kernels.waveform import find_ends, mix_channels


def signal(seed: int, n: int, channels: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, (n, channels)).astype(np.float32)


@quick
@given(st.integers(0, 2**32 - 1), st.integers(1, 3000), st.integers(1, 4))
def test_mix_agrees_with_the_naive_twin(seed: int, n: int, channels: int) -> None:
    y = signal(seed, n, channels)
    mono, sums, energies, peak = naive.mix(y.astype(float).tolist())
    mixed = mix_channels(y)
    assert np.allclose(mixed.mono, mono, atol=1e-6)
    assert np.allclose(mixed.sums, sums, atol=1e-3)
    assert np.allclose(mixed.energies, energies, rtol=1e-4, atol=1e-4)
    assert mixed.peak == pytest.approx(peak)


@quick
@given(st.integers(0, 2**32 - 1), st.integers(1, 2500), st.integers(1, 3), st.sampled_from([0.0, 0.5, 0.9]))
def test_ends_agree_with_the_naive_twin(seed: int, n: int, channels: int, ceiling: float) -> None:
    y = np.round(signal(seed, n, channels) * 3) / 3
    assert tuple(find_ends(y, threshold=0.6, ceiling=ceiling, run=3)) == naive.ends(y.tolist(), 0.6, ceiling, 3)


def test_a_run_over_the_border_of_two_blocks_counts_once() -> None:
    y = np.zeros((2048, 1), np.float32)
    y[1022:1027] = 1
    assert tuple(find_ends(y, threshold=0.5, ceiling=1.0)) == (1022, 1027, 1, 1022)


def test_silence_has_no_ends() -> None:
    assert tuple(find_ends(np.zeros((10, 2), np.float32), threshold=0.0)) == (10, 0, 0, -1)


def test_equal_channels_mix_to_themselves() -> None:
    y = signal(1, 5000, 1)
    assert np.array_equal(mix_channels(np.repeat(y, 2, axis=1)).mono, y[:, 0])


@pytest.mark.parametrize(
    "call",
    [
        lambda: mix_channels(np.zeros((0, 2))),
        lambda: mix_channels(np.zeros(5)),
        lambda: find_ends(np.zeros((0, 1)), threshold=0.1),
        lambda: find_ends(np.zeros((4, 1)), threshold=-1.0),
        lambda: find_ends(np.zeros((4, 1)), threshold=0.1, run=1),
    ],
)
def test_refuses(call: object) -> None:
    with pytest.raises(ParameterError):
        call()  # type: ignore[operator]
