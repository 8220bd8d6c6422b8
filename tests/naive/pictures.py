"""Pictures of sounds, and the shape of an envelope, value by value."""

from __future__ import annotations

from collections.abc import Sequence

from tests.naive.spectrogram import Matrix


def parts(n: int, count: int) -> list[slice]:
    """Of `n` values; none is empty."""
    return [slice(p * n // count, max(p * n // count + 1, (p + 1) * n // count)) for p in range(count)]


def peaks(y: Sequence[float], count: int) -> list[tuple[int, int]]:
    """Lowest and highest of each part, as signed bytes."""

    def byte(x: float) -> int:
        return max(-127, min(127, round(127 * x)))

    return [(byte(min(y[part])), byte(max(y[part]))) for part in parts(len(y), count)]


def columns(S_db: Matrix, count: int, deepest: float) -> list[list[int]]:
    """The highest of each part of each row, as bytes."""
    return [
        [max(0, min(255, round(255 * (1 - max(row[part]) / deepest)))) for part in parts(len(row), count)]
        for row in S_db
    ]


def shape(e: Sequence[float]) -> tuple[float, int, int, int, float, float]:
    """Top, attack, decay, loud, centre, tail."""
    n, top = len(e), max(e)
    peak = e.index(top)
    first = next(i for i, x in enumerate(e) if x >= 0.1 * top)
    high = next(i for i, x in enumerate(e) if x >= 0.9 * top)
    decay = next((i - peak for i in range(peak, n) if e[i] < 0.1 * top), -1)
    centre = sum(i * x for i, x in enumerate(e)) / sum(e) / max(1, n - 1) if sum(e) else 0.0
    last = e[-max(1, n // 20) :]
    return top, high - first, decay, sum(x > 0.1 * top for x in e), centre, sum(last) / len(last)
