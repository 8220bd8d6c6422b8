"""The mel scale: frequencies as far apart as they sound."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from workers.errors import ParameterError
from workers.kernels.arguments import as_count, as_number


def mel_frequencies(n: int, fmin: float, fmax: float) -> NDArray[np.float64]:
    """`n` frequencies in Hz, evenly spaced on Slaney's mel scale: linear to 1 kHz, then logarithmic."""
    mels = np.linspace(_hz_to_mel(fmin), _hz_to_mel(fmax), n)
    linear = mels * 200.0 / 3
    return np.where(mels < 15.0, linear, 1000.0 * np.exp((mels - 15.0) * (math.log(6.4) / 27.0)))


def _hz_to_mel(hz: float) -> float:
    return 3.0 * hz / 200.0 if hz < 1000.0 else 15.0 + 27.0 * math.log(hz / 1000.0) / math.log(6.4)


def mel_filterbank(
    sr: float, n_fft: int, n_mels: int = 128, fmin: float = 0.0, fmax: float | None = None
) -> NDArray[np.float32]:
    """Make triangular filters evenly spaced on the mel scale, each of area one.

    ``H[m, f] = max(0, min((f - a) / (b - a), (c - f) / (c - b))) * 2 / (c - a)`` with ``a, b, c`` three
    neighbours among ``n_mels + 2`` mel frequencies [1]_.

    Parameters
    ----------
    sr : float
        Sampling rate, in Hz.
    n_fft : int >= 2
        Length of the transform, in samples.
    n_mels : int >= 1
        Number of filters.
    fmin, fmax : float
        Lowest and highest frequency, in Hz; `fmax` is ``sr / 2`` by default.

    Returns
    -------
    filterbank : ndarray of float32, shape (n_mels, n_fft // 2 + 1)
        One filter a row. Where filters are narrower than a bin, a row may be all 0. Keep it: it costs a millisecond.

    Raises
    ------
    ParameterError
        If not ``0 <= fmin < fmax <= sr / 2``, or a count is out of range.

    References
    ----------
    .. [1] M. Slaney, "Auditory Toolbox", Interval Research Technical Report 1998-010.
    """
    sr = as_number(sr, "sr", above=0.0)
    n_fft = as_count(n_fft, "n_fft", least=2)
    n_mels = as_count(n_mels, "n_mels")
    fmax = sr / 2 if fmax is None else as_number(fmax, "fmax")
    fmin = as_number(fmin, "fmin", least=0.0)
    if not fmin < fmax <= sr / 2:
        raise ParameterError(f"0 <= fmin < fmax <= sr / 2 does not hold: {fmin:g}, {fmax:g}, {sr / 2:g} Hz.")
    edges = mel_frequencies(n_mels + 2, fmin, fmax)[:, np.newaxis]
    bins = np.arange(n_fft // 2 + 1) * (sr / n_fft)
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return (triangles * (2.0 / (edges[2:] - edges[:-2]))).astype(np.float32)
