"""The grid that notes lie on: a line through the times of onsets, counted in sixteenths."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from workers.analysis.onsets import Onsets

_PARTS = 4
_FEWEST = 8
_LOOSE_S, _LOOSE_STEP = 0.012, 0.12
"""Notes further from the grid, in seconds or in steps of it, on average, are not played on it."""


class Grid(NamedTuple):
    """A tempo, and its standard error as a part of it."""

    bpm: float
    error: float


def on_grid(onsets: Onsets, bpm: float) -> Grid | None:
    """The tempo near `bpm` whose sixteenths the onsets fall on; ``None`` where they do not, or are few."""
    times, weight = onsets.times, onsets.strengths
    if len(times) < _FEWEST:
        return None
    step = 60 / bpm / _PARTS
    turn = np.exp(2j * np.pi * times / step)
    first = float(np.angle(np.sum(weight * turn)) / (2 * np.pi) * step)
    total = float(weight.sum())
    for _ in range(2):
        n = np.round((times - first) / step)
        middle_n, middle = float(weight @ n) / total, float(weight @ times) / total
        spread = float(weight @ (n - middle_n) ** 2) / total
        if spread <= 0:
            return None
        step = float(weight @ ((n - middle_n) * (times - middle))) / total / spread
        first = middle - step * middle_n
        if step <= 0:
            return None
    off = times - first - step * n
    usual = float(np.sqrt(weight @ off**2 / total))
    if usual > min(_LOOSE_S, _LOOSE_STEP * step):
        return None
    return Grid(60 / step / _PARTS, usual / float(np.sqrt((len(n) - 2) * spread)) / step)
