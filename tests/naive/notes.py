"""Partials and periods of a note, one window at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence

Partial = tuple[float, float]


def loud_part(y: Sequence[float], step: int, quiet: float) -> tuple[int, int]:
    """From the first to the last loud step."""
    power = [math.fsum(v * v for v in y[s : s + step]) for s in range(0, len(y) - step + 1, step)]
    loud = [s for s, p in enumerate(power) if p > quiet * max(power)]
    return (loud[0] * step, (loud[-1] + 1) * step) if loud else (0, len(y))


def shortest_period(r: Sequence[float], sr: float, first: int) -> float:
    """In Hz."""
    tops = [k for k in range(first, len(r) - 1) if r[k] >= r[k - 1] and r[k] > r[k + 1]]
    highest = max((r[k] for k in tops), default=0.0)
    if highest <= 0:
        return 0.0
    k = next(k for k in tops if r[k] > 0.9 * highest)
    a, b, c = r[k - 1 : k + 2]
    bend = a - 2 * b + c
    return sr / (k + (min(0.5, max(-0.5, 0.5 * (a - c) / bend)) if bend < 0 else 0.0))


def company(
    windows: Sequence[Sequence[Partial]], weight: Sequence[float], periods: Sequence[float], height: float
) -> tuple[float, float, float]:
    """Strongest, lowest and agreement of one candidate."""
    strongest = lowest = agreement = 0.0
    for found, w, period in zip(windows, weight, periods, strict=True):
        if found:
            strongest += w * (abs(height - math.log2(found[0][0] / 220)) < 0.042)
            low = min(hz for hz, level in found if level > 0.25 * found[0][1])
            lowest += w * min(3.0, max(-2.0, math.log2(low / 220) - height))
        if period > 0:
            agreement += w * (abs(height - math.log2(period / 220)) < 0.05)
    return strongest, abs(lowest), agreement


def agreed(windows: Sequence[Sequence[Partial]], weight: Sequence[float], f0: float, highest: int) -> float:
    """What the first harmonics say."""
    told = []
    for found, w in zip(windows, weight, strict=True):
        for hz, level in found:
            h = max(1, round(hz / f0))
            off = hz / (h * f0) - 1
            if h <= highest and abs(off) < min(0.03, 0.25 / h):
                told.append((w * level**2 / math.sqrt(h), off))
    total = math.fsum(w for w, _ in told)
    return f0 * (1 + math.fsum(w * off for w, off in told) / total) if total > 0 else f0
