"""To half the rate: the quick way down from 44.1 kHz, and further down to where low notes are told apart."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from workers.errors import ParameterError
from workers.kernels.arguments import Float32, as_number, as_vector
from workers.kernels.compiled import kernel, warms
from workers.kernels.lanes import higher, highest, load, load_even, load_odd, magnitude, splat, store
from workers.kernels.vectors import LANES

BLOCK = 2048
"""Samples of the result made together."""

STOP_DB = 80.0
"""How far below what would fold over lies: under the noise of 13 bits."""

MOST_TAPS = 64
"""Most samples on either side that a filter takes, of every second one."""


class Halved(NamedTuple):
    """What `halve` returns."""

    y: Float32
    """At half the rate, (ceil(n_samples / 2),)."""
    peak: float
    """Its largest magnitude."""


@lru_cache(maxsize=8)
def half_band(width: float) -> Float32:
    """One side of a half-band filter's odd taps, nearest first; the middle one is 1/2 and all other even ones are 0.

    `width` is how far its transition reaches to either side of a quarter of the rate, as a share of the rate. A Kaiser
    window for `STOP_DB` (J. Kaiser, 1974).
    """
    taps = (STOP_DB - 7.95) / (2.285 * 2 * math.pi * 2 * width)
    count = min(MOST_TAPS, max(2, math.ceil((taps + 1) / 4)))
    at = 2 * np.arange(count) + 1.0
    beta = 0.1102 * (STOP_DB - 8.7)
    window = np.i0(beta * np.sqrt(1 - (at / (2 * count)) ** 2)) / np.i0(beta)
    side = np.sin(np.pi * at / 2) / (np.pi * at) * window
    return np.asarray(side * (0.25 / side.sum()), np.float32)


@kernel
def filter_pairs(even: Float32, odd: Float32, side: Float32, size: int, made: Float32) -> None:
    """`size` values from even samples and, from the filter's reach before them on, odd ones; up to 15 more are made."""
    reach = side.shape[0]
    for i in range(0, size, LANES):
        near = load(even, i) * np.float32(0.5)
        far = splat(np.float32(0))
        for j in range(0, reach - 1, 2):
            near += (load(odd, i + reach + j) + load(odd, i + reach - 1 - j)) * side[j]
            far += (load(odd, i + reach + j + 1) + load(odd, i + reach - 2 - j)) * side[j + 1]
        if reach % 2:
            near += (load(odd, i + 2 * reach - 1) + load(odd, i)) * side[reach - 1]
        store(made, i, near + far)


@kernel
def _halve(y: Float32, offset: float, side: Float32, out: Float32) -> float:
    n = y.shape[0]
    half = out.shape[0]
    reach = side.shape[0]
    less = np.float32(offset)
    odd = np.zeros(BLOCK + 2 * MOST_TAPS + LANES, np.float32)
    even = np.zeros(BLOCK + LANES, np.float32)
    made = np.empty(BLOCK + LANES, np.float32)
    top = splat(np.float32(0))
    for begin in range(0, half, BLOCK):
        size = min(BLOCK, half - begin)
        # odd[k] is y[2 (begin - reach + k) + 1]
        first = begin - reach
        wanted = size + 2 * reach
        k = max(0, -first)
        odd[:k] = 0
        while k + LANES <= wanted and 2 * (first + k + LANES) <= n:
            store(odd, k, load_odd(y, 2 * (first + k)) - less)
            k += LANES
        while k < wanted:
            at = 2 * (first + k) + 1
            odd[k] = y[at] - less if at < n else np.float32(0)
            k += 1
        k = 0
        while k + LANES <= size and 2 * (begin + k + LANES) <= n:
            store(even, k, load_even(y, 2 * (begin + k)) - less)
            k += LANES
        while k < size:
            even[k] = y[2 * (begin + k)] - less
            k += 1
        filter_pairs(even, odd, side, size, made)
        for i in range(size):
            out[begin + i] = made[i]
        for i in range(size, size + LANES):
            made[i] = 0
        for i in range(0, size, LANES):
            top = higher(top, magnitude(load(made, i)))
    return float(highest(top))


def halve(y: ArrayLike, *, offset: float = 0.0, width: float = 0.0225) -> Halved:
    """Take a signal to half its rate, through a linear-phase half-band filter.

    ``out[t] = x[2t] / 2 + sum_j h[j] (x[2t + 2j + 1] + x[2t - 2j - 1])`` with ``x = y - offset`` within the signal and
    0 outside it. What lies above a quarter of the rate and `width` would fold over, and is taken down by 80 dB.

    Parameters
    ----------
    y : array of float32, shape (n_samples,)
        The signal.
    offset : float
        Taken from every sample first.
    width : float, 0.01 to 0.2
        Half of the filter's transition, as a share of the rate.

    Returns
    -------
    halved : Halved
        The signal at half the rate, and its peak.

    Raises
    ------
    ParameterError
        If `y` is not a non-empty vector or a number is out of range.
    """
    signal: Float32 = as_vector(y, "y")
    width = as_number(width, "width", least=0.01)
    if width > 0.2:
        raise ParameterError(f"width must be at most 0.2, not {width:g}.")
    out = np.empty((len(signal) + 1) // 2, np.float32)
    peak = _halve(signal, as_number(offset, "offset"), half_band(width), out)
    return Halved(out, peak)


@kernel
def _center(y: Float32, offset: float, side: Float32, n: int) -> float:
    half = y.shape[0]
    less = np.float32(offset)
    reach = side.shape[0]
    edge = min(half, reach)
    for t in range(half):
        if t == edge:
            break
        y[t] -= less * _passed(side, t, n)
    for t in range(max(edge, half - reach), half):
        y[t] -= less * _passed(side, t, n)
    i = edge
    stop = max(edge, half - reach)
    while i + LANES <= stop:
        store(y, i, load(y, i) - less)
        i += LANES
    while i < stop:
        y[i] -= less
        i += 1
    top = splat(np.float32(0))
    i = 0
    while i + LANES <= half:
        top = higher(top, magnitude(load(y, i)))
        i += LANES
    peak = highest(top)
    while i < half:
        peak = max(peak, abs(y[i]))
        i += 1
    return float(peak)


@kernel
def _passed(side: Float32, t: int, n: int) -> float:
    """What the filter makes of ones within a signal of `n` samples, at value `t`."""
    passed: float = np.float32(0.5)  # type: ignore[assignment]
    for j in range(side.shape[0]):
        if 2 * t + 2 * j + 1 < n:
            passed += side[j]
        if 2 * t - 2 * j - 1 >= 0:
            passed += side[j]
    return passed


def center_halved(halved: Float32, n: int, offset: float, *, width: float = 0.0225) -> float:
    """Take from a halved signal, in place, what an offset of all its `n` samples made of it; return its peak.

    ``halve(y).y`` becomes ``halve(y, offset=offset).y``: for who learns the offset only after the signal has gone by.
    """
    return float(_center(halved, offset, half_band(width), n))


@warms
def _warm() -> None:
    center_halved(halve(np.ones(4, np.float32)).y, 4, 0.5)
