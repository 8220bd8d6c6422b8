"""The period of a sound, frame by frame."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workers.errors import ParameterError
from workers.kernels.arguments import Float32, as_count, as_number, as_vector
from workers.kernels.compiled import kernel, warms


class Periods(NamedTuple):
    """What `yin_periods` returns: one element for each frame."""

    lag: Float32
    """Period in samples, with its fraction; 0 where there is no dip."""
    depth: Float32
    """Normalised difference at the dip: 0 = repeats exactly, 1 = not at all."""
    power: Float32
    """Sum of squares of the frame."""


@kernel
def _yin(
    y: Float32, starts: NDArray[np.int64], window: int, min_lag: int, max_lag: int, threshold: float, n_fft: int
) -> tuple[Float32, Float32, Float32]:
    n_frames = starts.shape[0]
    periods = np.zeros(n_frames, np.float32)
    depths = np.ones(n_frames, np.float32)
    powers = np.zeros(n_frames, np.float32)
    pair = np.zeros((2, n_fft), np.float32)
    normal = np.ones(max_lag + 1)
    for t in range(n_frames):
        begin = starts[t]
        for k in range(window + max_lag):
            pair[0, k] = y[begin + k]
        for k in range(window):
            pair[1, k] = y[begin + k]
        spectra = np.fft.rfft(pair)
        cross = np.fft.irfft(spectra[0] * np.conj(spectra[1]), n_fft)
        first = 0.0
        for k in range(window):
            first += np.float64(pair[0, k]) * np.float64(pair[0, k])
        powers[t] = first
        if first <= 0:
            continue
        power = first
        total = 0.0
        for lag in range(1, max_lag + 1):
            power += np.float64(pair[0, lag + window - 1]) ** 2 - np.float64(pair[0, lag - 1]) ** 2
            difference = max(0.0, first + power - 2 * cross[lag])
            total += difference
            normal[lag] = difference * lag / total if total > 0 else 1.0
        best = 0
        for lag in range(min_lag, max_lag):
            if normal[lag] < threshold and normal[lag] <= normal[lag + 1] and normal[lag] <= normal[lag - 1]:
                best = lag
                break
        if best == 0:
            for lag in range(min_lag, max_lag):
                lowest = best == 0 or normal[lag] < normal[best]
                if lowest and normal[lag] <= normal[lag + 1] and normal[lag] <= normal[lag - 1]:
                    best = lag
        if best == 0:
            continue
        a = normal[best - 1]
        b = normal[best]
        c = normal[best + 1]
        bend = a - 2 * b + c
        shift = min(0.5, max(-0.5, 0.5 * (a - c) / bend)) if bend > 0 else 0.0
        periods[t] = best + shift
        depths[t] = b
    return periods, depths, powers


def yin_periods(
    y: ArrayLike, starts: ArrayLike, *, window: int, min_lag: int, max_lag: int, threshold: float = 0.15
) -> Periods:
    """Find the period of each frame by YIN [1]_.

    ``d(l) = sum_{k < window} (y[s + k] - y[s + k + l])^2``, divided by its mean over ``1 .. l``; the period is its
    first local minimum below `threshold`, else the lowest one.

    Parameters
    ----------
    y : array of float32, shape (n_samples,)
        The signal.
    starts : array of int, shape (n_frames,)
        Where each frame begins; it takes ``window + max_lag`` samples.
    window : int >= 1
        Samples compared.
    min_lag, max_lag : int
        Shortest and longest period, in samples; ``2 <= min_lag < max_lag``.
    threshold : float > 0
        Depth of a dip that is believed at once.

    Returns
    -------
    periods : Periods
        Deaf to gain, but for the power.

    Raises
    ------
    ParameterError
        If a frame reaches beyond the signal, or a number is out of range.

    References
    ----------
    .. [1] A. de Cheveigné and H. Kawahara, "YIN, a fundamental frequency estimator for speech and music", JASA 111(4),
       2002.
    """
    signal = as_vector(y, "y")
    window, max_lag = as_count(window, "window"), as_count(max_lag, "max_lag", least=3)
    min_lag = as_count(min_lag, "min_lag", least=2)
    threshold = as_number(threshold, "threshold", above=0.0)
    at = np.require(np.atleast_1d(np.asarray(starts)), np.int64, ("C", "W"))
    if min_lag >= max_lag:
        raise ParameterError(f"min_lag is {min_lag}, not less than max_lag, {max_lag}.")
    if at.ndim != 1 or len(at) == 0 or at.min() < 0 or at.max() + window + max_lag > len(signal):
        raise ParameterError(f"A frame of {window} + {max_lag} samples does not lie within {len(signal)} samples.")
    n_fft = 1 << (window + max_lag - 1).bit_length()
    return Periods(*_yin(signal, at, window, min_lag, max_lag, threshold, n_fft))


@warms
def _warm() -> None:
    yin_periods(np.ones(16, np.float32), np.zeros(1, np.int64), window=4, min_lag=2, max_lag=4)
