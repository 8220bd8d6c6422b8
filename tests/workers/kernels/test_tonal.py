"""Spectral peaks, from samples in one pass."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.naive import chroma as naive
from tests.workers.kernels.examples import needs_numba, quick
from workers.errors import ParameterError
from workers.kernels.spectrogram import stft_power
from workers.kernels.tonal import TonalPeaks, find_tonal_peaks

SR = 5512.5
N_FFT = 4096


def tones(*midi: float, seconds: float = 2.0) -> np.ndarray:
    t = np.arange(int(seconds * SR)) / SR
    y = np.sum([np.sin(2 * np.pi * 440 * 2 ** ((note - 69) / 12) * t) for note in midi], axis=0)
    return y.astype(np.float32)


def in_order(peaks: TonalPeaks) -> np.ndarray:
    rows = np.column_stack([peaks.pitch, peaks.weight, peaks.frame])
    return rows[np.lexsort((peaks.pitch, peaks.frame))]


@quick
@given(st.integers(0, 2**32 - 1), st.integers(1, 900))
def test_agrees_with_the_naive_twin(seed: int, n: int) -> None:
    n_fft, sr = 128, 1280.0
    y = np.random.default_rng(seed).standard_normal(n).astype(np.float32)
    S = stft_power(y, n_fft=n_fft, hop_length=n_fft // 4)
    expected = naive.tonal_peaks(S.astype(float).tolist(), sr / n_fft, 4, 57)
    peaks = find_tonal_peaks(y, sr, n_fft=n_fft, fmin=50.0, fmax=550.0)
    found = in_order(peaks)
    assert len(found) == pytest.approx(len(expected), abs=2)  # one at its threshold may go either way
    if len(found) == len(expected):
        assert np.allclose(found, np.array(expected).reshape(-1, 3), rtol=2e-3, atol=5e-3)
    assert np.allclose(peaks.level, np.sqrt(S.sum(axis=0)), rtol=1e-4)


@needs_numba
@pytest.mark.parametrize("midi", [40.0, 57.25, 69.0, 88.4])
def test_a_sine_is_found_within_two_cents(midi: float) -> None:
    peaks = find_tonal_peaks(tones(midi), SR, n_fft=N_FFT)
    heavy = peaks.pitch[peaks.weight > 0.5 * peaks.weight.max()]
    assert np.allclose(heavy, midi, atol=0.02 if midi > 50 else 0.1)


@needs_numba
def test_peaks_are_deaf_to_gain() -> None:
    y = tones(50, 62.3)
    loud, quiet = find_tonal_peaks(y, SR, n_fft=N_FFT), find_tonal_peaks(y / 128, SR, n_fft=N_FFT)
    assert np.allclose(loud.pitch, quiet.pitch, atol=1e-3)
    assert np.allclose(loud.weight, quiet.weight, atol=1e-3)
    assert np.allclose(loud.tonalness, quiet.tonalness, atol=1e-4)


@needs_numba
def test_later_samples_do_not_move_earlier_peaks() -> None:
    y = tones(50, 62.3)
    some, every = find_tonal_peaks(y[:6000], SR, n_fft=N_FFT), find_tonal_peaks(y, SR, n_fft=N_FFT)
    assert np.array_equal(some.pitch[some.frame < 3], every.pitch[every.frame < 3])


def test_silence_has_no_peaks() -> None:
    peaks = find_tonal_peaks(np.zeros(300), 1280.0, n_fft=128, fmin=50.0, fmax=550.0)
    assert len(peaks.pitch) == 0
    assert not peaks.level.any()
    assert not peaks.tonalness.any()


@pytest.mark.parametrize(
    "call",
    [
        lambda: find_tonal_peaks([], SR),
        lambda: find_tonal_peaks(np.ones(4), SR, n_fft=100),
        lambda: find_tonal_peaks(np.ones(4), 0),
        lambda: find_tonal_peaks(np.ones(4), SR, fmin=600.0, fmax=500.0),
    ],
)
def test_refuses(call: object) -> None:
    with pytest.raises(ParameterError):
        call()  # type: ignore[operator]
