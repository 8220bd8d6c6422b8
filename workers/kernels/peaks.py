"""Local maxima (row K9)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workers.errors import ParameterError
from workers.kernels.arguments import Floats, as_vector
from workers.kernels.compiled import kernel, warms

NUMBERS = (float, int, np.floating, np.integer)
CLIMB = 64
"""Up to this distance few peaks are near each other, and climbing costs less than sorting them all."""


@kernel
def _local_maxima(x: Floats, height: float) -> NDArray[np.int64]:
    n = x.shape[0]
    peaks = np.empty(n // 2 + 1, np.int64)
    if n < 3:
        return peaks[:0]
    before = x[: n - 2]
    here = x[1 : n - 1]
    behind = x[2:]
    is_peak = np.empty(n - 2, np.int8)
    for i in range(n - 2):  # slices from 0 on: their comparisons fill vector registers
        is_peak[i] = (before[i] < here[i]) & (here[i] >= behind[i]) & (here[i] >= height)
    found = np.int64(0)
    for i in range(n - 2):
        # no branch: whether a sample is a peak cannot be predicted, and a wrong guess costs twenty additions
        peaks[found] = i + 1
        found += np.int64(is_peak[i])  # plain numpy would go on counting in bytes
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
def _thin_out_by_climbing(heights: Floats, peaks: NDArray[np.int64], distance: int) -> NDArray[np.int64]:
    """Keep each peak that no open one nearby is higher than; from any other, climb to that one first.

    The same peaks as from the highest down, without sorting: each is climbed to once at most, and looks at its
    neighbours twice at most.
    """
    n = peaks.shape[0]
    is_open = np.ones(n, np.bool_)
    keep = np.zeros(n, np.bool_)
    climbed = np.empty(n, np.int64)
    for start in range(n):
        depth = 0
        climbed[0] = start
        while depth >= 0:
            j = climbed[depth]
            if not is_open[j]:
                depth -= 1
                continue
            first = j
            while first > 0 and peaks[j] - peaks[first - 1] < distance:
                first -= 1
            last = j
            while last + 1 < n and peaks[last + 1] - peaks[j] < distance:
                last += 1
            highest = j
            for k in range(first, last + 1):
                if is_open[k] and (heights[k] > heights[highest] or (heights[k] == heights[highest] and k > highest)):
                    highest = k
            if highest == j:
                is_open[first : last + 1] = False
                keep[j] = True
                depth -= 1
            else:
                depth += 1
                climbed[depth] = highest
    return peaks[keep]


@kernel
def _thin_out_by_rank(peaks: NDArray[np.int64], order: NDArray[np.int64], distance: int) -> NDArray[np.int64]:
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


def _thin_out(heights: Floats, peaks: NDArray[np.int64], distance: int) -> NDArray[np.int64]:
    if distance <= CLIMB:
        thinned: NDArray[np.int64] = _thin_out_by_climbing(heights, peaks, distance)
        return thinned
    # stable: of equal peaks the last comes first. Not in compiled code: numba takes three seconds over a stable sort
    ranked: NDArray[np.int64] = _thin_out_by_rank(peaks, np.argsort(heights, kind="stable"), distance)
    return ranked


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
    if not isinstance(least, NUMBERS) or least != least:
        raise ParameterError(f"height must be a number or None, not {height!r}.")
    if not isinstance(distance, NUMBERS) or not 1 <= distance < 2**62:
        raise ParameterError(f"distance must be a number of at least 1, not {distance!r}.")
    peaks: NDArray[np.int64] = _local_maxima(signal, float(least))
    apart = math.ceil(distance)
    if apart == 1 or len(peaks) < 2:
        return peaks
    return _thin_out(signal[peaks], peaks, apart)


def _by_height(heights: Floats) -> NDArray[np.int64]:
    """Peaks from the lowest to the highest, equal ones from the first to the last.

    numpy's unstable sort is ten times faster and right as long as no two are equal. Not in compiled code: a sort takes
    numba three seconds.
    """
    order = np.argsort(heights)
    ranked = heights[order]
    return np.argsort(heights, kind="stable") if (ranked[1:] == ranked[:-1]).any() else order


@warms
def _warm() -> None:
    for dtype in (np.float32, np.float64):
        for distance in (2, CLIMB + 1):
            find_peaks_simple(np.array([0, 1, 0, 1, 0], dtype), distance=distance)
