"""The mean of the last samples, at every sample (row K7)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workers.errors import ParameterError
from workers.kernels.arguments import Doubles, Floats, as_count, as_vector
from workers.kernels.compiled import REFUSED, closed, kernel, opened, warms

RESUM = 4096
"""Samples after which the running sum is taken afresh, so that rounding cannot pile up in a long signal."""


@kernel
def _all_finite(x: Floats) -> bool:
    broken = 0
    for i in range(x.shape[0]):
        broken += not math.isfinite(x[i])
    return broken == 0


@kernel
def _mean_of_finite(x: Floats, window: int, out: Doubles) -> None:
    n = x.shape[0]
    step = max(RESUM, window)
    share = 1.0 / window
    for begin in range(window - 1, n, step):
        end = min(n, begin + step)
        total = np.float64(0)
        for k in range(begin - window + 1, begin + 1):
            total += x[k]
        out[begin] = total * share
        i = begin + 1
        while i + 4 <= end:
            # four at a time: the sum waits for one addition in four samples, not for four
            one = np.float64(x[i]) - x[i - window]
            two = one + (np.float64(x[i + 1]) - x[i + 1 - window])
            pair = np.float64(x[i + 2]) - x[i + 2 - window]
            four = two + (pair + (np.float64(x[i + 3]) - x[i + 3 - window]))
            out[i] = (total + one) * share
            out[i + 1] = (total + two) * share
            out[i + 2] = (total + (two + pair)) * share
            total += four
            out[i + 3] = total * share
            i += 4
        for j in range(i, end):
            total += np.float64(x[j]) - x[j - window]
            out[j] = total * share


@kernel
def _mean_with_gaps(x: Floats, window: int, out: Doubles) -> None:
    whole = 0  # finite values in a row, up to the one looked at
    total = np.float64(0)
    for i in range(x.shape[0]):
        if not math.isfinite(x[i]):
            whole = 0
            continue
        whole += 1
        if whole == window or (whole > window and whole % RESUM == 0):
            total = np.float64(0)
            for k in range(i - window + 1, i + 1):
                total += x[k]
        elif whole > window:
            total += np.float64(x[i]) - x[i - window]
        if whole >= window:
            out[i] = total / window


@closed
@kernel
def _rolling_mean(x: Floats, window: int) -> Doubles:
    n = x.shape[0]
    if window < 1 or n == 0:
        return np.empty(0)
    out = np.empty(n)
    if _all_finite(x):
        out[: window - 1] = math.nan
        _mean_of_finite(x, window, out)
    else:
        out[:] = math.nan
        _mean_with_gaps(x, window, out)
    return out


def fast_rolling_mean(x: ArrayLike, window: int) -> NDArray[np.float64]:
    """Compute the mean of the last `window` values, at every value (row K7).

    ``out[i] = sum_(k = i - window + 1)^i x[k] / window``, as pandas' ``rolling(window).mean()``.

    Parameters
    ----------
    x : array of float32 or float64, shape (n,)
        The values.
    window : int >= 1
        How many values a mean is of.

    Returns
    -------
    mean : ndarray of float64, shape (n,)
        NaN where the window is not full (the first ``window - 1``, all if `window` is longer than `x`) or holds a NaN
        or an infinity. Later values change nothing before them.

    Raises
    ------
    ParameterError
        If `x` is not a non-empty vector, or ``window < 1``.
    """
    try:
        mean: Doubles = _rolling_mean(x, window)  # type: ignore[arg-type]
        known = type(window) is int and len(mean) > 0  # a float would have been cut to an int
    except REFUSED:
        known = False
    return mean if known else _rolling_mean_checked(x, window)


def _rolling_mean_checked(x: ArrayLike, window: int) -> NDArray[np.float64]:
    vector = as_vector(x, "x", keep_double=True)
    window = as_count(window, "window")
    if window > len(vector):
        return np.full(len(vector), math.nan)
    mean: Doubles = opened(_rolling_mean, vector, window)
    if len(mean) == 0:
        raise ParameterError("x and window do not fit.")
    return mean


@warms
def _warm() -> None:
    for dtype in (np.float32, np.float64):
        fast_rolling_mean(np.ones(2, dtype), 2)
