"""How the level goes, and where it rises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.naive import envelopes as naive
from tests.naive import pictures
from tests.workers.kernels.examples import gains, level, quick, signals, spectrograms
from workers.errors import ParameterError
from workers.kernels.envelopes import (
    amplitude_envelope,
    describe_shape,
    local_mean,
    onset_envelopes,
    sharpen,
    sharpen_all,
)

curves = hnp.arrays(np.float64, st.integers(1, 60), elements=st.floats(0, 10).map(lambda x: 0.0 if x < 1e-9 else x))
mels = spectrograms(level, bins=(4, 10), frames=(1, 40))
EDGES = (0, 1, 4)


def edges_of(M: np.ndarray) -> np.ndarray:
    return np.array([0, 1, len(M)])


@quick
@given(signals(1, 300), st.sampled_from([1, 7, 16, 64]))
def test_amplitude_agrees_with_the_naive_twin(y: np.ndarray, hop: int) -> None:
    envelope, crossings = naive.amplitude(y.astype(float).tolist(), hop)
    found = amplitude_envelope(y, hop)
    assert np.allclose(found.envelope, envelope, rtol=1e-5, atol=1e-9)
    assert found.crossings == crossings


@quick
@given(mels, st.integers(1, 3))
def test_rises_agree_with_the_naive_twin(M: np.ndarray, lag: int) -> None:
    bands, full, energy, start = naive.rises(M.astype(float).tolist(), edges_of(M).tolist(), lag, 50.0)
    found = onset_envelopes(M, edges_of(M), lag=lag)
    assert np.allclose(found.bands, bands, atol=1e-3)
    assert np.allclose(found.full, full, atol=1e-3)
    assert np.allclose(found.energy, energy, rtol=1e-4, atol=1e-3)
    assert found.start == pytest.approx(start, abs=1e-3)


@quick
@given(curves, st.integers(1, 20), st.sampled_from([0.0, 0.8]))
def test_sharpening_agrees_with_the_naive_twin(e: np.ndarray, reach: int, share: float) -> None:
    assert np.allclose(local_mean(e, reach), naive.local_mean(e.tolist(), reach), atol=1e-9)
    expected = naive.sharpen(e.tolist(), reach, share)
    assert np.allclose(sharpen(e, reach, share=share), expected, atol=1e-9)
    rows = sharpen_all(np.stack([np.zeros_like(e), e]), reach, share=share)
    assert np.allclose(rows, [np.zeros_like(e), expected], atol=1e-9)


@quick
@given(curves)
def test_shapes_agree_with_the_naive_twin(e: np.ndarray) -> None:
    assert np.allclose(describe_shape(e), pictures.shape(e.tolist()), atol=1e-9)


@quick
@given(mels, gains)
def test_rises_are_never_negative_and_deaf_to_gain(M: np.ndarray, gain: float) -> None:
    quiet, loud = onset_envelopes(M, edges_of(M)), onset_envelopes(gain * M, edges_of(M))
    assert quiet.full.min() >= 0
    assert not quiet.full[:2].any()
    assert np.allclose(loud.bands, quiet.bands, atol=1e-3)
    assert np.allclose(loud.energy, np.sqrt(gain) * quiet.energy, rtol=1e-4, atol=1e-4)


def test_later_frames_do_not_move_what_rose_before() -> None:
    M = np.random.default_rng(5).uniform(0, 1, (6, 50)).astype(np.float32)
    M[0, 0] = 2  # the loudest cell stays
    some, every = onset_envelopes(M[:, :30], [0, 2, 6]), onset_envelopes(M, [0, 2, 6])
    assert np.array_equal(some.full, every.full[:30])


@quick
@given(signals(1, 200), gains)
def test_gain_moves_the_amplitude_and_not_the_crossings(y: np.ndarray, gain: float) -> None:
    quiet, loud = amplitude_envelope(y, 16), amplitude_envelope(gain * y, 16)
    assert np.allclose(loud.envelope, gain * quiet.envelope, rtol=1e-6)
    assert loud.crossings == quiet.crossings


@pytest.mark.parametrize(
    "call",
    [
        lambda: amplitude_envelope([], 4),
        lambda: amplitude_envelope(np.ones(4), 0),
        lambda: onset_envelopes(np.ones((4, 0)), np.array(EDGES)),
        lambda: onset_envelopes(np.ones((5, 3)), np.array(EDGES)),
        lambda: onset_envelopes(np.ones((4, 3)), np.array([0, 3, 3, 4])),
        lambda: onset_envelopes(np.ones((4, 3)), np.array(EDGES), lag=0),
        lambda: onset_envelopes(np.ones((4, 3)), np.array(EDGES), range_db=0),
        lambda: sharpen([], 3),
        lambda: sharpen(np.ones(3), 0),
        lambda: local_mean(np.ones((2, 2)), 1),
        lambda: describe_shape([]),
    ],
)
def test_refuses(call: object) -> None:
    with pytest.raises(ParameterError):
        call()  # type: ignore[operator]
