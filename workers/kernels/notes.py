"""Small questions about a note's partials and periods, asked of each of a few windows."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workers.errors import ParameterError
from workers.kernels.arguments import Doubles, Float32, as_array, as_count, as_doubles, as_number, as_vector
from workers.kernels.compiled import kernel, warms
from workers.kernels.harmonics import Partials

_REFERENCE_HZ = 220.0
_NEARLY = 0.9
"""A period this part as high as the highest is the one that is heard, if it is shorter."""

_STRONG = 0.25
"""Level against the strongest partial's from which on a partial may be the lowest."""

_SAME_PARTIAL, _SAME_PERIOD = 0.042, 0.05
"""Octaves within which two are the same."""


class Company(NamedTuple):
    """What `compare_candidates` returns; one element for each candidate."""

    strongest: Doubles
    """Weight of the windows whose strongest partial it is."""
    lowest: Doubles
    """Octaves between it and the lowest strong partial, a weighted mean over windows, without its sign."""
    agreement: Doubles
    """Weight of the windows whose period it is."""


@kernel
def _loud_part(y: Float32, step: int, quiet: float) -> tuple[int, int]:
    steps = y.shape[0] // step
    power = np.zeros(steps, np.float32)
    top = np.float32(0)
    for s in range(steps):
        block = y[s * step : (s + 1) * step]
        added = np.float32(0)
        for i in range(step):
            added += block[i] * block[i]
        power[s] = added
        top = max(top, added)
    first = 0
    last = steps - 1
    least = np.float32(quiet) * top
    while first < steps and not power[first] > least:
        first += 1
    while last >= 0 and not power[last] > least:
        last -= 1
    return (first * step, (last + 1) * step) if first < steps else (0, y.shape[0])


def loud_part(y: ArrayLike, step: int, *, quiet: float = 0.01) -> tuple[int, int]:
    """Find from where to where a signal is loud.

    From the first to the last `step` samples whose energy is more than `quiet` times that of the loudest; all of it
    where there are none.

    Parameters
    ----------
    y : array of float32, shape (n_samples,)
        The signal.
    step : int >= 1
        Samples looked at together.
    quiet : float, 0 to 1
        A part of the loudest step's energy.

    Returns
    -------
    first, end : int
        Index of the first sample, and that behind the last.

    Raises
    ------
    ParameterError
        If `y` is not a non-empty vector or a number is out of range.
    """
    signal: Float32 = as_vector(y, "y")
    return _loud_part(signal, as_count(step, "step"), as_number(quiet, "quiet", least=0.0))


@kernel
def _periods(rows: Float32, first: int, sr: float) -> Doubles:
    found = np.zeros(rows.shape[0])
    for t in range(rows.shape[0]):
        r = rows[t]
        last = r.shape[0] - 1
        top = np.float32(0)
        for k in range(first, last):
            if r[k] >= r[k - 1] and r[k] > r[k + 1]:
                top = max(top, r[k])
        if not top > 0:
            continue
        k = first
        while not (r[k] >= r[k - 1] and r[k] > r[k + 1] and r[k] > np.float32(_NEARLY) * top):
            k += 1
        a = np.float64(r[k - 1])
        c = np.float64(r[k + 1])
        bend = a - 2 * np.float64(r[k]) + c
        shift = min(0.5, max(-0.5, 0.5 * (a - c) / bend)) if bend < 0 else 0.0
        found[t] = sr / (k + shift)
    return found


def shortest_periods(periodicity: ArrayLike, sr: float, *, first: int = 4) -> Doubles:
    """Find the shortest period at which each window all but repeats.

    The first local maximum, from lag `first` on, that is higher than nine tenths of the highest, a parabola through
    three values giving its place.

    Parameters
    ----------
    periodicity : array of float32, shape (n_windows, n_lags)
        As `workers.kernels.harmonics.windowed_periodicity` has it.
    sr : float > 0
        Lags a second.
    first : int >= 1
        The shortest lag that is looked at.

    Returns
    -------
    hz : ndarray of float64, shape (n_windows,)
        0 where no maximum lies above 0.

    Raises
    ------
    ParameterError
        If `periodicity` is not a non-empty matrix or a number is out of range.
    """
    rows: Float32 = as_array(periodicity, "periodicity", 2)
    return _periods(rows, as_count(first, "first"), as_number(sr, "sr", above=0.0))


