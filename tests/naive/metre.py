"""Folding and beat tracking: each value from its own definition."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from tests.naive.spectrogram import Matrix


def fold(envelopes: Matrix, period: float, beats: int, steps: int) -> Matrix:
    """Every frame goes to its part of the bar."""
    folded = [[0.0] * (beats * steps) for _ in envelopes]
    for row, envelope in zip(folded, envelopes, strict=True):
        for t, value in enumerate(envelope):
            row[math.floor(t * (steps / period)) % (beats * steps)] += value
    return folded


def worth_of(beats: Sequence[int], envelope: Sequence[float], period: float, tightness: float) -> float:
    """What a path of beats is worth."""
    costs = [tightness * math.log((b - a) / period) ** 2 for a, b in itertools.pairwise(beats)]
    return math.fsum(envelope[t] for t in beats) - math.fsum(costs)


def best_worth(envelope: Sequence[float], period: float, tightness: float) -> float:
    """The most that any path is worth which ends within a period of the end: all of them are tried."""
    shortest, longest = max(1, round(period / 2)), round(2 * period)
    last = range(max(0, len(envelope) - math.ceil(period)), len(envelope))

    def ending(path: tuple[int, ...]) -> float:
        worth = worth_of(path, envelope, period, tightness)
        earlier = range(max(0, path[0] - longest), path[0] - shortest + 1)
        return max([worth, *(ending((t, *path)) for t in earlier)])

    return max(ending((t,)) for t in last)
