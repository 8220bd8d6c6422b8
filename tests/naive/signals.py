"""Zero crossings, rolling means, peaks, onsets: each value from its own definition, nothing carried over."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from tests.naive.spectrogram import Matrix


def zero_crossing_rate(y: Sequence[float], frame_length: int, hop_length: int, threshold: float) -> list[float]:
    pad = frame_length // 2
    padded = [y[0]] * pad + list(y) + [y[-1]] * pad
    rates = []
    start = 0
    while start + frame_length <= len(padded):
        negative = [value < -threshold for value in padded[start : start + frame_length]]
        rates.append(sum(a != b for a, b in itertools.pairwise(negative)) / frame_length)
        start += hop_length
    return rates


def rolling_mean(x: Sequence[float], window: int) -> list[float]:
    means = []
    for i in range(len(x)):
        values = x[i - window + 1 : i + 1] if i + 1 >= window else [math.nan]
        means.append(math.fsum(values) / window if all(map(math.isfinite, values)) else math.nan)
    return means


def find_peaks(x: Sequence[float], height: float, distance: int) -> list[int]:
    """The highest first; each takes away its neighbours. Of equals the later is first."""
    found = [i for i in local_maxima(x) if x[i] >= height]
    kept: list[int] = []
    for i in sorted(found, key=lambda i: (x[i], i), reverse=True):
        if all(abs(i - other) >= distance for other in kept):
            kept.append(i)
    return sorted(kept)


def local_maxima(x: Sequence[float]) -> list[int]:
    """Middles of the runs of equal values that are higher than what is on both sides."""
    found = []
    start = 0
    while start < len(x):
        stop = start
        while stop + 1 < len(x) and x[stop + 1] == x[start]:
            stop += 1
        if start > 0 and stop + 1 < len(x) and x[start - 1] < x[start] > x[stop + 1]:
            found.append((start + stop) // 2)
        start = stop + 1
    return found


def onset_strength(S_db: Matrix, lag: int) -> list[float]:
    n_frames = len(S_db[0])
    return [
        0.0 if t < lag else math.fsum(max(0.0, row[t] - row[t - lag]) for row in S_db) / len(S_db)
        for t in range(n_frames)
    ]
