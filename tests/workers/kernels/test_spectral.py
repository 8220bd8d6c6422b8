from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.naive import spectral as naive
from tests.workers.kernels.examples import gains, quick, spectrograms
from workers.errors import ParameterError
from workers.kernels.spectral import compute_spectral_centroid_batch, spectral_contrast, spectral_moments

HZ = np.arange(1, 13, dtype=np.float32) * 100
close = {"rtol": 1e-5, "atol": 1e-2}


def columns(S):
    return S.T.astype(float).tolist()


@quick
@given(spectrograms())
def test_centroid_is_the_centre_of_gravity(S):
    hz = HZ[: len(S)]
    expected = [naive.centroid(frame, hz) for frame in columns(S)]
    np.testing.assert_allclose(compute_spectral_centroid_batch(S, hz), expected, **close)


@quick
@given(spectrograms(), st.sampled_from([0.1, 0.5, 0.85, 0.99]))
def test_moments_agree_with_their_definitions(S, share):
    hz = HZ[: len(S)]
    moments = spectral_moments(S, hz, roll_percent=share)
    frames = columns(S)
    np.testing.assert_allclose(moments.centroid, [naive.centroid(frame, hz) for frame in frames], **close)
    np.testing.assert_allclose(moments.bandwidth, [naive.bandwidth(frame, hz) for frame in frames], rtol=1e-4, atol=0.1)
    np.testing.assert_allclose(moments.flatness, [naive.flatness(frame) for frame in frames], rtol=1e-4)
    for found, frame in zip(moments.rolloff, frames, strict=True):
        # a bin more or less where the sum meets the share but for rounding
        near = {naive.rolloff(frame, hz, share * nudge) for nudge in (1 - 1e-6, 1, 1 + 1e-6)}
        assert found in near


@quick
@given(spectrograms(), gains)
def test_moments_are_deaf_to_gain(S, gain):
    hz = HZ[: len(S)]
    np.testing.assert_array_equal(compute_spectral_centroid_batch(gain * S, hz), compute_spectral_centroid_batch(S, hz))
    for louder, moment in zip(spectral_moments(gain * S, hz)[:3], spectral_moments(S, hz)[:3], strict=True):
        np.testing.assert_array_equal(louder, moment)


@quick
@given(spectrograms(frames=(2, 8)))
def test_later_frames_change_nothing_before_them(S):
    hz = HZ[: len(S)]
    whole = [*spectral_moments(S, hz), *spectral_contrast(S, hz)]
    begun = [*spectral_moments(S[:, :-1], hz), *spectral_contrast(S[:, :-1], hz)]
    for longer, shorter in zip(whole, begun, strict=True):
        np.testing.assert_array_equal(longer[:-1], shorter)


@quick
@given(spectrograms())
def test_moments_lie_within_the_spectrum(S):
    centroid, bandwidth, rolloff, flatness = spectral_moments(S, HZ[: len(S)])
    assert ((centroid >= 0) & (centroid <= 1200.1)).all()
    assert ((bandwidth >= 0) & (bandwidth <= 1200)).all()
    assert ((rolloff >= 0) & (rolloff <= 1200)).all()
    assert ((flatness > 0) & (flatness <= 1.0001)).all()


def test_silence_has_no_centre():
    S = np.zeros((12, 2), np.float32)
    for order in (S, np.asfortranarray(S)):
        np.testing.assert_array_equal(compute_spectral_centroid_batch(order, HZ), [0, 0])
    moments = spectral_moments(S, HZ)
    np.testing.assert_array_equal(moments[:3], np.zeros((3, 2)))
    np.testing.assert_allclose(moments.flatness, 1)


def test_a_broken_frame_stays_broken_and_alone():
    S = np.ones((12, 3), np.float32)
    S[4, 1] = np.nan
    for order in (S, np.asfortranarray(S)):
        np.testing.assert_array_equal(np.isnan(compute_spectral_centroid_batch(order, HZ)), [False, True, False])


