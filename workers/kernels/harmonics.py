"""Which note a sound has: how it repeats, its strongest partials, and how well they are harmonics of a note."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workers.errors import ParameterError
from workers.kernels.arguments import Doubles, Float32, as_array, as_count, as_doubles, as_indices, as_number, as_vector
from workers.kernels.compiled import kernel, warms
from workers.kernels.strands import LEAST, SQUARE, first_real_bins, power_across, strand_plan, transform_strands

HIGHEST = 60
"""Harmonics above it are not told apart."""

STRONG, PRESENT = 0.18, 0.1
"""Levels, as `Partials` has them, from which on a partial is the last one that counts, or is there at all."""

PARTIALS, SERIES, CANDIDATES = 6, 6, 20
"""Partials of a window, and harmonics that each is taken for, when fundamentals are looked for; how many are kept."""

_LEAST_OVERLAP = 0.05
FLOOR = 1e-6


class Windows(NamedTuple):
    """What `windowed_periodicity` returns; a row for each window."""

    power: Float32
    """(n_windows, n_fft / 2 + 1)."""
    periodicity: Float32
    """(n_windows, n_lags): 1 at lag 0 and at the period of what repeats exactly; 0 for silence."""


class Partials(NamedTuple):
    """What `strongest_partials` returns; a row for each window, its strongest partial first."""

    hz: Float32
    """(n_windows, most), 0 behind the last."""
    level: Float32
    """Likewise: square root of the amplitude, the window's highest bin being 1."""
    number: NDArray[np.int64]
    """Partials found, by window."""
    share: Float32
    """Part of the power that lies within two bins of a partial, by window."""


class Matches(NamedTuple):
    """What `match_harmonics` returns; one element for each f0, a weighted mean over windows."""

    explained: Doubles
    """Part of the levels that lies on harmonics, 0 to 1."""
    filled: Doubles
    """Part of the harmonics, up to the last strong one, that are there."""
    odd: Doubles
    """Part of what is explained that lies on harmonics 1, 3, 5 and so on: small if f0 is an octave too low."""
    not_third: Doubles
    """Likewise all but 3, 6, 9: small if f0 is a twelfth too low."""
    first: Doubles
    """Level of the fundamental."""
    second: Doubles
    last: Doubles
    """Log2 of one more than the number of the last strong harmonic."""
    present: Doubles
    """Log2 of one more than the count of harmonics that are there."""


@kernel
def _autocorrelate(x: Float32, r: Float32, rows: Float32, *plan: NDArray[Any]) -> None:
    """The first lags of the circular autocorrelation of `x`, into `r`; its power takes the place of `x`.

    Of power, which is even, the forward transform is the backward one. `rows` is what is worked in, (4, room).
    """
    transform_strands(x, rows[0], rows[1], rows[2], rows[3], *plan)
    power_across(rows[2], rows[3], rows[0], rows[1], x, *plan)
    transform_strands(x, rows[0], rows[1], rows[2], rows[3], *plan)
    first_real_bins(rows[2], rows[3], r, *plan)


