"""Learned models, by their formulas."""

from __future__ import annotations

import math
from collections.abc import Sequence

Row = Sequence[float]


def yes(x: Row, places: Sequence[int], table: Sequence[Row], products: Sequence[Row], bias: float, t: float) -> float:
    """How likely yes is."""
    z = [(x[k] - mean) / spread for k, mean, spread in zip(places, table[0], table[1], strict=True)]
    near = [min(3.0, max(-3.0, value)) for value in z]
    alone = math.fsum(w * value for w, value in zip(table[2], z, strict=True))
    pairs = math.fsum(products[i][k] * near[i] * near[k] for i in range(len(z)) for k in range(i, len(z)))
    return 1 / (1 + math.exp(-min(30.0, max(-30.0, (alone + pairs + bias) / t))))


def label(x: Row, table: Sequence[Row], weights: Sequence[Row], bias: Row, t: float) -> list[float]:
    """How likely each label is."""
    z = [(value - mean) / spread for value, mean, spread in zip(x, *table, strict=True)]
    sums = [math.fsum(a * b for a, b in zip(row, z, strict=True)) for row in weights]
    scores = [(score + more) / t for score, more in zip(sums, bias, strict=True)]
    likely = [math.exp(score - max(scores)) for score in scores]
    return [value / math.fsum(likely) for value in likely]


def scaled(x: Row, mean: Row, spread: Row, weights: Row) -> list[float]:
    """A vector's numbers as they are kept."""
    rows = zip(x, mean, spread, weights, strict=True)
    return [min(4.0, max(-4.0, (value - m) / s * w)) for value, m, s, w in rows]