@quick
@given(spectrograms(bins=(8, 12)), st.sampled_from([50.0, 200.0, 5000.0]), st.integers(1, 4), st.floats(0.01, 0.5))
def test_contrast_is_peaks_over_valleys(S, fmin, n_bands, quantile):
    hz = HZ[: len(S)]
    expected = naive.contrast(S.astype(float).tolist(), hz, fmin, n_bands, quantile)
    contrast = spectral_contrast(S, hz, fmin=fmin, n_bands=n_bands, quantile=quantile)
    np.testing.assert_allclose(contrast, expected, rtol=1e-4, atol=1e-4)
    assert (contrast >= 0).all()


@pytest.mark.parametrize("n_bins", [31, 32, 33, 65, 300])
def test_spectra_of_many_blocks_agree_too(n_bins):
    rng = np.random.default_rng(13)
    S = (rng.standard_normal((n_bins, 6)) ** 2 * [1, 1e6, 1e-6, 1, 1, 1]).astype(np.float32)
    S[:, 3] = np.sort(S[:, 3])
    S[:, 4] = np.sort(S[:, 4])[::-1]
    hz = np.linspace(0, 11_025, n_bins, dtype=np.float32)
    for share in (0.05, 0.5, 0.85, 0.999):
        moments = spectral_moments(S, hz, roll_percent=share)
        assert moments.rolloff.tolist() == [naive.rolloff(frame, hz, share) for frame in columns(S)]
    np.testing.assert_allclose(moments.bandwidth, [naive.bandwidth(frame, hz) for frame in columns(S)], rtol=1e-5)
    np.testing.assert_allclose(moments.flatness, [naive.flatness(frame) for frame in columns(S)], rtol=1e-5)
    expected = naive.contrast(S.astype(float).tolist(), hz, 200.0, 6, 0.1)
    np.testing.assert_allclose(spectral_contrast(S, hz, quantile=0.1), expected, rtol=1e-4, atol=1e-4)


S = np.ones((12, 2), np.float32)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: compute_spectral_centroid_batch(S, HZ[:5]), "12 bins"),
        (lambda: compute_spectral_centroid_batch(S[0], HZ), "S must be"),
        (lambda: compute_spectral_centroid_batch(S[:, :0], HZ), "S must be"),
        (lambda: spectral_moments(S, HZ, roll_percent=0), "roll_percent"),
        (lambda: spectral_moments(S, HZ, roll_percent=1), "roll_percent"),
        (lambda: spectral_contrast(S, HZ[::-1]), "rise"),
        (lambda: spectral_contrast(S, HZ, quantile=0.6), "quantile"),
        (lambda: spectral_contrast(S, HZ, n_bands=0), "n_bands"),
        (lambda: spectral_contrast(S, HZ, fmin=0), "fmin"),
    ],
)
def test_refuses(call, said):
    with pytest.raises(ParameterError, match=said):
        call()


def test_agrees_with_librosa():
    librosa = pytest.importorskip("librosa")
    S = np.abs(np.random.default_rng(3).standard_normal((1025, 50))).astype(np.float32)
    hz = librosa.fft_frequencies(sr=22050, n_fft=2048)
    centroid, bandwidth, rolloff, _ = spectral_moments(S, hz)
    np.testing.assert_allclose(centroid, librosa.feature.spectral_centroid(S=S)[0], rtol=1e-5)
    np.testing.assert_allclose(bandwidth, librosa.feature.spectral_bandwidth(S=S)[0], rtol=1e-5)
    np.testing.assert_allclose(rolloff, librosa.feature.spectral_rolloff(S=S)[0], rtol=1e-5)
    flatness = spectral_moments(S**2, hz).flatness
    np.testing.assert_allclose(flatness, librosa.feature.spectral_flatness(S=S)[0], rtol=1e-4)