@kernel
def _own_periodicity(window: Float32, n_fft: int, n_lags: int, least: float, *plan: NDArray[Any]) -> Float32:
    x = np.zeros(n_fft, np.float32)
    x[: window.shape[0]] = window
    own = np.empty(n_lags, np.float32)
    _autocorrelate(x, own, np.empty((4, n_fft // 2 + SQUARE), np.float32), *plan)
    whole = own[0]
    for lag in range(n_lags):
        own[lag] = max(own[lag] / whole, least) if whole > 0 else 1.0
    return own


@kernel
def _periodicity(
    y: Float32, starts: NDArray[np.int64], window: Float32, own: Float32, n_fft: int, *plan: NDArray[Any]
) -> tuple[Float32, Float32]:
    n_windows = starts.shape[0]
    length = window.shape[0]
    n_bins = n_fft // 2 + 1
    power = np.empty((n_windows, n_bins), np.float32)
    periodicity = np.zeros((n_windows, own.shape[0]), np.float32)
    x = np.empty(n_fft, np.float32)
    rows = np.empty((4, n_fft // 2 + SQUARE), np.float32)
    r = np.empty(own.shape[0], np.float32)
    for t in range(n_windows):
        part = y[starts[t] : starts[t] + length]
        for k in range(length):
            x[k] = part[k] * window[k]
        x[length:] = 0
        _autocorrelate(x, r, rows, *plan)
        power[t] = x[:n_bins]
        if r[0] > 0:
            for lag in range(own.shape[0]):
                periodicity[t, lag] = r[lag] / r[0] / own[lag]
    return power, periodicity


def own_periodicity(window: ArrayLike, *, n_fft: int, n_lags: int) -> Float32:
    """The window's own part in what is alike, ``max(a_w[l] / a_w[0], 0.05)``, (n_lags,).

    It takes as long as a window of sound: who uses a window often keeps it. Raises ParameterError as
    `windowed_periodicity`.
    """
    shape = _checked_window(window, n_fft, n_lags)
    own: Float32 = _own_periodicity(shape, n_fft, n_lags, _LEAST_OVERLAP, *strand_plan(n_fft))
    return own


def _checked_window(window: ArrayLike, n_fft: int, n_lags: int) -> Float32:
    shape: Float32 = as_vector(window, "window")
    n_fft, n_lags = as_count(n_fft, "n_fft", least=LEAST), as_count(n_lags, "n_lags")
    if n_fft & (n_fft - 1) or len(shape) > n_fft or n_lags > n_fft // 2:
        raise ParameterError(f"{n_fft} is no power of two that holds a window of {len(shape)} and {n_lags} lags.")
    return shape


def windowed_periodicity(
    y: ArrayLike, starts: ArrayLike, window: ArrayLike, *, n_fft: int, n_lags: int, own: Float32 | None = None
) -> Windows:
    """Compute power spectra and, from them, how much the sound is like itself some samples later.

    ``r[t, l] = (a_x[l] / a_x[0]) / max(a_w[l] / a_w[0], 0.05)``, the circular autocorrelations of the windowed sound
    and of the window, by FFT [1]_.

    Parameters
    ----------
    y : array of float32, shape (n_samples,)
    starts : array of int, shape (n_windows,)
        First sample of each window.
    window : array of float32, shape (length,)
        What the sound is multiplied by; ``length <= n_fft``.
    n_fft : int
        Samples of the transform, a power of two of at least `workers.kernels.strands.LEAST`.
    n_lags : int
        Lags returned, from 0 on; at most ``n_fft / 2``.
    own : ndarray of float32, shape (n_lags,), or None
        What `own_periodicity` makes of the window, if it is at hand.

    Returns
    -------
    windows : Windows
        Its periodicity is deaf to gain.

    Raises
    ------
    ParameterError
        If a window does not lie within the signal, `n_fft` is no power of two or shorter than it, or there are too
        many lags.

    References
    ----------
    .. [1] P. Boersma, "Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a
       sampled sound", IFA Proceedings 17, 1993.
    """
    signal, shape = as_vector(y, "y"), _checked_window(window, n_fft, n_lags)
    at = as_indices(starts, "starts")
    told = at.tolist()  # a handful: asking an array for its least takes longer
    if not told or min(told) < 0 or max(told) + len(shape) > len(signal):
        raise ParameterError(f"A window of {len(shape)} samples does not lie within {len(signal)}.")
    own = own_periodicity(shape, n_fft=n_fft, n_lags=n_lags) if own is None else as_vector(own, "own")
    if len(own) != n_lags:
        raise ParameterError(f"own has {len(own)} lags, not {n_lags}.")
    return Windows(*_periodicity(signal, at, shape, own, n_fft, *strand_plan(n_fft)))


@kernel
def _insert(found: NDArray[np.int64], heights: Float32, n: int, most: int, f: int, height: float) -> int:
    """Put `f` among the `n` highest so far, of equal ones behind; how many there are then, at most `most`."""
    if n == most and not height > heights[n - 1]:
        return n
    i = n
    while i > 0 and height > heights[i - 1]:
        heights[i] = heights[i - 1]
        found[i] = found[i - 1]
        i -= 1
    heights[i] = height
    found[i] = f
    return min(n + 1, most)


@kernel
def _partials(
    power: Float32, low: int, high: int, bin_hz: float, most: int, floor: float
) -> tuple[Float32, Float32, NDArray[np.int64], Float32]:
    n_windows = power.shape[0]
    hz = np.zeros((n_windows, most), np.float32)
    level = np.zeros((n_windows, most), np.float32)
    count = np.zeros(n_windows, np.int64)
    share = np.zeros(n_windows, np.float32)
    found = np.empty(most + 1, np.int64)
    heights = np.empty(most + 1, np.float32)
    for t in range(n_windows):
        row = power[t]
        top = np.float32(0)
        whole = 0.0
        for f in range(low, high):
            top = max(top, row[f])
            whole += row[f]
        if not top > 0:
            continue
        n = 0
        for f in range(low, high):
            b = row[f]
            if b > floor * top and b > row[f - 1] and b >= row[f + 1] and b > row[f - 2] and b > row[f + 2]:
                n = _insert(found, heights, n, most, f, b)
        count[t] = n
        near = 0.0
        for i in range(count[t]):
            f = found[i]
            left = math.log(row[f - 1] + 1e-30)
            middle = math.log(row[f] + 1e-30)
            right = math.log(row[f + 1] + 1e-30)
            bend = left - 2 * middle + right
            shift = 0.0 if bend >= 0 else min(0.5, max(-0.5, 0.5 * (left - right) / bend))
            hz[t, i] = (f + shift) * bin_hz
            level[t, i] = math.sqrt(math.sqrt(row[f] / top))
            near += row[f - 2] + row[f - 1] + row[f] + row[f + 1] + row[f + 2]
        share[t] = min(1.0, near / whole)
    return hz, level, count, share


def strongest_partials(
    power: ArrayLike, bin_hz: float, *, most: int = 40, fmin: float = 24.0, fmax: float = 9000.0
) -> Partials:
    """Find the strongest peaks of power spectra, a parabola through three logarithms giving their frequency.

    A bin is one where it is higher than the two bins on either side and than a millionth of the highest.

    Parameters
    ----------
    power : array of float32, shape (n_windows, n_bins)
        Power spectra, a row each.
    bin_hz : float > 0
        Distance between two bins, in Hz.
    most : int
        Peaks kept of each.
    fmin, fmax : float
        Lowest and highest frequency looked at, in Hz.

    Returns
    -------
    partials : Partials
        Deaf to gain.

    Raises
    ------
    ParameterError
        If `power` is not a non-empty matrix, or no bin has two neighbours between `fmin` and `fmax`.
    """
    rows = as_array(power, "power", 2)
    bin_hz = as_number(bin_hz, "bin_hz", above=0.0)
    low = max(2, int(as_number(fmin, "fmin", least=0.0) / bin_hz))
    high = min(rows.shape[1] - 2, int(as_number(fmax, "fmax", above=0.0) / bin_hz))
    if high <= low:
        raise ParameterError(f"No bin of {bin_hz:g} Hz with two neighbours lies between {fmin:g} and {fmax:g} Hz.")
    return Partials(*_partials(rows, low, high, bin_hz, as_count(most, "most"), FLOOR))


@kernel
def _matches(
    hz: Float32, level: Float32, count: NDArray[np.int64], weight: Doubles, f0: Doubles, tolerance: float, highest: int
) -> Doubles:
    found = np.zeros((8, f0.shape[0]))
    at = np.zeros(highest + 1)
    octaves = np.empty(highest + 1)
    near = np.empty(highest + 1)
    for h in range(highest + 1):
        octaves[h] = math.log2(1.0 + h)
        near[h] = min(tolerance, 0.25 / max(1, h))
    for c in range(f0.shape[0]):
        for t in range(hz.shape[0]):
            if count[t] == 0:
                continue
            whole = 0.0
            top = 1
            for i in range(count[t]):
                whole += level[t, i]
                h = int(hz[t, i] / f0[c] + 0.5)
                if h < 1 or h > highest:
                    continue
                off = abs(hz[t, i] / (h * f0[c]) - 1) / near[h]
                if off < 2:
                    at[h] = max(at[h], level[t, i] * min(1.0, 2 - off))
                    top = max(top, h)
            last = 1
            explained = 0.0
            for h in range(1, top + 1):
                explained += at[h]
                if at[h] > STRONG:
                    last = h
            present = 0
            odd = not_third = 0.0
            for h in range(1, last + 1):
                if at[h] > PRESENT:
                    present += 1
                if h % 2 == 1:
                    odd += at[h]
                if h % 3 != 0:
                    not_third += at[h]
            known = max(explained, 1e-9)
            found[0, c] += weight[t] * min(1.0, explained / max(whole, 1e-9))
            found[1, c] += weight[t] * present / last
            found[2, c] += weight[t] * odd / known
            found[3, c] += weight[t] * not_third / known
            found[4, c] += weight[t] * at[1]
            found[5, c] += weight[t] * at[2]
            found[6, c] += weight[t] * octaves[last]
            found[7, c] += weight[t] * octaves[present]
            at[: top + 1] = 0
    return found


def match_harmonics(partials: Partials, weight: ArrayLike, f0: ArrayLike, *, tolerance: float = 0.02) -> Matches:
    """Measure how well partials are the harmonics of each of some fundamentals.

    A partial at ``f`` belongs to harmonic ``h = round(f / f0)``, fully if ``|f / (h f0) - 1| < min(tolerance, 1 / 4h)``
    and not at all from twice that on; of two, the stronger speaks for the harmonic [1]_.

    Parameters
    ----------
    partials : Partials
        As `strongest_partials` returns them.
    weight : array of float64, shape (n_windows,)
        How much each window counts; they should sum to 1.
    f0 : array of float64, shape (n_f0,)
        Fundamentals, in Hz, greater than 0.
    tolerance : float > 0
        How far a partial may be off, as a part of its frequency.

    Returns
    -------
    matches : Matches

    Raises
    ------
    ParameterError
        If the numbers of windows differ, or an f0 is not a number above 0.

    References
    ----------
    .. [1] A. Klapuri, "Multiple fundamental frequency estimation by summing harmonic amplitudes", ISMIR, 2006.
    """
    hz, level = as_array(partials.hz, "hz", 2), as_array(partials.level, "level", 2)
    weights, fundamentals = as_doubles(weight, "weight"), as_doubles(f0, "f0")
    if not hz.shape == level.shape or not (hz.shape[0],) == partials.number.shape == weights.shape:
        raise ParameterError(f"Partials of {hz.shape[0]} windows, but weights of shape {weights.shape}.")
    if not (np.isfinite(fundamentals) & (fundamentals > 0)).all():
        raise ParameterError("Each f0 must be a number above 0.")
    tolerance = as_number(tolerance, "tolerance", above=0.0)
    found = _matches(hz, level, np.minimum(partials.number, hz.shape[1]), weights, fundamentals, tolerance, HIGHEST)
    return Matches(*found)


@kernel
def _fundamentals(
    hz: Float32, level: Float32, count: NDArray[np.int64], periods: Doubles, low: float, high: float, apart: float
) -> Doubles:
    most = hz.shape[0] * (PARTIALS * SERIES + 3)
    found = np.empty(most)
    strength = np.empty(most)
    n = 0
    for t in range(hz.shape[0]):
        for i in range(min(PARTIALS, count[t])):
            for h in range(1, SERIES + 1):
                found[n] = hz[t, i] / h
                strength[n] = -level[t, i] / h
                n += 1
        for k in range(3):
            found[n] = periods[t] * (1.0 if k == 0 else 2.0 if k == 1 else 0.5)
            strength[n] = -1.5 if k == 0 else -1.0
            n += 1
    order = np.argsort(strength[:n], kind="mergesort")
    kept = np.empty(CANDIDATES)
    heights = np.empty(CANDIDATES)
    m = 0
    for i in range(n):
        f = found[order[i]]
        if not low <= f <= high:
            continue
        height = 12 * math.log2(f)
        near = False
        for k in range(m):
            near |= abs(height - heights[k]) <= apart
        if not near:
            kept[m] = f
            heights[m] = height
            m += 1
            if m == CANDIDATES:
                break
    return kept[:m].copy()


def find_fundamentals(
    partials: Partials, periods: ArrayLike, *, low: float, high: float, apart: float = 0.4
) -> Doubles:
    """List frequencies that a sound's fundamental may be.

    The strongest partials of each window as harmonics 1 to `SERIES`, with strength ``level / h``, its period with
    strength 1.5 and the octaves on either side of it with strength 1; strongest first, no two within `apart`.

    Parameters
    ----------
    partials : Partials
        As `strongest_partials` returns them.
    periods : array of float64, shape (n_windows,)
        In Hz; 0 where a window has none.
    low, high : float
        Lowest and highest fundamental, in Hz.
    apart : float
        Semitones between two.

    Returns
    -------
    f0 : ndarray of float64, shape (n_f0,)
        At most `CANDIDATES`, in Hz.

    Raises
    ------
    ParameterError
        If the numbers of windows differ or `low` is not above 0.
    """
    hz, level = as_array(partials.hz, "hz", 2), as_array(partials.level, "level", 2)
    at = as_doubles(periods, "periods")
    if not hz.shape == level.shape or not (hz.shape[0],) == partials.number.shape == at.shape:
        raise ParameterError(f"Partials of {hz.shape[0]} windows, but periods of shape {at.shape}.")
    low, high = as_number(low, "low", above=0.0), as_number(high, "high")
    return _fundamentals(hz, level, partials.number, at, low, high, as_number(apart, "apart", least=0.0))


@kernel
def _lowest_near(curve: Doubles, lags: Doubles, off: float) -> Doubles:
    lowest = np.ones(lags.shape[0])
    last = curve.shape[0] - 1
    for i in range(lags.shape[0]):
        first = max(2, int(lags[i] * (1 - off) - 0.5))
        end = min(last, int(lags[i] * (1 + off) + 1.5))
        if end <= first:
            continue
        lowest[i] = 1.5
        for k in range(first, end + 1):
            lowest[i] = min(lowest[i], curve[k])
    return lowest


def lowest_near(curve: ArrayLike, lags: ArrayLike, *, off: float = 0.015) -> Doubles:
    """Find the least of a curve near each of some lags.

    ``min curve[k]`` over ``l (1 - off) - 1/2 <= k <= l (1 + off) + 3/2``, at most 1.5; 1 where the curve ends before.

    Parameters
    ----------
    curve : array of float64, shape (n,)
        How unlike itself a sound is some samples later.
    lags : array of float64, shape (n_lags,)
        In samples, not negative.
    off : float >= 0
        How far to look, as a part of the lag.

    Returns
    -------
    lowest : ndarray of float64, shape (n_lags,)

    Raises
    ------
    ParameterError
        If either is no vector, or a lag is negative or no number.
    """
    y, x = as_doubles(curve, "curve"), as_doubles(lags, "lags")
    if not (x >= 0).all():
        raise ParameterError("lags must not be negative.")
    return _lowest_near(y, np.minimum(x, 2.0 * len(y) + 2), as_number(off, "off", least=0.0))


@warms
def _warm() -> None:
    seen = windowed_periodicity(np.ones(16, np.float32), [0], np.ones(16, np.float32), n_fft=LEAST, n_lags=4)
    partials = strongest_partials(seen.power, 1000.0)
    find_fundamentals(partials, np.ones(1), low=1.0, high=9.0)
