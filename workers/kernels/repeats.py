"""At which distances a curve repeats."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workers.errors import ParameterError
from workers.kernels.arguments import Doubles, Float32, as_array, as_count, as_doubles, as_number, as_vector
from workers.kernels.compiled import kernel, warms
from workers.kernels.lanes import load, store
from workers.kernels.transform import passes, plain_plan
from workers.kernels.vectors import LANES


@kernel
def _correlate(rows: Doubles, first: int, twiddles: Float32, order: NDArray[np.int64], kept: int, out: Doubles) -> None:
    """Sixteen rows at once, one a lane; `order` is as long as the transform."""
    n = rows.shape[1]
    size = order.shape[0]
    here = min(LANES, rows.shape[0] - first)
    re = np.zeros(size * LANES, np.float32)
    im = np.zeros(size * LANES, np.float32)
    for lane in range(here):
        row = rows[first + lane]
        mean = row.sum() / n
        largest = 1e-30
        for t in range(n):
            largest = max(largest, abs(row[t] - mean))
        for t in range(n):
            re[t * LANES + lane] = np.float32((row[t] - mean) / largest)
    passes(re, im, size, twiddles)
    power = np.empty(size * LANES, np.float32)
    for k in range(size):
        a = load(re, order[k])
        b = load(im, order[k])
        store(power, k * LANES, a * a + b * b)
    im[:] = 0
    passes(power, im, size, twiddles)
    for lane in range(here):
        whole = max(np.float64(power[order[0] + lane]), 1e-12)
        for lag in range(kept):
            out[first + lane, lag] = np.float64(power[order[lag] + lane]) / whole * n / (n - lag)
        if power[order[0] + lane] <= 0:
            out[first + lane, :kept] = 0


def autocorrelation(rows: ArrayLike, n_lags: int, *, overlap: float = 0.2) -> Doubles:
    """Compute the autocorrelation of curves, each lag divided by what overlaps.

    ``r[l] = (n / (n - l)) sum_t e[t] e[t + l] / sum_t e[t]^2`` with ``e`` the curve less its mean [1]_.

    Parameters
    ----------
    rows : array of float64, shape (n_rows, n_frames)
        The curves.
    n_lags : int >= 1
        Lags computed, from 0.
    overlap : float, 0 < overlap <= 1
        Lags with less in common, as a share of the curve, are 0: chance decides there.

    Returns
    -------
    r : ndarray of float64, shape (n_rows, n_lags)
        1 at lag 0, to 1e-5; all 0 for what is constant. Deaf to gain and offset.

    Raises
    ------
    ParameterError
        If `rows` is not a non-empty matrix, or a number is out of range.

    References
    ----------
    .. [1] P. Boersma, "Accurate short-term analysis of the fundamental frequency", IFA Proceedings 17, 1993.
    """
    curves = as_array(rows, "rows", 2, keep_double=True).astype(np.float64, copy=False)
    n_lags = as_count(n_lags, "n_lags")
    overlap = as_number(overlap, "overlap", above=0.0)
    if overlap > 1:
        raise ParameterError(f"overlap must be at most 1, not {overlap:g}.")
    n = curves.shape[1]
    kept = min(n_lags, int((1 - overlap) * n) + 1, n)
    twiddles, order = plain_plan(max(16, 1 << (n + kept - 1).bit_length()))
    out = np.zeros((len(curves), n_lags))
    for first in range(0, len(curves), LANES):
        _correlate(curves, first, twiddles, order, kept, out)
    return out


@kernel
def _comb(r: Doubles, lags: Doubles, beats: Doubles, gains: Doubles) -> Doubles:
    last = r.shape[0] - 1
    strength = np.zeros(lags.shape[0])
    for i in range(lags.shape[0]):
        for k in range(beats.shape[0]):
            lag = lags[i] * beats[k]
            at = np.int64(min(lag, np.float64(last)))
            here = r[at] if at == last else r[at] + (lag - at) * (r[at + 1] - r[at])
            strength[i] += gains[k] * here
    return strength


def comb_strength(r: ArrayLike, lags: ArrayLike, beats: ArrayLike, gains: ArrayLike) -> Doubles:
    """Measure how well each period, and multiples of it, repeat.

    ``sum_k gains[k] r(beats[k] lag)``, with `r` linear between its lags and its last value beyond the end.

    Parameters
    ----------
    r : array of float64, shape (n_lags,)
        An autocorrelation.
    lags : array of float64, shape (n_periods,), not negative
        Periods, in steps of `r`.
    beats, gains : array of float64, shape (n_teeth,)
        Multiples looked at, not negative, and what each counts.

    Returns
    -------
    strength : ndarray of float64, shape (n_periods,)

    Raises
    ------
    ParameterError
        If one is no vector, or a period is negative or no number.
    """
    curve = as_vector(r, "r", keep_double=True).astype(np.float64, copy=False)
    x, teeth, weight = as_doubles(lags, "lags"), as_doubles(beats, "beats"), as_doubles(gains, "gains")
    if not (x >= 0).all() or len(teeth) != len(weight):
        raise ParameterError("lags must not be negative, beats and gains of one length.")
    strength: Doubles = _comb(curve, x, teeth, weight)
    return strength


@warms
def _warm() -> None:
    comb_strength(autocorrelation(np.eye(2, 8), 4)[0], np.ones(1), np.ones(1), np.ones(1))
