"""Whether two analyses are of one sound: louder or softer, cut, faded, in another format, at another rate, in mono.

By what every analysis keeps, the spectrogram of `workers.model.Preview`: nothing has to be analysed anew. No I/O.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from stores import filters
from workers.model import MEL_COLUMNS, MEL_ROWS

Floats = NDArray[np.float32]
_DEEPEST_DB: Final = -80.0
_FLOOR_DB: Final = -60.0
"""What is quieter is noise of a codec or of a converter as often as sound."""
_HEARD_DB: Final = 45.0
"""So far below the loudest a cell still counts, the less the quieter."""
_SHIFTS: Final = np.arange(-4, 5) / 4
"""Fractions of a column by which the best whole shift is refined."""
_MOST_DB: Final = 30.0
LEAST_PART: Final = 0.5
"""A copy has at least so much of the longer one."""
_LEAST_OVERLAP: Final = 0.85
_STEADY_DB: Final = 2.0
_HALF_HOP_S: Final = 256 / 22050
"""So far from where they were frames begin after a cut, at most."""
_MOST_SHAPE_DB: Final = 1.5
_FOR_UNLIKE_DB: Final = 2.0
"""So much less is allowed to two whose vectors have nothing in common, in proportion."""
_LEAST_STEADY: Final = 0.4
_LEAST_ALIKE: Final = 0.75
_SAME_NOTE: Final = 0.4
"""Semitones: the pitch of a copy is measured again within a few cents, and its octave may be taken for another."""


@dataclass(frozen=True, slots=True)
class Resemblance:
    """How two spectrograms agree where they lie best on each other.

    Attributes
    ----------
    shape_db : mean difference of the cells that can be heard, the level of each column taken out, in dB
    steady : share of the columns, weighted by level, whose level differs by the same gain within 2 dB
    """

    shape_db: float
    steady: float


def decibels(mel: bytes) -> Floats:
    """A kept spectrogram in dB below its loudest cell, (48, 128)."""
    cells = np.frombuffer(mel, np.uint8).reshape(MEL_ROWS, MEL_COLUMNS)
    levels: Floats = cells.astype(np.float32) * np.float32(-_DEEPEST_DB / 255) + np.float32(_DEEPEST_DB)
    return np.maximum(levels, np.float32(_FLOOR_DB))


def resemblance(one: Floats, one_s: float, other: Floats, other_s: float) -> Resemblance | None:
    """Lay two spectrograms of so many seconds on each other; ``None`` where one is less than half of the other."""
    if min(one_s, other_s) < LEAST_PART * max(one_s, other_s):
        return None
    if one_s < other_s:
        one, one_s, other, other_s = other, other_s, one, one_s
    step = one_s / MEL_COLUMNS
    columns = max(1, round(other_s / step))
    short = _sampled(other, other_s, (np.arange(columns, dtype=np.float64) + 0.5) * step)
    whole = _best_shift(one, short)
    found = [_at_shift(one, other, other_s, step, whole + fraction) for fraction in _SHIFTS]
    known = [each for each in found if each is not None]
    return min(known, key=lambda each: each.shape_db + 5 * (1 - each.steady)) if known else None


def _sampled(S: Floats, seconds: float, times: NDArray[np.float64]) -> Floats:
    """Columns of a spectrogram at these times, between its own."""
    at = np.clip(times * (S.shape[1] / seconds) - 0.5, 0, S.shape[1] - 1)
    low = np.minimum(at.astype(np.intp), S.shape[1] - 2)
    share = (at - low).astype(np.float32)
    columns: Floats = S[:, low] * (1 - share) + S[:, low + 1] * share
    return columns


def _best_shift(long: Floats, short: Floats) -> int:
    """By how many columns `short` begins behind `long`: where their weighted squared difference, less what one gain
    explains, is least. It may stand over an end by what a codec adds; there `long` is silent."""
    n = 2 * MEL_COLUMNS
    over = max(1, round((1 - _LEAST_OVERLAP) * short.shape[1]))
    weight = _audible(short, short.max()).astype(np.float64)
    a, b = (np.float64(1) * (S - np.float32(_FLOOR_DB)) for S in (long, short))

    def slid(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        product: NDArray[np.float64] = (np.fft.rfft(x, n) * np.fft.rfft(y, n).conj()).sum(axis=0)
        return np.fft.irfft(product, n)

    first, cross, level = slid(a * a, weight), slid(a, weight * b), slid(a, weight)
    total, mean = float(weight.sum()), float((weight * b).sum())
    spread = first - 2 * cross - (level - mean) ** 2 / total
    shifts = np.arange(-over, long.shape[1] - short.shape[1] + over + 1)
    return int(shifts[np.argmin(spread[shifts % n])])


def _audible(S: Floats, loudest: np.float32) -> Floats:
    """1 for the loudest cells, 0 for what cannot be heard beside them."""
    heard: Floats = np.clip((S - loudest) / np.float32(_HEARD_DB) + 1, 0, 1)
    return heard


def _at_shift(one: Floats, other: Floats, other_s: float, step: float, shift: float) -> Resemblance | None:
    """Compare where `other` begins `shift` columns behind `one`."""
    times = (np.arange(MEL_COLUMNS, dtype=np.float64) + 0.5 - shift) * step
    inside = (times >= 0) & (times <= other_s)
    if inside.sum() < _LEAST_OVERLAP * other_s / step - 1:
        return None
    a, b = one[:, inside], _sampled(other, other_s, times[inside])
    gain = _gain(a, b)
    level = np.maximum(a, b + gain)
    weight = _audible(level, level.max())
    total = np.maximum(weight.sum(axis=0), 1e-6)
    sure = weight * ((a > _FLOOR_DB + 3) & (b > _FLOOR_DB + 3)) + 1e-6
    gains = (sure * np.clip(a - b - gain, -_MOST_DB, _MOST_DB)).sum(axis=0) / sure.sum(axis=0)
    # What the quieter of the two has lost below its floor says nothing.
    lowest = _FLOOR_DB + np.maximum(gain + gains, 0)
    early, late = _around(b + gain + gains, max(1, round(_HALF_HOP_S / step)))
    ours = np.maximum(a, lowest)
    apart = np.maximum(np.maximum(early, lowest) - ours, ours - np.maximum(late, lowest))
    shape = float((weight * np.clip(apart, 0, _MOST_DB)).sum() / total.sum())
    steady = float(total[np.abs(gains) <= _STEADY_DB].sum() / total.sum())
    return Resemblance(shape, steady)


def _gain(a: Floats, b: Floats) -> np.float32:
    """By how many dB the first is louder: the median over what is loud in both."""
    loud = (a > a.max() - 30) & (b > b.max() - 30)
    return np.float32(np.median((a - b)[loud])) if loud.any() else np.float32(0)


def _around(S: Floats, columns: int) -> tuple[Floats, Floats]:
    """The lowest and the highest of each cell and its neighbours so many columns before and behind."""
    padded = np.pad(S, ((0, 0), (columns, columns)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * columns + 1, axis=1)
    return windows.min(axis=2), windows.max(axis=2)


def is_copy(one: Mapping[str, Any], other: Mapping[str, Any], alike: float, found: Resemblance) -> bool:
    """Whether two analyses are of one sound in two forms.

    Different sounds of one synthesiser, one drum hit softly and hard, and one loop at two tempos are not. The bounds
    were chosen on 440 sounds and their edits and tried on another draw, some of whose sounds were the same:
    `benchmarks.duplicates`.

    Parameters
    ----------
    alike : mean of the cosines of all aspects of their vectors
    found : how their spectrograms resemble each other
    """
    notes = [filters.at(each, "pitch.hz") for each in (one, other)]
    if all(notes) and abs(12 * math.log2(notes[0] / notes[1])) > _SAME_NOTE:
        return False
    near = found.shape_db <= _MOST_SHAPE_DB - _FOR_UNLIKE_DB * (1 - alike)
    return near and found.steady >= _LEAST_STEADY and alike >= _LEAST_ALIKE
