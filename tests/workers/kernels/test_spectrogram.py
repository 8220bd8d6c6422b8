from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.naive import spectrogram as naive
from tests.workers.kernels.examples import gains, quick, signals, spectrograms
from workers.errors import ParameterError
from workers.kernels.mel import mel_filterbank
from workers.kernels.spectrogram import mel_spectrogram, mfcc, power_to_db, stft_power

lengths = st.integers(2, 17)
hops = st.integers(1, 9)
decibels = st.floats(-80, 0, width=32)


@quick
@given(signals(17, 60), lengths, hops, st.booleans())
def test_power_is_the_square_of_the_fourier_sum(y, n_fft, hop_length, center):
    S = stft_power(y, n_fft=n_fft, hop_length=hop_length, center=center)
    np.testing.assert_allclose(S, naive.stft_power(y, n_fft, hop_length, center), rtol=1e-4, atol=1e-4)


def test_blocks_meet_without_a_seam():
    y = np.random.default_rng(1).standard_normal(700).astype(np.float32)
    S = stft_power(y, n_fft=16, hop_length=7)
    assert S.shape == (9, 101)  # three blocks of 32 and a rest
    np.testing.assert_allclose(S, naive.stft_power(y, 16, 7, True), rtol=1e-3, atol=1e-4)


@quick
@given(signals(1, 60), lengths, hops, gains)
def test_power_is_never_negative_and_grows_with_the_square_of_the_gain(y, n_fft, hop_length, gain):
    even = n_fft + n_fft % 2
    S = stft_power(y, n_fft=even, hop_length=hop_length)
    assert (S >= 0).all()
    np.testing.assert_allclose(stft_power(gain * y, n_fft=even, hop_length=hop_length), gain**2 * S, rtol=1e-5)


@quick
@given(signals(32, 60), signals(1, 20), hops)
def test_later_samples_change_no_earlier_frame(y, more, hop_length):
    S = stft_power(y, n_fft=16, hop_length=hop_length, center=False)
    longer = stft_power(np.concatenate([y, more]), n_fft=16, hop_length=hop_length, center=False)
    np.testing.assert_array_equal(longer[:, : S.shape[1]], S)


def test_a_spectrogram_lies_frame_after_frame():
    y = np.ones(64, np.float32)
    S = stft_power(y, n_fft=16, hop_length=4)
    assert S.flags.f_contiguous
    assert S.dtype == np.float32


def test_other_types_are_converted():
    y = np.arange(32) % 5
    expected = stft_power(y.astype(np.float32), n_fft=8)
    for same in (y, y.astype(np.float64), y.tolist(), np.repeat(y, 2)[::2]):
        np.testing.assert_array_equal(stft_power(same, n_fft=8), expected)


def test_read_only_samples_are_accepted():
    y = np.ones(32, np.float32)
    expected = stft_power(y, n_fft=8)
    y.flags.writeable = False
    np.testing.assert_array_equal(stft_power(y, n_fft=8), expected)


@quick
@given(st.sampled_from([8000, 22050, 48000]), st.integers(2, 256), st.integers(1, 12), st.floats(0, 1500))
def test_mel_filters_are_triangles_of_area_one(sr, n_fft, n_mels, fmin):
    expected = naive.mel_filterbank(sr, n_fft, n_mels, fmin, sr / 2)
    np.testing.assert_allclose(mel_filterbank(sr, n_fft, n_mels, fmin), expected, rtol=1e-4, atol=1e-9)


@quick
@given(spectrograms(bins=(9, 9)), st.integers(1, 6))
def test_mel_bands_are_sums_of_bins(S, n_mels):
    filterbank = mel_filterbank(8000, 16, n_mels)
    expected = naive.mel_spectrogram(S.astype(float).tolist(), filterbank.astype(float).tolist())
    np.testing.assert_allclose(mel_spectrogram(S, filterbank), expected, rtol=1e-5, atol=1e-9)


