"""Which note a sound has, from its partials to the answer: whole chains of small steps, each chain one call.

What a chain is made of stands in `harmonics`, `notes` and `candidates`. Called one by one from Python, on arrays of a
few dozen numbers, the steps took as long on their way in and out as within.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workers.errors import ParameterError
from workers.kernels.arguments import Doubles, Float32, as_array, as_count, as_doubles, as_number
from workers.kernels.candidates import COLUMNS, _weigh
from workers.kernels.compiled import kernel, warms
from workers.kernels.harmonics import _fundamentals
from workers.kernels.hearing import Hearing
from workers.kernels.notes import _REFERENCE_HZ, _agreed, _compare

NONE_COLUMNS = 7
"""What describes there being no note, behind the columns of `weigh_candidates`."""

_EXPLAINED, _APERIODIC, _FILLED = 0, 8, 18
"""Columns of `weigh_candidates` of which the best candidate's speaks against there being none."""

_NEAR = 0.6
"""Semitones from a written note within which a candidate is that note."""


_Heard = tuple[Float32, Float32, NDArray[np.int64], Float32, Doubles, Doubles]
"""A `Hearing` as a plain tuple: another named one would be looked at in Python at each call."""


@kernel
def _at_most(count: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    found = np.empty(count.shape[0], np.int64)
    for t in range(count.shape[0]):
        found[t] = min(count[t], most)
    return found


@kernel
def _moves(periods: Doubles, weight: Doubles) -> float:
    """Octaves between the periods of the windows, by weight; 1 at most."""
    whole = 0.0
    mean = 0.0
    for t in range(periods.shape[0]):
        if periods[t] > 0:
            whole += weight[t]
            mean += math.log2(periods[t]) * weight[t]
    if whole <= 0:
        return 1.0
    mean /= whole
    squares = 0.0
    for t in range(periods.shape[0]):
        if periods[t] > 0:
            squares += (math.log2(periods[t]) - mean) ** 2 * weight[t]
    return min(1.0, math.sqrt(squares / whole))


@kernel
def _describe(
    heard: _Heard,
    periodicity: Float32,
    f0: Doubles,
    sr: float,
    duration_s: float,
) -> Doubles:
    hz, level, count, share, weight, periods = heard
    n = f0.shape[0]
    X = np.zeros((n + 1, COLUMNS + NONE_COLUMNS))
    none = X[n]
    none[COLUMNS] = 1.0
    for t in range(share.shape[0]):
        none[COLUMNS + 4] += weight[t] * share[t]
    none[COLUMNS + 5] = -math.log2(duration_s + 0.02)
    none[COLUMNS + 6] = _moves(periods, weight)
    if n == 0:
        none[COLUMNS + 1] = 1.0
        return X
    there = _at_most(count, hz.shape[1])
    X[:n, :COLUMNS] = _weigh(hz, level, there, weight, periods, periodicity, f0, sr)
    none[COLUMNS + 1] = X[0, _APERIODIC]
    none[COLUMNS + 2] = X[0, _EXPLAINED]
    none[COLUMNS + 3] = X[0, _FILLED]
    for c in range(1, n):
        none[COLUMNS + 1] = min(none[COLUMNS + 1], X[c, _APERIODIC])
        none[COLUMNS + 2] = max(none[COLUMNS + 2], X[c, _EXPLAINED])
        none[COLUMNS + 3] = max(none[COLUMNS + 3], X[c, _FILLED])
    return X


def describe_candidates(
    hearing: Hearing, periodicity: ArrayLike, f0: ArrayLike, sr: float, duration_s: float
) -> Doubles:
    """Describe each fundamental that a sound's note may be, and that it has none.

    Parameters
    ----------
    hearing : Hearing
        As `hear` returns it.
    periodicity : array of float32, shape (n_windows, n_lags)
        As `workers.kernels.harmonics.windowed_periodicity` returns it.
    f0 : array of float64, shape (n_f0,)
        In Hz, greater than 0; may be empty.
    sr : float > 0
        Lags a second.
    duration_s : float >= 0
        Of the sound.

    Returns
    -------
    X : ndarray of float64, shape (n_f0 + 1, COLUMNS + NONE_COLUMNS)
        Of each fundamental what `workers.kernels.candidates.weigh_candidates` says, the rest 0. The last row begins
        with zeros; then 1, the least that any is aperiodic, the most that any explains and fills, the share of power in
        partials, minus log2 of the duration, and how many octaves the period moves.

    Raises
    ------
    ParameterError
        If the numbers of windows differ, an f0 is not a number above 0, or a number is out of range.
    """
    rows, fundamentals = as_array(periodicity, "periodicity", 2), as_doubles(f0, "f0")
    heard = _checked(hearing, rows)
    if not (np.isfinite(fundamentals) & (fundamentals > 0)).all():
        raise ParameterError("Each f0 must be a number above 0.")
    rest = as_number(sr, "sr", above=0.0), as_number(duration_s, "duration_s", least=0.0)
    return _describe(heard, rows, fundamentals, *rest)


def _checked(hearing: Hearing, rows: Float32) -> _Heard:
    hz, level, number, share, weight, periods = hearing
    if hz.shape != level.shape or not len(rows) == len(hz) == len(number) == len(share) == len(weight) == len(periods):
        raise ParameterError(f"Periodicity of {len(rows)} windows, but partials of {len(hz)}.")
    return hz, level, number, share, weight, periods


@kernel
def _choose(probability: Doubles, f0: Doubles, near: float) -> tuple[int, float]:
    """The likeliest candidate of the likeliest note, and that note's probability."""
    n = f0.shape[0]
    height = np.empty(n)
    for c in range(n):
        height[c] = 12 * math.log2(f0[c])
    note = 0
    most = -1.0
    for c in range(n):
        likely = 0.0
        for k in range(n):
            if abs(height[c] - height[k]) < near:
                likely += probability[k]
        if likely > most:
            note = c
            most = likely
    best = note
    highest = -1.0
    for k in range(n):
        if abs(height[note] - height[k]) < near and probability[k] > highest:
            best = k
            highest = probability[k]
    likely = 0.0
    for k in range(n):
        if abs(height[best] - height[k]) < near:
            likely += probability[k]
    return best, min(1.0, likely)


def choose_note(probability: ArrayLike, f0: ArrayLike, *, near: float) -> tuple[int, float]:
    """Choose the likeliest fundamental of the likeliest note.

    The note ``argmax_c sum_k p_k [|h_c - h_k| < near]`` with heights ``h`` in semitones, the likeliest ``p_k`` of those
    near it, and the sum of those near that.

    Parameters
    ----------
    probability, f0 : array of float64, shape (n,)
        How likely each fundamental is, and where it lies, in Hz; at least one.
    near : float > 0
        Semitones within which two are one note.

    Returns
    -------
    best : int
        Which; the first of equal ones.
    likely : float
        How likely its note is, at most 1.

    Raises
    ------
    ParameterError
        If the lengths differ or are 0.
    """
    p, hz = as_doubles(probability, "probability"), as_doubles(f0, "f0")
    if not len(p) == len(hz) > 0:
        raise ParameterError(f"{len(p)} probabilities of {len(hz)} fundamentals.")
    return _choose(p, hz, as_number(near, "near", above=0.0))


class Note(NamedTuple):
    """What `find_note` returns."""

    likely: float
    """How likely the note is that is likeliest; 0 where there is no candidate. Then: that there is none."""
    none: float
    hz: float
    """The fundamental that its harmonics agree on; 0 where there is no candidate."""
    agreement: float
    """Weight of the windows whose period it is."""
    repeats: float
    """How exactly the windows repeat at any period, by weight."""
    moves: float
    """Octaves that the period moves, at most 1."""


@kernel
def _bonus(f0: float, written: Doubles, gains: Doubles) -> float:
    """What a name, `written[0]`, and chunks, the others, add to a candidate; NaN where nothing is written."""
    midi = 69 + 12 * math.log2(f0 / 440)
    off = abs(midi - written[0])
    added = 0.0
    if off < _NEAR:
        added = gains[0]
    elif abs(off - 12 * np.rint(off / 12)) < _NEAR:
        added = gains[1]
    for k in range(1, written.shape[0]):
        if abs(midi - written[k]) < _NEAR:
            added += gains[2]
    return added


@kernel
def _note(
    heard: _Heard,
    periodicity: Float32,
    sr: float,
    duration_s: float,
    model: Doubles,
    written: Doubles,
    gains: Doubles,
    bounds: Doubles,
    first: int,
) -> tuple[float, float, float, float, float, float]:
    hz, level, count, _, weight, periods = heard
    there = _at_most(count, hz.shape[1])
    f0 = _fundamentals(hz, level, there, periods, bounds[0], bounds[1], bounds[2])
    n = f0.shape[0]
    X = _describe(heard, periodicity, f0, sr, duration_s)
    probability = np.empty(n + 1)
    highest = -np.inf
    width = X.shape[1]
    for c in range(n + 1):
        score = model[3, 0]
        for k in range(width):
            score += (X[c, k] - model[0, k]) / model[1, k] * model[2, k]
        score /= model[3, 1]
        if c < n:
            score += _bonus(f0[c], written, gains)
        probability[c] = score
        highest = max(highest, score)
    whole = 0.0
    for c in range(n + 1):
        probability[c] = math.exp(probability[c] - highest)
        whole += probability[c]
    for c in range(n + 1):
        probability[c] /= whole
    repeats = 0.0
    for t in range(periodicity.shape[0]):
        top = periodicity[t, first]
        for lag in range(first, periodicity.shape[1]):
            top = max(top, periodicity[t, lag])
        repeats += weight[t] * top
    moves = float(X[n, COLUMNS + 6])
    none = float(probability[n])
    if n == 0:
        return 0.0, none, 0.0, 0.0, repeats, moves
    best, likely = _choose(probability[:n], f0, bounds[3])
    height = np.empty(1)
    height[0] = math.log2(f0[best] / _REFERENCE_HZ)
    agreement = float(_compare(hz, level, there, weight, periods, height)[2, 0])
    return likely, none, _agreed(hz, level, there, weight, f0[best], 8), agreement, repeats, moves


def find_note(
    hearing: Hearing,
    periodicity: ArrayLike,
    sr: float,
    duration_s: float,
    *,
    model: ArrayLike,
    written: ArrayLike,
    gains: ArrayLike,
    bounds: ArrayLike,
    first: int,
) -> Note:
    """Find the note of a sound: its candidates listed, described, weighed by a learned model, and the likeliest taken.

    `find_fundamentals`, `describe_candidates`, ``p = softmax(((X - mean) / spread . w + bias) / T + bonus)``,
    `choose_note` and `agreed_fundamental`, in one call.

    Parameters
    ----------
    hearing : Hearing
        As `hear` returns it.
    periodicity, sr, duration_s
        As in `describe_candidates`.
    model : array of float64, shape (4, COLUMNS + NONE_COLUMNS)
        Mean, spread and weight of each input; then the bias and the temperature T.
    written : array of float64, shape (n,)
        MIDI numbers of the note that a name says, and that chunks say; NaN where they say none.
    gains : array of float64, shape (3,)
        The bonus of a candidate that is the name's note, of one that is so in another octave, and for each chunk whose
        note it is.
    bounds : array of float64, shape (4,)
        Lowest and highest fundamental, in Hz; semitones between two candidates; and within which they are one note.
    first : int >= 0
        The shortest lag at which a window is looked at for whether it repeats.

    Returns
    -------
    note : Note

    Raises
    ------
    ParameterError
        If shapes do not fit each other or a number is out of range.
    """
    rows, table = as_array(periodicity, "periodicity", 2), as_array(model, "model", 2, keep_double=True)
    said, pay, limits = as_doubles(written, "written"), as_doubles(gains, "gains"), as_doubles(bounds, "bounds")
    heard = _checked(hearing, rows)
    if table.shape != (4, COLUMNS + NONE_COLUMNS) or not len(said) or len(pay) != 3 or len(limits) != 4:
        raise ParameterError(
            f"A model of shape {table.shape}, {len(said)} notes, {len(pay)} gains, {len(limits)} bounds."
        )
    if not (limits[0] > 0 and 0 <= first < rows.shape[1]):
        raise ParameterError(f"No fundamental from {limits[0]} Hz on, or no lag {first}, is looked at.")
    rest = as_number(sr, "sr", above=0.0), as_number(duration_s, "duration_s", least=0.0)
    return Note(*_note(heard, rows, *rest, table, said, pay, limits, as_count(first, "first", least=0)))


@warms
def _warm() -> None:
    rows, one = np.ones((1, 8), np.float32), np.ones(1)
    heard = Hearing(rows, rows, np.ones(1, np.int64), rows[0, :1], one, one)
    describe_candidates(heard, rows, one, 8.0, 1.0)
    choose_note(one, one, near=1.0)
    model = np.ones((4, COLUMNS + NONE_COLUMNS))
    find_note(heard, rows, 8.0, 1.0, model=model, written=one, gains=np.ones(3), bounds=np.ones(4), first=0)
