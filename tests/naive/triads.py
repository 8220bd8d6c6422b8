"""Chords weighed against each other, one frame at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tests.naive.spectrogram import Matrix


def weigh(frames: Matrix, bass: Matrix, shapes: Matrix, weights: Sequence[float], root: float, sharp: float) -> Matrix:
    """``share[t][chord]`` of ``frames[c][t]``."""
    rows = []
    for t in range(len(frames[0])):
        x, b = _smooth(frames, t, weights), _smooth(bass, t, weights)
        length, deepest = max(math.hypot(*x), 1e-9), max(*b, 1e-9)
        fit = [
            math.fsum(x[c] * shape[c] for c in range(12)) / length + root * b[k % 12] / deepest
            for k, shape in enumerate(shapes)
        ]
        likely = [math.exp(sharp * (value - max(fit))) for value in fit]
        rows.append([value / math.fsum(likely) for value in likely])
    return rows


def _smooth(frames: Matrix, t: int, weights: Sequence[float]) -> list[float]:
    last, reach = len(frames[0]) - 1, len(weights) // 2
    return [math.fsum(w * row[min(last, max(0, t + k - reach))] for k, w in enumerate(weights)) for row in frames]
