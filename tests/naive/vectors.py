"""Correlation, keys, cosine and norms, as the textbook has them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tests.naive.spectrogram import Matrix


def pearson(a: Sequence[float], b: Sequence[float]) -> float:
    if min(a) == max(a) or min(b) == max(b):
        return 0.0
    mean_a, mean_b = math.fsum(a) / len(a), math.fsum(b) / len(b)
    p, q = [x - mean_a for x in a], [x - mean_b for x in b]
    return ratio(p, q)


def ratio(p: Sequence[float], q: Sequence[float]) -> float:
    return math.fsum(x * y for x, y in zip(p, q, strict=True)) / (math.hypot(*p) * math.hypot(*q))


def score_keys(chroma: Sequence[float], major: Sequence[float], minor: Sequence[float]) -> list[float]:
    """The profile is turned to each tonic, as Krumhansl does; majors first."""
    return [
        pearson(chroma, [profile[(i - tonic) % 12] for i in range(12)])
        for profile in (major, minor)
        for tonic in range(12)
    ]


def cosine(a: Sequence[float], b: Sequence[float]) -> float:
    return ratio(a, b) if any(a) and any(b) else 0.0


def normalize_columns(matrix: Matrix, norm: float) -> Matrix:
    columns = [list(column) for column in zip(*matrix, strict=True)]
    scaled = [[value / length(column, norm) for value in column] if any(column) else column for column in columns]
    return [list(row) for row in zip(*scaled, strict=True)]


def length(column: Sequence[float], norm: float) -> float:
    if norm == 1:
        return math.fsum(map(abs, column))
    return math.hypot(*column) if norm == 2 else max(map(abs, column))
