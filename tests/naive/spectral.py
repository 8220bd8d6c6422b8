"""Spectral shape by its definitions, one frame at a time."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from tests.naive.spectrogram import Matrix

FLOOR = 1e-10


def centroid(frame: Sequence[float], hz: Sequence[float]) -> float:
    total = math.fsum(frame)
    return math.fsum(s * f for s, f in zip(frame, hz, strict=True)) / total if total else 0.0


def bandwidth(frame: Sequence[float], hz: Sequence[float]) -> float:
    total = math.fsum(frame)
    if not total:
        return 0.0
    centre = centroid(frame, hz)
    return math.sqrt(math.fsum(s * (f - centre) ** 2 for s, f in zip(frame, hz, strict=True)) / total)


def rolloff(frame: Sequence[float], hz: Sequence[float], share: float) -> float:
    total = math.fsum(frame)
    if not total:
        return 0.0
    return next(f for i, f in enumerate(hz) if math.fsum(frame[: i + 1]) >= share * total or f == hz[-1])


def flatness(frame: Sequence[float]) -> float:
    floored = [max(FLOOR, value) for value in frame]
    geometric = math.exp(math.fsum(map(math.log, floored)) / len(floored))
    return geometric / (math.fsum(floored) / len(floored))


def contrast(S: Matrix, hz: Sequence[float], fmin: float, n_bands: int, quantile: float) -> Matrix:
    corners = [0.0, *(fmin * 2**octave for octave in range(n_bands)), math.inf]
    return [
        [band_contrast([S[f][t] for f, at in enumerate(hz) if low <= at < high], quantile) for t in range(len(S[0]))]
        for low, high in itertools.pairwise(corners)
    ]


def band_contrast(values: list[float], quantile: float) -> float:
    if not values:
        return 0.0
    count = max(1, round(quantile * len(values)))
    ranked = sorted(values)
    valley = max(FLOOR, math.fsum(ranked[:count]) / count)
    peak = max(FLOOR, math.fsum(ranked[-count:]) / count)
    return 10 * math.log10(peak / valley)
