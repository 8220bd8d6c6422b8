"""Curves of level and of its rise, one value at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from tests.naive.spectrogram import Matrix


def amplitude(y: Sequence[float], hop: int) -> tuple[list[float], int]:
    """The envelope and the zero crossings."""
    power = [math.fsum(x * x for x in y[at : at + hop]) / hop for at in range(0, len(y), hop)]
    crossings = sum((a < 0) != (b < 0) for a, b in pairwise(y))
    if len(power) < 5:
        return [math.sqrt(p) for p in power], crossings
    return [math.sqrt(sum(power[max(0, s - 2) : s + 3]) / 5) for s in range(len(power))], crossings


def rises(M: Matrix, edges: Sequence[int], lag: int, range_db: float) -> tuple[Matrix, list[float], list[float], float]:
    """Bands, full, energy, start; of ``M[m][t]``."""
    top = max(1e-12, *(x for row in M for x in row))
    db = [[10 * math.log10(x / top + 10 ** (-range_db / 10)) for x in row] for row in M]
    n = len(M[0])

    def rise(rows: Matrix, t: int) -> list[float]:
        return [max(0.0, row[t] - row[t - lag]) if t >= lag else 0.0 for row in rows]

    by_row = [rise(db, t) for t in range(n)]
    roots = [[math.sqrt(x) for x in row] for row in M]
    bands = [[sum(r[a:b]) / (b - a) for r in by_row] for a, b in pairwise(edges)]
    start = sum(max(row[: lag + 1]) + range_db for row in db) / len(db)
    return bands, [sum(r) / len(M) for r in by_row], [sum(rise(roots, t)) for t in range(n)], start


def local_mean(e: Sequence[float], reach: int) -> list[float]:
    """Over what there is of ``2 reach + 1`` values."""
    near = [e[max(0, t - reach) : t + reach + 1] for t in range(len(e))]
    return [math.fsum(part) / len(part) for part in near]


def sharpen(e: Sequence[float], reach: int, share: float) -> list[float]:
    """Smoothed, less a share of the local mean, nothing below 0."""
    window = [0.5 - 0.5 * math.cos(2 * math.pi * k / 6) for k in range(1, 6)]
    smooth = [sum(w / 3 * e[t + k - 2] for k, w in enumerate(window) if 0 <= t + k - 2 < len(e)) for t in range(len(e))]
    return [max(0.0, s - share * m) for s, m in zip(smooth, local_mean(smooth, reach), strict=True)]
