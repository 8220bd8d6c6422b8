"""Local maxima (row K9)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workers.errors import ParameterError
from workers.kernels.arguments import Floats, as_vector
from workers.kernels.compiled import kernel, warms


@kernel
def _local_maxima(x: Floats, height: float) -> NDArray[np.int64]:
    n = x.shape[0]
    peaks = np.empty(n // 2 + 1, np.int64)
    found = 0
    for i in range(1, n - 1):
        # no branch: whether a sample is a peak cannot be predicted, and a wrong guess costs twenty additions
        peaks[found] = i
        found += (x[i - 1] < x[i]) & (x[i] >= x[i + 1]) & (x[i] >= height)
    kept = 0
    for j in range(found):
        first = peaks[j]
        last = first
        while last + 1 < n and x[last + 1] == x[first]:
            last += 1
        peaks[kept] = (first + last) // 2
        kept += last + 1 < n and x[last + 1] < x[first]
    return peaks[:kept].copy()


@kernel
def _thin_out(peaks: NDArray[np.int64], order: NDArray[np.int64], distance: int) -> NDArray[np.int64]:
    n = peaks.shape[0]
    keep = np.ones(n, np.bool_)
    for rank in range(n - 1, -1, -1):
        j = order[rank]
        if not keep[j]:
            continue
        k = j - 1
        while k >= 0 and peaks[j] - peaks[k] < distance:
            keep[k] = False
            k -= 1
        k = j + 1
        while k < n and peaks[k] - peaks[j] < distance:
            keep[k] = False
            k += 1
    return peaks[keep]


def find_peaks_simple(x: ArrayLike, *, height: float | None = None, distance: float = 1) -> NDArray[np.int64]:
    """Find the local maxima of a signal (row K9).

    ``i`` with ``x[i - 1] < x[i] > x[i + 1]``; of a plateau its middle, rounded down. As ``scipy.signal.find_peaks``.

    Parameters
    ----------
    x : array of float32 or float64, shape (n,)
        The signal. Its ends are never peaks.
    height : float or None
        Least height of a peak.
    distance : float >= 1
        Least distance between two peaks, in samples. The higher stays; of equal ones the later.

    Returns
    -------
    peaks : ndarray of int64, shape (n_peaks,)
        Indices of the peaks, rising. Deaf to gain and offset if `height` is None.

    Raises
    ------
    ParameterError
        If `x` is not a non-empty vector, `height` is NaN or ``distance < 1``.
    """
    signal = as_vector(x, "x", keep_double=True)
    least = -math.inf if height is None else height
    if not isinstance(least, int | float | np.floating | np.integer) or least != least:
        raise ParameterError(f"height must be a number or None, not {height!r}.")
    if not isinstance(distance, int | float | np.floating | np.integer) or not 1 <= distance < 2**62:
        raise ParameterError(f"distance must be a number of at least 1, not {distance!r}.")
    peaks: NDArray[np.int64] = _local_maxima(signal, float(least))
    apart = math.ceil(distance)
    if apart == 1 or len(peaks) < 2:
        return peaks
    # stable: of equal peaks the last comes first. In numba a stable sort takes three seconds to compile
    thinned: NDArray[np.int64] = _thin_out(peaks, np.argsort(signal[peaks], kind="stable"), apart)
    return thinned


@warms
def _warm() -> None:
    for dtype in (np.float32, np.float64):
        find_peaks_simple(np.array([0, 1, 0, 1, 0], dtype), distance=2)
