"""One pass over the frames says what one kernel after the other says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.naive import spectral
from tests.naive import spectrogram as slow
from tests.naive import transform as naive
from tests.workers.kernels.examples import needs_numba, quick
from workers.errors import ParameterError
from workers.kernels.arguments import Float32
from workers.kernels.compiled import kernel
from workers.kernels.frames import describe_frames, log2_lanes, mel_frames
from workers.kernels.lanes import load, store
from workers.kernels.mel import mel_filterbank
from workers.kernels.spectral import spectral_contrast, spectral_moments
from workers.kernels.spectrogram import mel_spectrogram, mfcc, stft_power
from workers.kernels.transform import WIDTH, plan, power_of_hops, turn_hops
from workers.kernels.vectors import LANES

SR = 8000


def noise(seed: int, n: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, n).astype(np.float32)


def powers(y: np.ndarray, n_fft: int, frames: int = LANES) -> np.ndarray:
    """The sixteen first frames' spectra, (bins, frames)."""
    hop = n_fft // 4
    turned = np.zeros(hop * WIDTH, np.float32)
    re, im = np.empty(n_fft // 2 * LANES, np.float32), np.empty(n_fft // 2 * LANES, np.float32)
    power = np.empty((n_fft // 2 + 1) * LANES, np.float32)
    turn_hops(y, -2 * hop, hop, turned, frames)
    power_of_hops(turned, *plan(n_fft), re, im, power, frames)
    return power.reshape(-1, LANES)


@pytest.mark.parametrize("n_fft", [16, 32, 64])
def test_the_transform_agrees_with_its_sum(n_fft: int) -> None:
    y = noise(1, 3 * n_fft + 5)
    expected = np.array(naive.power_frames(y.tolist(), n_fft))
    assert np.allclose(powers(y, n_fft)[:, : expected.shape[1]], expected, atol=1e-4)


def test_mel_and_moments_agree_with_their_sums() -> None:
    y, n_fft = noise(2, 150), 32
    S = naive.power_frames(y.tolist(), n_fft)
    hz = [f * SR / n_fft for f in range(n_fft // 2 + 1)]
    mel = slow.mel_spectrogram(S, slow.mel_filterbank(SR, n_fft, 5, 0.0, SR / 2))
    frames = [list(frame) for frame in zip(*S, strict=True)]
    seen, _ = describe_frames(y, SR, n_fft=n_fft, n_mels=5)
    assert np.allclose(seen.mel, mel, rtol=1e-3, atol=1e-5)
    assert np.allclose(mel_frames(y, SR, n_fft=n_fft, n_mels=5), mel, rtol=1e-3, atol=1e-5)
    assert np.allclose(seen.power, [sum(frame) for frame in frames], rtol=1e-3)
    assert np.allclose(seen.centroid, [spectral.centroid(frame, hz) for frame in frames], rtol=1e-3)
    assert np.allclose(seen.bandwidth, [spectral.bandwidth(frame, hz) for frame in frames], rtol=1e-3)
    assert np.allclose(seen.flatness, [spectral.flatness(frame) for frame in frames], rtol=1e-3)


@needs_numba
@pytest.mark.parametrize("n_fft", [128, 256, 512, 1024, 2048, 4096, 8192])
def test_the_transform_agrees_with_numpy_at_every_length(n_fft: int) -> None:
    y = noise(n_fft, 6 * n_fft)
    S = stft_power(y, n_fft=n_fft, hop_length=n_fft // 4)[:, :LANES]
    assert np.allclose(powers(y, n_fft), S, atol=1e-5 * S.max())


@pytest.mark.parametrize("frames", [1, 4, 5, 8, 9])
@pytest.mark.parametrize("n_fft", [16, 32, 256])
def test_a_few_frames_have_the_very_spectra_that_they_have_among_sixteen(n_fft: int, frames: int) -> None:
    y = noise(n_fft, 6 * n_fft)
    few, all_of_them = powers(y, n_fft, frames), powers(y, n_fft)
    assert np.array_equal(few[:, :frames], all_of_them[:, :frames])


@quick
@given(st.integers(0, 2**32 - 1), st.integers(1, 700), st.sampled_from([16, 64]))
def test_measures_agree_with_the_kernels_for_each(seed: int, n: int, n_fft: int) -> None:
    y = noise(seed, n)
    S = stft_power(y, n_fft=n_fft, hop_length=n_fft // 4)
    hz = (np.arange(n_fft // 2 + 1) * SR / n_fft).astype(np.float32)
    seen, _ = describe_frames(y, SR, n_fft=n_fft, n_mels=5)
    moments = spectral_moments(S, hz)
    assert np.allclose(seen.mel, mel_spectrogram(S, mel_filterbank(SR, n_fft, 5)), atol=1e-5)
    assert np.allclose(seen.power, S.sum(axis=0), rtol=1e-4, atol=1e-6)
    assert np.allclose(seen.centroid, moments.centroid, rtol=1e-3, atol=0.01)
    assert np.allclose(seen.bandwidth, moments.bandwidth, rtol=1e-3, atol=0.1)
    assert np.allclose(seen.flatness, moments.flatness, rtol=1e-3, atol=1e-6)
    assert np.mean(seen.rolloff == moments.rolloff) > 0.9  # a rounding may move it by a bin
    assert np.allclose(seen.contrast, spectral_contrast(S, hz), atol=0.05)
    assert np.allclose(mel_frames(y, SR, n_fft=n_fft, n_mels=5), seen.mel)


def test_silence_is_flat_and_has_no_centre() -> None:
    seen, summary = describe_frames(np.zeros(100, np.float32), SR, n_fft=64, n_mels=4)
    for row in (seen.power, seen.centroid, seen.bandwidth, seen.rolloff, seen.contrast, seen.mel):
        assert not row.any()
    assert np.allclose(seen.flatness, 1)
    assert not summary.weight.any()
    assert (summary.mel_db == -80).all()


@quick
@given(st.integers(0, 2**32 - 1), st.integers(1, 900))
def test_the_summary_is_of_the_frames(seed: int, n: int) -> None:
    y = noise(seed, n) * np.linspace(1, 0.01, n, dtype=np.float32)
    seen, summary = describe_frames(y, SR, n_fft=64, n_mels=7, n_mfcc=4)
    weight = np.sqrt(seen.power.astype(float)) / np.sqrt(seen.power.astype(float)).sum()
    rows = np.vstack([seen.centroid, seen.bandwidth, seen.rolloff, seen.flatness, seen.contrast])
    mel_db = np.maximum(10 * np.log10(np.maximum(seen.mel.astype(float) / seen.mel.max(), 1e-30)), -80)
    C = mfcc(mel_db, 5)[1:].astype(float)
    assert np.allclose(summary.weight, weight, rtol=1e-4, atol=1e-7)
    assert np.allclose(summary.means, rows @ weight, rtol=1e-3, atol=1e-3)
    assert np.allclose(summary.by_band, seen.mel @ weight, rtol=1e-3, atol=1e-6)
    assert np.allclose(summary.mel_db, mel_db, atol=1e-3)
    assert np.allclose(summary.mfcc, C @ weight, atol=1e-2)
    assert np.allclose(summary.mfcc_std, np.sqrt((C - (C @ weight)[:, None]) ** 2 @ weight), atol=2e-2)


def test_later_samples_change_nothing_before_them() -> None:
    y = noise(3, 900)
    some, every = (describe_frames(part, SR, n_fft=64, n_mels=4)[0] for part in (y[:500], y))
    whole = (500 - 32) // 16
    for a, b in zip(some, every, strict=True):
        assert np.array_equal(a[..., :whole], b[..., :whole])


def test_gain_moves_power_and_nothing_else() -> None:
    y = noise(4, 500)
    (quiet, before), (loud, after) = (
        describe_frames(gain * y, SR, n_fft=64, n_mels=4, n_mfcc=3) for gain in (np.float32(1), np.float32(4))
    )
    for row, louder in zip(before, after, strict=True):
        assert np.allclose(row * (16 if row is before.by_band else 1), louder, rtol=1e-4, atol=1e-3)
    assert np.array_equal(loud.mel, 16 * quiet.mel)
    assert np.array_equal(loud.centroid, quiet.centroid)
    assert np.array_equal(loud.rolloff, quiet.rolloff)
    assert np.allclose(loud.contrast, quiet.contrast, atol=1e-3)


@kernel
def _logarithms(x: Float32, out: Float32) -> None:
    store(out, 0, log2_lanes(load(x, 0)))


@quick
@given(st.floats(-120, 120))
def test_logarithms_are_right_to_six_digits(power: float) -> None:
    x = (np.float32(2.0**power) * np.linspace(1, 2, LANES)).astype(np.float32)
    out = np.empty(LANES, np.float32)
    _logarithms(x, out)
    assert np.allclose(out, np.log2(x.astype(float)), rtol=2e-7, atol=2e-7)


@pytest.mark.parametrize(
    "call",
    [
        lambda: describe_frames([], SR),
        lambda: describe_frames(np.ones(4), 0),
        lambda: describe_frames(np.ones(4), SR, n_fft=48),
        lambda: describe_frames(np.ones(4), SR, n_fft=8),
        lambda: describe_frames(np.ones(4), SR, n_mels=0),
        lambda: describe_frames(np.ones(4), SR, n_mfcc=0),
        lambda: mel_frames(np.ones(4), SR, fmin=5000.0),
        lambda: mel_frames(np.ones((4, 2)), SR),
    ],
)
def test_refuses(call: object) -> None:
    with pytest.raises(ParameterError):
        call()  # type: ignore[operator]