@kernel
def _compare(
    hz: Float32, level: Float32, count: NDArray[np.int64], weight: Doubles, periods: Doubles, height: Doubles
) -> Doubles:
    found = np.zeros((3, height.shape[0]))
    for t in range(hz.shape[0]):
        if count[t]:
            first = math.log2(hz[t, 0] / np.float32(_REFERENCE_HZ))
            least = hz[t, 0]
            for i in range(count[t]):
                if level[t, i] > np.float32(_STRONG) * level[t, 0]:
                    least = min(least, hz[t, i])
            low = math.log2(np.float64(least) / _REFERENCE_HZ)
            for c in range(height.shape[0]):
                found[0, c] += weight[t] * (abs(height[c] - first) < _SAME_PARTIAL)
                found[1, c] += weight[t] * min(3.0, max(-2.0, low - height[c]))
        if periods[t] > 0:
            period = math.log2(periods[t] / _REFERENCE_HZ)
            for c in range(height.shape[0]):
                found[2, c] += weight[t] * (abs(height[c] - period) < _SAME_PERIOD)
    for c in range(height.shape[0]):
        found[1, c] = abs(found[1, c])
    return found


def compare_candidates(partials: Partials, weight: ArrayLike, periods: ArrayLike, height: ArrayLike) -> Company:
    """Compare fundamentals with each window's strongest and lowest partial and with its period.

    Octaves ``o`` above 220 Hz: ``strongest = sum_t w_t [|o - o_t1| < 0.042]``, ``agreement = sum_t w_t
    [|o - o_period| < 0.05]``, ``lowest = |sum_t w_t clip(o_low - o, -2, 3)|``, where the lowest partial is one of at
    least a quarter of the strongest's level.

    Parameters
    ----------
    partials : Partials
        As `workers.kernels.harmonics.strongest_partials` returns them.
    weight, periods : array of float64, shape (n_windows,)
        How much each window counts, and its period in Hz, 0 where it has none.
    height : array of float64, shape (n_candidates,)
        Octaves above 220 Hz.

    Returns
    -------
    company : Company

    Raises
    ------
    ParameterError
        If the numbers of windows differ.
    """
    hz, level, number = _checked(partials)
    w, p, o = as_doubles(weight, "weight"), as_doubles(periods, "periods"), as_doubles(height, "height")
    if not len(hz) == len(w) == len(p):
        raise ParameterError(f"Partials of {len(hz)} windows, but weights of {w.shape} and periods of {p.shape}.")
    return Company(*_compare(hz, level, number, w, p, o))


@kernel
def _agreed(hz: Float32, level: Float32, count: NDArray[np.int64], weight: Doubles, f0: float, highest: int) -> float:
    total = 0.0
    sums = 0.0
    base = np.float32(f0)
    for t in range(hz.shape[0]):
        for i in range(count[t]):
            h = max(np.float32(1), np.float32(np.rint(hz[t, i] / base)))
            off = hz[t, i] / (h * base) - np.float32(1)
            if h <= highest and abs(off) < min(np.float32(0.03), np.float32(0.25) / h):
                counts = weight[t] * np.float64(level[t, i] * level[t, i]) / math.sqrt(h)
                total += counts
                sums += counts * off
    return f0 * (1 + sums / total) if total > 0 else f0


def agreed_fundamental(partials: Partials, weight: ArrayLike, f0: float, *, highest: int = 8) -> float:
    """Find the fundamental that a note's first harmonics agree on.

    ``f0 (1 + sum w d / sum w)`` over partials ``f`` with ``h = round(f / f0) <= highest`` and
    ``d = f / (h f0) - 1``, ``|d| < min(0.03, 1 / 4h)``, each weighing ``w_t level^2 / sqrt(h)``.

    Parameters
    ----------
    partials : Partials
        As `workers.kernels.harmonics.strongest_partials` returns them.
    weight : array of float64, shape (n_windows,)
        How much each window counts.
    f0 : float > 0
        Where it is expected, in Hz.
    highest : int >= 1
        The last harmonic that is asked.

    Returns
    -------
    hz : float
        `f0` where none answers.

    Raises
    ------
    ParameterError
        If the numbers of windows differ or a number is out of range.
    """
    hz, level, number = _checked(partials)
    w = as_doubles(weight, "weight")
    if len(w) != len(hz):
        raise ParameterError(f"Partials of {len(hz)} windows, but weights of shape {w.shape}.")
    return _agreed(hz, level, number, w, as_number(f0, "f0", above=0.0), as_count(highest, "highest"))


def _checked(partials: Partials) -> tuple[Float32, Float32, NDArray[np.int64]]:
    hz, level = as_array(partials.hz, "hz", 2), as_array(partials.level, "level", 2)
    if hz.shape != level.shape or partials.number.shape != (len(hz),):
        raise ParameterError(f"Levels of shape {level.shape} for partials of shape {hz.shape}.")
    return hz, level, np.minimum(partials.number, hz.shape[1])


@warms
def _warm() -> None:
    one = np.ones((1, 8), np.float32)
    partials = Partials(one, one, np.ones(1, np.int64), one[0, :1])
    agreed_fundamental(partials, np.ones(1), 1.0)
