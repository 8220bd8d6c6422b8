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
BLOCK = 8192
"""Samples compared before their peaks are listed: what was found of them stays in the first-level cache."""
ROUNDS = 2
"""How often half of the peaks are settled before the others are climbed. A third gained nothing that
could be measured."""
OPEN, KEPT, GONE = 0, 1, 2


@kernel
def _local_maxima(x: Floats, height: float) -> NDArray[np.int64]:
    n = x.shape[0]
    peaks = np.empty(n // 2 + 1, np.int64)
    is_peak = np.empty(min(n, BLOCK), np.int8)
    found = np.int64(0)
    level = 0
    for begin in range(0, n - 2, BLOCK):
        size = min(BLOCK, n - 2 - begin)
        before = x[begin : begin + size]
        here = x[begin + 1 : begin + 1 + size]
        behind = x[begin + 2 : begin + 2 + size]
        for i in range(size):  # slices from 0 on: their comparisons fill vector registers
            rises = (before[i] < here[i]) & (here[i] >= height)
            is_peak[i] = rises & (here[i] >= behind[i])
            level += rises & (here[i] == behind[i])
        for i in range(size):
            # no branch: whether a sample is a peak cannot be predicted, and a wrong guess costs twenty additions
            peaks[found] = begin + i + 1
            found += np.int64(is_peak[i])  # plain numpy would go on counting in bytes
    return _middles(x, peaks, found) if level else peaks[:found].copy()


@kernel
def _middles(x: Floats, peaks: NDArray[np.int64], found: np.int64) -> NDArray[np.int64]:
    """The middles of plateaus that begin at the first of `peaks`, without those that go on upwards or to the end."""
    n = x.shape[0]
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
def _spaced_maxima(x: Floats, height: float, distance: int) -> NDArray[np.int64]:
    """Keep each peak that none nearby is higher than, drop what is near it, and again with what is left.

    Each round settles half of the peaks of noise, without a branch. Of a long climb it settles but its top: so there
    are few rounds, and what they leave is climbed.
    """
    peaks = _local_maxima(x, height)
    is_kept = np.zeros(peaks.shape[0], np.int8)
    which = np.arange(peaks.shape[0])
    places, heights = peaks.copy(), x[peaks]
    for _ in range(ROUNDS):
        state = _settle(places, heights, distance)
        left = np.int64(0)
        for j in range(state.shape[0]):
            is_kept[which[j]] = state[j] == KEPT
            which[left], places[left], heights[left] = which[j], places[j], heights[j]
            left += np.int64(state[j] == OPEN)
        places, heights = places[:left], heights[:left]
    state = _climb(places, heights, distance)
    for j in range(state.shape[0]):
        is_kept[which[j]] = state[j] == KEPT
    return _chosen(peaks, is_kept)


@kernel
def _chosen(peaks: NDArray[np.int64], is_kept: NDArray[np.int8]) -> NDArray[np.int64]:
    chosen = np.empty(peaks.shape[0] + 1, np.int64)
    n = np.int64(0)
    for j in range(peaks.shape[0]):
        chosen[n] = peaks[j]
        n += np.int64(is_kept[j])
    return chosen[:n].copy()


@kernel
def _settle(peaks: NDArray[np.int64], heights: Floats, distance: int) -> NDArray[np.int8]:
    """Which peaks stay because none nearby is higher, which go because one of those is near, and which are open.

    Two peaks are two samples apart at least: there are few neighbours to ask.
    """
    n = peaks.shape[0]
    lower_than_later = np.zeros(n, np.int8)
    lower_than_former = np.zeros(n, np.int8)
    steps, near = 0, n
    while near and steps < min(n - 1, (distance - 1) // 2):
        steps += 1
        near = _compare(peaks, heights, steps, distance, lower_than_later, lower_than_former[steps:])
    keep = np.empty(n, np.int8)
    gone = np.zeros(n, np.int8)
    for j in range(n):
        keep[j] = (lower_than_later[j] | lower_than_former[j]) == 0
    for step in range(1, steps + 1):
        for j in range(n - step):
            gone[j] |= keep[j + step] & (peaks[j + step] - peaks[j] < distance)
        for j in range(n - step):
            gone[j + step] |= keep[j] & (peaks[j + step] - peaks[j] < distance)
    for j in range(n):
        gone[j] = KEPT * keep[j] | GONE * gone[j]
    return gone


@kernel
def _compare(
    peaks: NDArray[np.int64],
    heights: Floats,
    step: int,
    distance: int,
    lower_than_later: NDArray[np.int8],
    lower_than_former: NDArray[np.int8],
) -> int:
    """Mark the lower of each two peaks `step` apart in the list that are near each other; of equal ones the former."""
    near = 0
    later, above = peaks[step:], heights[step:]
    for j in range(later.shape[0]):
        is_near = later[j] - peaks[j] < distance
        near += is_near
        lower_than_later[j] |= is_near & (above[j] >= heights[j])
        lower_than_former[j] |= is_near & (above[j] < heights[j])
    return near


@kernel
def _climb(peaks: NDArray[np.int64], heights: Floats, distance: int) -> NDArray[np.int8]:
    """Keep each peak that no open one nearby is higher than; from any other, climb to that one first.

    The same peaks as from the highest down, without sorting: each is climbed to once at most, and looks at its
    neighbours twice at most.
    """
    n = peaks.shape[0]
    state = np.zeros(n, np.int8)
    climbed = np.empty(n + 1, np.int64)
    for start in range(n):
        depth = 0
        climbed[0] = start
        while depth >= 0:
            j = climbed[depth]
            if state[j] != OPEN:
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
                higher = heights[k] > heights[highest] or (heights[k] == heights[highest] and k > highest)
                if state[k] == OPEN and higher:
                    highest = k
            if highest == j:
                state[first : last + 1] = GONE
                state[j] = KEPT
                depth -= 1
            else:
                depth += 1
                climbed[depth] = highest
    return state


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
    apart = math.ceil(distance)
    peaks: NDArray[np.int64]
    if 1 < apart <= CLIMB:
        peaks = _spaced_maxima(signal, float(least), apart)
        return peaks
    peaks = _local_maxima(signal, float(least))
    if apart > 1:
        # stable: of equal peaks the last comes first. Not in compiled code: numba takes three seconds over such a sort
        peaks = _thin_out_by_rank(peaks, np.argsort(signal[peaks], kind="stable"), apart)
    return peaks


@warms
def _warm() -> None:
    for dtype in (np.float32, np.float64):
        for distance in (2, CLIMB + 1):
            find_peaks_simple(np.array([0, 1, 0, 1, 0], dtype), distance=distance)
