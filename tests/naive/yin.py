"""YIN as the paper says it, one lag at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence


def normalised_difference(y: Sequence[float], start: int, window: int, max_lag: int) -> list[float]:
    """``d'(0 .. max_lag)`` of the frame at `start`."""
    difference = [
        math.fsum((y[start + k] - y[start + k + lag]) ** 2 for k in range(window)) for lag in range(max_lag + 1)
    ]
    normal = [1.0]
    for lag in range(1, max_lag + 1):
        total = math.fsum(difference[1 : lag + 1])
        normal.append(difference[lag] * lag / total if total > 0 else 1.0)
    return normal


def period(y: Sequence[float], start: int, window: int, lags: tuple[int, int], threshold: float) -> tuple[float, float]:
    """(lag, depth), or (0, 1)."""
    d = normalised_difference(y, start, window, lags[1])
    dips = [lag for lag in range(*lags) if d[lag] <= d[lag - 1] and d[lag] <= d[lag + 1]]
    deep = [lag for lag in dips if d[lag] < threshold]
    if not dips:
        return 0.0, 1.0
    best = deep[0] if deep else min(dips, key=lambda lag: d[lag])
    a, b, c = d[best - 1 : best + 2]
    bend = a - 2 * b + c
    return best + (min(0.5, max(-0.5, 0.5 * (a - c) / bend)) if bend > 0 else 0.0), b
