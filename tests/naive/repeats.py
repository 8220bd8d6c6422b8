"""Autocorrelation by its sum."""

from __future__ import annotations

import math
from collections.abc import Sequence


def autocorrelation(row: Sequence[float], n_lags: int, overlap: float) -> list[float]:
    """Each lag up to `n_lags`, 0 where less than `overlap` is in common."""
    n = len(row)
    mean = math.fsum(row) / n
    e = [x - mean for x in row]
    whole = math.fsum(x * x for x in e)
    kept = min(n_lags, int((1 - overlap) * n) + 1, n)
    if whole == 0:
        return [0.0] * n_lags
    found = [math.fsum(a * b for a, b in zip(e, e[lag:], strict=False)) / whole * n / (n - lag) for lag in range(kept)]
    return found + [0.0] * (n_lags - kept)


def comb(r: Sequence[float], lag: float, teeth: Sequence[tuple[float, float]]) -> float:
    """Strength of one period; each tooth is a multiple and what it counts."""
    return math.fsum(gain * _between(r, lag * beats) for beats, gain in teeth)


def _between(r: Sequence[float], lag: float) -> float:
    if lag >= len(r) - 1:
        return r[-1]
    k = int(lag)
    return (1 - lag + k) * r[k] + (lag - k) * r[k + 1]
