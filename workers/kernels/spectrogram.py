"""From samples to spectrograms: power, mel, decibels, MFCC.

Spectrograms have librosa's shape, (n_bins, n_frames), and lie in memory frame after frame (Fortran order), because
the transform makes whole frames and nearly every feature reads whole frames.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import rocket_fft  # noqa: F401  (gives compiled code np.fft)
from numpy.typing import ArrayLike, NDArray

from workers.errors import ParameterError
from workers.kernels.arguments import Float32, as_count, as_frames, as_number, as_spectrogram, as_vector
from workers.kernels.compiled import kernel, warms

BLOCK_FRAMES = 32
"""Frames transformed together: 2048-sample frames and their spectra then fit in a core's second-level cache."""


@lru_cache(maxsize=16)
def hann_window(n: int) -> Float32:
    """Periodic Hann window, ``0.5 - 0.5 cos(2 pi k / n)``, shape (n,). Shared: do not write to it."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n)).astype(np.float32)


@kernel
def _stft_power(y: Float32, window: Float32, hop_length: int, first: int, n_frames: int, block_frames: int) -> Float32:
    n_fft = window.shape[0]
    n_bins = n_fft // 2 + 1
    n = y.shape[0]
    power = np.empty((n_frames, n_bins), np.float32)
    frames = np.empty((block_frames, n_fft), np.float32)
    spectra = np.empty((block_frames, n_bins), np.complex64)
    for begin in range(0, n_frames, block_frames):
        size = min(block_frames, n_frames - begin)
        for i in range(size):
            start = first + (begin + i) * hop_length
            low = min(max(0, -start), n_fft)
            high = max(low, min(n_fft, n - start))
            frame = frames[i]
            frame[:low] = 0
            for k in range(low, high):
                frame[k] = window[k] * y[start + k]
            frame[high:] = 0
        np.fft.rfft(frames[:size], None, 1, None, spectra[:size])
        for i in range(size):
            spectrum = spectra[i]
            row = power[begin + i]
            for k in range(n_bins):
                row[k] = spectrum[k].real * spectrum[k].real + spectrum[k].imag * spectrum[k].imag
    return power


def stft_power(y: ArrayLike, *, n_fft: int = 2048, hop_length: int = 512, center: bool = True) -> Float32:
    """Compute the power spectrogram of a signal.

    ``S[f, t] = |sum_k w[k] y[t hop_length + k - c] exp(-2 pi i f k / n_fft)|^2``, where ``w`` is the periodic Hann
    window and ``c`` is ``n_fft // 2`` if `center`, else 0 [1]_. Outside the signal there are zeros.

    Parameters
    ----------
    y : array of float32, shape (n_samples,)
        The signal. Other types are converted.
    n_fft : int >= 2
        Length of the window and of the transform, in samples.
    hop_length : int >= 1
        Samples between two frames.
    center : bool
        Whether frame ``t`` is centred on sample ``t * hop_length``, or begins there.

    Returns
    -------
    S : ndarray of float32, shape (n_fft // 2 + 1, n_frames), Fortran order
        Power. There are ``1 + n_samples // hop_length`` frames if `center` (and `n_fft` is even), else
        ``1 + (n_samples - n_fft) // hop_length``. Beside `S`, memory is a block of 32 frames.

    Raises
    ------
    ParameterError
        If `y` is not a non-empty vector, a length is out of range, or, without `center`, `y` is shorter than a frame.

    References
    ----------
    .. [1] J. Allen, "Short term spectral analysis, synthesis, and modification by discrete Fourier transform",
       IEEE Trans. ASSP 25(3), 1977.
    """
    signal = as_vector(y, "y")
    n_fft = as_count(n_fft, "n_fft", least=2)
    hop_length = as_count(hop_length, "hop_length")
    pad = n_fft // 2 if center else 0
    surplus = len(signal) + 2 * pad - n_fft
    if surplus < 0:
        raise ParameterError(f"y has {len(signal)} samples: too few for a frame of {n_fft}.")
    n_frames = 1 + surplus // hop_length
    block = min(BLOCK_FRAMES, n_frames)
    power: Float32 = _stft_power(signal, hann_window(n_fft), hop_length, -pad, n_frames, block)
    return power.T


@kernel
def _mel(frames: Float32, filterbank: Float32) -> Float32:
    n_frames, n_bins = frames.shape
    n_mels = filterbank.shape[0]
    low = np.zeros(n_mels, np.int64)
    high = np.zeros(n_mels, np.int64)
    for m in range(n_mels):
        for f in range(n_bins):
            if filterbank[m, f] != 0:
                if high[m] == 0:
                    low[m] = f
                high[m] = f + 1
    mel = np.empty((n_frames, n_mels), np.float32)
    for t in range(n_frames):
        for m in range(n_mels):
            weights = filterbank[m, low[m] : high[m]]
            bins = frames[t, low[m] : high[m]]
            total = np.float32(0)
            for f in range(weights.shape[0]):
                total += weights[f] * bins[f]
            mel[t, m] = total
    return mel


def mel_spectrogram(S: ArrayLike, filterbank: NDArray[np.float32]) -> Float32:
    """Gather the bins of a power spectrogram into bands.

    ``M[m, t] = sum_f H[m, f] S[f, t]``, where only the bins between the first and the last that count are visited.

    Parameters
    ----------
    S : array of float32, shape (n_bins, n_frames)
        Power spectrogram.
    filterbank : ndarray of float32, shape (n_mels, n_bins)
        The filters ``H``, as `mel_filterbank` makes them.

    Returns
    -------
    M : ndarray of float32, shape (n_mels, n_frames), Fortran order
        Power in each band. Never negative if `S` and the filters are not.

    Raises
    ------
    ParameterError
        If either is not a non-empty matrix, or their numbers of bins differ.
    """
    frames = as_frames(S)
    filters = np.ascontiguousarray(as_frames(filterbank, "filterbank").T)
    if filters.shape[1] != frames.shape[1]:
        raise ParameterError(f"S has {frames.shape[1]} bins and the filterbank {filters.shape[1]}.")
    mel: Float32 = _mel(frames, filters)
    return mel.T


def power_to_db(S: ArrayLike, *, ref: float = 1.0, amin: float = 1e-10, top_db: float | None = 80.0) -> Float32:
    """Turn power into decibels.

    ``10 log10(max(amin, S) / max(amin, ref))``, and nothing lower than the maximum less `top_db`.

    Parameters
    ----------
    S : array of float32, shape (n_bins, n_frames)
        Power.
    ref : float
        The power that is 0 dB.
    amin : float > 0
        The least power told apart from silence.
    top_db : float >= 0 or None
        Range kept below the loudest value, in dB.

    Returns
    -------
    S_db : ndarray of float32, shape (n_bins, n_frames), Fortran order
        Decibels.

    Raises
    ------
    ParameterError
        If `S` is not a non-empty matrix, ``amin <= 0`` or ``top_db < 0``.
    """
    amin = as_number(amin, "amin", above=0.0)
    ref = max(amin, abs(as_number(ref, "ref")))
    # numpy's log10 is vectorised for float32; inside numba it is a call a number, four times slower
    db = np.log10(np.maximum(as_frames(S), np.float32(amin)))
    db *= np.float32(10)
    db -= np.float32(10 * math.log10(ref))
    if top_db is not None:
        np.maximum(db, db.max() - np.float32(as_number(top_db, "top_db", least=0.0)), out=db)
    return db.T


@lru_cache(maxsize=16)
def _dct(n_out: int, n_in: int) -> Float32:
    rows = np.cos(np.pi / n_in * np.outer(np.arange(n_out), np.arange(n_in) + 0.5)) * math.sqrt(2.0 / n_in)
    rows[0] *= math.sqrt(0.5)
    return rows.astype(np.float32)


def mfcc(mel_db: ArrayLike, n_mfcc: int = 20) -> Float32:
    """Compute mel-frequency cepstral coefficients.

    ``C[c, t] = s_c sum_m M_db[m, t] cos(pi c (m + 1/2) / n_mels)``, the orthonormal DCT-II [1]_.

    Parameters
    ----------
    mel_db : array of float32, shape (n_mels, n_frames)
        Mel spectrogram, in dB.
    n_mfcc : int, 1 to n_mels
        Number of coefficients.

    Returns
    -------
    C : ndarray of float32, shape (n_mfcc, n_frames)
        Coefficients. Only row 0 depends on the gain, as long as nothing was clipped by `power_to_db`.

    Raises
    ------
    ParameterError
        If `mel_db` is not a non-empty matrix or has fewer bands than `n_mfcc`.

    References
    ----------
    .. [1] S. Davis and P. Mermelstein, "Comparison of parametric representations for monosyllabic word recognition
       in continuously spoken sentences", IEEE Trans. ASSP 28(4), 1980.
    """
    S, by_frame = as_spectrogram(mel_db, "mel_db")
    rows = S.T if by_frame else S
    n_mfcc = as_count(n_mfcc, "n_mfcc")
    if n_mfcc > len(rows):
        raise ParameterError(f"n_mfcc is {n_mfcc}, and there are {len(rows)} mel bands.")
    return np.asarray(_dct(n_mfcc, len(rows)) @ rows)


@warms
def _warm() -> None:
    mel_spectrogram(stft_power(np.ones(4, np.float32), n_fft=4, hop_length=4), np.ones((2, 3), np.float32))