@quick
@given(spectrograms(bins=(4, 4)), st.lists(st.lists(st.sampled_from([0, 0.5, 1]), min_size=4, max_size=4), min_size=1))
def test_filters_may_have_holes(S, filterbank):
    expected = naive.mel_spectrogram(S.astype(float).tolist(), filterbank)
    np.testing.assert_allclose(mel_spectrogram(S, filterbank), expected, rtol=1e-5, atol=1e-9)


@quick
@given(spectrograms(), st.sampled_from([1e-10, 1.0, 37.0]), st.sampled_from([None, 0.0, 20.0, 80.0]))
def test_decibels_are_ten_logarithms_of_the_ratio(S, ref, top_db):
    expected = naive.power_to_db(S.astype(float).tolist(), ref, 1e-10, top_db)
    np.testing.assert_allclose(power_to_db(S, ref=ref, top_db=top_db), expected, rtol=1e-5, atol=1e-4)


@quick
@given(spectrograms(decibels), st.data())
def test_mfcc_is_the_orthonormal_cosine_transform(S, data):
    n_mfcc = data.draw(st.integers(1, S.shape[0]))
    np.testing.assert_allclose(mfcc(S, n_mfcc), naive.mfcc(S.astype(float).tolist(), n_mfcc), rtol=1e-4, atol=1e-3)


@quick
@given(spectrograms(decibels, bins=(4, 12)), st.floats(-20, 20))
def test_only_the_first_coefficient_hears_the_gain(S, change):
    np.testing.assert_allclose(mfcc(S + np.float32(change), 4)[1:], mfcc(S, 4)[1:], atol=1e-3)


GOOD = np.ones(32, np.float32)
MATRIX = np.ones((9, 3), np.float32)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: stft_power([]), "y must be"),
        (lambda: stft_power(MATRIX), "y must be"),
        (lambda: stft_power([[1], [2, 3]]), "y must be"),
        (lambda: stft_power(["a"]), "real numbers"),
        (lambda: stft_power(GOOD * 1j), "real numbers"),
        (lambda: stft_power(GOOD, n_fft=1), "n_fft"),
        (lambda: stft_power(GOOD, n_fft=8.5), "n_fft"),
        (lambda: stft_power(GOOD, hop_length=0), "hop_length"),
        (lambda: stft_power(GOOD, n_fft=64, center=False), "too few"),
        (lambda: mel_filterbank(0, 16), "sr"),
        (lambda: mel_filterbank(8000, 16, 4, 5000, 4000), "fmin < fmax"),
        (lambda: mel_filterbank(8000, 16, 4, 0, 4001), "fmin < fmax"),
        (lambda: mel_filterbank(8000, 16, 4, float("nan")), "fmin"),
        (lambda: mel_filterbank("high", 16), "sr"),
        (lambda: mel_spectrogram(MATRIX, np.ones((4, 8), np.float32)), "9 bins"),
        (lambda: mel_spectrogram(GOOD, MATRIX.T), "S must be"),
        (lambda: power_to_db(MATRIX, amin=0), "amin"),
        (lambda: power_to_db(MATRIX, top_db=-1), "top_db"),
        (lambda: mfcc(MATRIX, 10), "9 mel bands"),
        (lambda: mfcc(MATRIX, 0), "n_mfcc"),
    ],
)
def test_refuses(call, said):
    with pytest.raises(ParameterError, match=said):
        call()


def test_agrees_with_librosa():
    librosa = pytest.importorskip("librosa")
    y = np.random.default_rng(2).standard_normal(22050).astype(np.float32)
    S = stft_power(y)
    np.testing.assert_allclose(S, np.abs(librosa.stft(y, pad_mode="constant")) ** 2, rtol=1e-3, atol=1e-2)
    filterbank = mel_filterbank(22050, 2048)
    np.testing.assert_allclose(filterbank, librosa.filters.mel(sr=22050, n_fft=2048), atol=1e-8)
    db = power_to_db(mel_spectrogram(S, filterbank))
    np.testing.assert_allclose(db, librosa.power_to_db(librosa.feature.melspectrogram(S=S)), atol=1e-3)
    np.testing.assert_allclose(mfcc(db), librosa.feature.mfcc(S=db), atol=1e-2)
