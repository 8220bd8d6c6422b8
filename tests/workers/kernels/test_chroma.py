"""Spectral peaks and the octave they fold into."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.naive import chroma as naive
from tests.workers.kernels.examples import quick
from workers.errors import ParameterError
from workers.kernels.chroma import describe_peaks, fold_peaks, tonal_peaks
from workers.kernels.spectrogram import stft_power

SR = 5512.5
N_FFT = 4096


def spectrogram(*midi: float) -> np.ndarray:
    t = np.arange(int(2 * SR)) / SR
    y = np.sum([np.sin(2 * np.pi * 440 * 2 ** ((note - 69) / 12) * t) for note in midi], axis=0)
    return stft_power(y.astype(np.float32), n_fft=N_FFT, hop_length=1024)


@quick
@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_peaks_agree_with_the_naive_twin(seed: int, n_frames: int) -> None:
    S = (np.random.default_rng(seed).standard_normal((90, n_frames)) ** 4).astype(np.float32)
    peaks = tonal_peaks(S, 10.0, fmin=50.0, fmax=700.0)
    expected = naive.tonal_peaks(S.astype(float).tolist(), 10.0, 4, 72)
    assert len(peaks.pitch) == len(expected)
    found = np.column_stack([peaks.pitch, peaks.weight, peaks.frame])
    assert np.allclose(found, np.array(expected).reshape(-1, 3), rtol=1e-3, atol=1e-3)


@quick
@given(st.integers(0, 2**32 - 1), st.integers(0, 30), st.floats(-0.5, 0.5))
def test_folding_agrees_with_the_naive_twin(seed: int, count: int, tuning: float) -> None:
    rng = np.random.default_rng(seed)
    pitch = rng.uniform(30, 100, count).astype(np.float32)
    weight, frame = rng.random(count).astype(np.float32), rng.integers(0, 3, count)
    C = fold_peaks(pitch, weight, frame, 3, tuning=tuning)
    expected = naive.fold(list(zip(pitch.tolist(), weight.tolist(), frame.tolist(), strict=True)), 3, tuning, 0.6)
    assert np.allclose(C, expected, atol=1e-3)


@quick
@given(st.integers(0, 2**32 - 1), st.integers(1, 30))
def test_tuning_and_register_agree_with_the_naive_twin(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    pitch, weight = rng.uniform(15, 120, count).astype(np.float32), rng.random(count).astype(np.float32)
    peaks = list(zip(pitch.tolist(), weight.tolist(), strict=True))
    found = describe_peaks(pitch, weight, above=50.0)
    assert found[:2] == pytest.approx(naive.tuning(peaks, 50.0), abs=1e-6)
    assert found.register == pytest.approx(naive.register(peaks), abs=1e-6)


def test_a_quarter_tone_sharp_and_one_flat_agree() -> None:
    sharp = describe_peaks([60.48, 61.52], [1.0, 1.0], above=0.0)
    assert abs(sharp.tuning) == pytest.approx(0.5)
    assert sharp.agreement > 0.98
    assert describe_peaks([60.0], [1.0], above=60.0)[:2] == (0.0, 0.0)


def test_only_peaks_below_a_pitch_are_folded() -> None:
    pitch, weight, frame = [40.0, 57.0, 60.0], [1.0, 2.0, 3.0], [0.0, 0.0, 0.0]
    low = fold_peaks(pitch, weight, frame, 1, decay=0.0, below=57.0)
    assert low.sum() == pytest.approx(1.0)
    assert low[4, 0] == pytest.approx(1.0)


@pytest.mark.parametrize("midi", [40.0, 57.25, 69.0, 88.4])
def test_a_sine_is_found_within_two_cents(midi: float) -> None:
    peaks = tonal_peaks(spectrogram(midi), SR / N_FFT)
    heavy = peaks.pitch[peaks.weight > 0.5 * peaks.weight.max()]
    assert np.allclose(heavy, midi, atol=0.02 if midi > 50 else 0.1)


@quick
@given(st.integers(-5, 6))
def test_a_transposed_signal_rotates_the_chroma(steps: int) -> None:
    plain = tonal_peaks(spectrogram(57, 60, 64), SR / N_FFT)
    moved = tonal_peaks(spectrogram(57 + steps, 60 + steps, 64 + steps), SR / N_FFT)
    a = fold_peaks(plain.pitch, plain.weight, plain.frame, len(plain.tonalness)).sum(axis=1)
    b = fold_peaks(moved.pitch, moved.weight, moved.frame, len(moved.tonalness)).sum(axis=1)
    assert np.allclose(np.roll(a, steps), b, atol=0.1 * a.max())


def test_peaks_are_deaf_to_gain() -> None:
    S = spectrogram(50, 62.3)
    loud, quiet = tonal_peaks(S, 1.35), tonal_peaks(S * np.float32(1e-4), 1.35)
    assert np.allclose(loud.pitch, quiet.pitch, atol=1e-3)
    assert np.allclose(loud.weight, quiet.weight, atol=1e-3)


def test_later_frames_do_not_move_earlier_peaks() -> None:
    S = spectrogram(50, 62.3)
    some, every = tonal_peaks(S[:, :4], 1.35), tonal_peaks(S, 1.35)
    first = every.frame < 4
    assert np.array_equal(some.pitch, every.pitch[first])


def test_silence_has_no_peaks() -> None:
    peaks = tonal_peaks(np.zeros((90, 2), np.float32), 10.0)
    assert len(peaks.pitch) == 0
    assert fold_peaks(peaks.pitch, peaks.weight, peaks.frame, 2).tolist() == np.zeros((12, 2)).tolist()


@pytest.mark.parametrize(
    "call",
    [
        lambda: tonal_peaks(np.zeros((90, 0)), 10.0),
        lambda: tonal_peaks(np.zeros((90, 2)), 0.0),
        lambda: tonal_peaks(np.zeros((90, 2)), 10.0, fmin=600.0, fmax=500.0),
        lambda: fold_peaks([60.0], [1.0], [0.0, 0.0], 1),
        lambda: fold_peaks([60.0], [1.0], [1.0], 1),
        lambda: fold_peaks([60.0], [1.0], [0.0], 1, decay=1.5),
        lambda: fold_peaks([60.0], [1.0], [0.0], 0),
        lambda: describe_peaks([60.0], [1.0, 1.0], above=0.0),
        lambda: describe_peaks([60.0], [1.0], above=float("nan")),
    ],
)
def test_refuses(call: object) -> None:
    with pytest.raises(ParameterError):
        call()  # type: ignore[operator]
