"""Each frequency that may be a sound's note, beside the octave and the twelfth around it: one row of numbers."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workers.errors import ParameterError
from workers.kernels.arguments import Doubles, Float32, as_array, as_doubles, as_number
from workers.kernels.compiled import kernel
from workers.kernels.harmonics import HIGHEST, Partials, _lowest_near, _matches
from workers.kernels.notes import _REFERENCE_HZ, _compare

COLUMNS = 19

_TOLERANCE, _OFF = 0.02, 0.015
_TWO = 1.5
"""Log2 of one more than the number of harmonics, from which on there are at least two."""


@kernel
def _weigh(
    hz: Float32,
    level: Float32,
    count: NDArray[np.int64],
    weight: Doubles,
    periods: Doubles,
    periodicity: Float32,
    f0: Doubles,
    sr: float,
) -> Doubles:
    n = f0.shape[0]
    near = np.empty(4 * n)
    lags = np.empty(2 * n)
    height = np.empty(n)
    farthest = 2.0 * periodicity.shape[1] + 2
    for c in range(n):
        near[c] = f0[c]
        near[n + c] = f0[c] / 2
        near[2 * n + c] = f0[c] / 3
        near[3 * n + c] = 2 * f0[c]
        lags[c] = min(sr / f0[c], farthest)
        lags[n + c] = min(sr / f0[c] / 2, farthest)
        height[c] = math.log2(f0[c] / _REFERENCE_HZ)
    curve = np.ones(periodicity.shape[1])
    for t in range(periodicity.shape[0]):
        for lag in range(curve.shape[0]):
            curve[lag] -= weight[t] * periodicity[t, lag]
    matches = _matches(hz, level, count, weight, near, _TOLERANCE, HIGHEST)
    lowest = _lowest_near(curve, lags, _OFF)
    company = _compare(hz, level, count, weight, periods, height)
    found = np.empty((n, COLUMNS))
    for c in range(n):
        for k in range(8):
            found[c, k] = matches[k, c]
        found[c, 8] = lowest[c]
        found[c, 9] = lowest[n + c]
        found[c, 10] = height[c]
        found[c, 11] = height[c] ** 2
        found[c, 12] = company[2, c]
        found[c, 13] = company[1, c]
        found[c, 14] = company[0, c]
        found[c, 15] = matches[0, n + c] - matches[0, c]
        found[c, 16] = matches[0, 2 * n + c] - matches[0, c]
        found[c, 17] = matches[0, c] - matches[0, 3 * n + c]
        found[c, 18] = matches[1, c] if matches[7, c] > _TWO else 0.0
    return found


def weigh_candidates(
    partials: Partials, weight: ArrayLike, periods: ArrayLike, periodicity: ArrayLike, f0: ArrayLike, sr: float
) -> Doubles:
    """Measure everything that speaks for and against each fundamental, in one call.

    The same as `match_harmonics` of each fundamental, of half, a third and twice it, `lowest_near` of its period and
    half of that, and `compare_candidates`.

    Parameters
    ----------
    partials : Partials
        As `workers.kernels.harmonics.strongest_partials` returns them.
    weight, periods : array of float64, shape (n_windows,)
        How much each window counts, summing to 1, and its period in Hz, 0 where it has none.
    periodicity : array of float32, shape (n_windows, n_lags)
        As `workers.kernels.harmonics.windowed_periodicity` returns it.
    f0 : array of float64, shape (n_f0,)
        Fundamentals, in Hz, greater than 0.
    sr : float > 0
        Lags a second.

    Returns
    -------
    rows : ndarray of float64, shape (n_f0, COLUMNS)
        The eight `Matches`; how unlike itself the sound is one period later, and half a period; octaves above 220 Hz,
        and their square; agreement, lowest and strongest of `Company`; what the octave and the twelfth below explain
        more, and what the octave above explains less; what is filled, where there are two harmonics or more.

    Raises
    ------
    ParameterError
        If the numbers of windows differ, or an f0 is not a number above 0.
    """
    hz, level = as_array(partials.hz, "hz", 2), as_array(partials.level, "level", 2)
    rows = as_array(periodicity, "periodicity", 2)
    w, p, fundamentals = as_doubles(weight, "weight"), as_doubles(periods, "periods"), as_doubles(f0, "f0")
    if hz.shape != level.shape or not len(hz) == len(partials.number) == len(w) == len(p) == len(rows):
        raise ParameterError(
            f"Partials of {len(hz)} windows, but {len(w)} weights, {len(p)} periods, {len(rows)} rows."
        )
    if not (np.isfinite(fundamentals) & (fundamentals > 0)).all():
        raise ParameterError("Each f0 must be a number above 0.")
    number = np.minimum(partials.number, hz.shape[1])
    return _weigh(hz, level, number, w, p, rows, fundamentals, as_number(sr, "sr", above=0.0))
