"""Which note a sound has, from the slow twins of what its chains are made of."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tests.naive import notes
from tests.naive.candidates import Windows, row
from tests.naive.harmonics import fundamentals


def places(y: Sequence[float], lengths: Sequence[int], most: int, step: int, quiet: float) -> tuple[list[int], int]:
    """Starts of windows, and their length."""
    n = len(y)
    first, end = notes.loud_part(y, step, quiet) if n >= step else (0, n)
    first = max(0, min(first, n - 2048))
    wanted = max(1, min(n, lengths[-1], max(2048, int(0.6 * (end - first)))))
    length = max(size for size in lengths if size <= wanted)
    first = max(0, min(first, n - length))
    last = max(first, end - length)
    count = max(1, min(most, 1 + math.ceil(2 * (last - first) / length)))
    apart = (last - first) / max(1, count - 1)
    return sorted({*(int(first + k * apart) for k in range(count - 1)), last if count > 1 else first}), length


def weights(power: Sequence[Sequence[float]]) -> list[float]:
    """By amplitude."""
    amplitudes = [math.sqrt(math.fsum(spectrum)) for spectrum in power]
    return [amplitude / max(math.fsum(amplitudes), 1e-12) for amplitude in amplitudes]


def moves(periods: Sequence[float], weight: Sequence[float]) -> float:
    """Octaves between the periods."""
    there = [(math.log2(hz), w) for hz, w in zip(periods, weight, strict=True) if hz > 0]
    whole = math.fsum(w for _, w in there)
    if whole <= 0:
        return 1.0
    mean = math.fsum(octaves * w for octaves, w in there) / whole
    return min(1.0, math.sqrt(math.fsum((octaves - mean) ** 2 * w for octaves, w in there) / whole))


def describe(
    windows: Windows,
    share: Sequence[float],
    weight: Sequence[float],
    periods: Sequence[float],
    periodicity: Sequence[Sequence[float]],
    f0: Sequence[float],
    sr: float,
    duration_s: float,
) -> list[list[float]]:
    """A row for each fundamental and one for none."""
    rows = [row(windows, weight, periods, periodicity, hz, sr) for hz in f0]
    best = [f(x[k] for x in rows) for f, k in ((min, 8), (max, 0), (max, 18))] if rows else [1.0, 0.0, 0.0]
    power = math.fsum(w * s for w, s in zip(weight, share, strict=True))
    none = [1.0, *best, power, -math.log2(duration_s + 0.02), moves(periods, weight)]
    return [[*x, *[0.0] * len(none)] for x in rows] + [[0.0] * 19 + none]


def choose(probability: Sequence[float], f0: Sequence[float], near: float) -> tuple[int, float]:
    """Which is likeliest, and how likely its note is."""
    height = [12 * math.log2(hz) for hz in f0]
    groups = [[k for k, other in enumerate(height) if abs(own - other) < near] for own in height]
    likely = [sum(probability[k] for k in group) for group in groups]
    best = max(groups[likely.index(max(likely))], key=lambda k: probability[k])
    return best, min(1.0, likely[best])


def bonus(hz: float, written: Sequence[float], gains: Sequence[float]) -> float:
    """What is written adds to a candidate."""
    midi = 69 + 12 * math.log2(hz / 440)
    named, *roots = written
    found = 0.0
    if not math.isnan(named):
        off = abs(midi - named)
        found = gains[0] if off < 0.6 else gains[1] if abs(off - 12 * round(off / 12)) < 0.6 else 0.0
    return found + math.fsum(gains[2] for root in roots if abs(midi - root) < 0.6)


def note(
    windows: Windows,
    share: Sequence[float],
    weight: Sequence[float],
    periods: Sequence[float],
    periodicity: Sequence[Sequence[float]],
    sr: float,
    duration_s: float,
    model: Sequence[Sequence[float]],
    written: Sequence[float],
    gains: Sequence[float],
    bounds: Sequence[float],
    first: int,
) -> list[float]:
    """In the order of `Note`."""
    f0 = fundamentals(windows, periods, bounds[0], bounds[1], bounds[2])
    X = describe(windows, share, weight, periods, periodicity, f0, sr, duration_s)
    mean, spread, weights_, (bias, temperature, *_) = model
    parts = [[(v - m) / s * w for v, m, s, w in zip(x, mean, spread, weights_, strict=True)] for x in X]
    scores = [(math.fsum(part) + bias) / temperature for part in parts]
    scores = [s + bonus(hz, written, gains) for s, hz in zip(scores, f0, strict=False)] + scores[-1:]
    likely = [math.exp(s - max(scores)) for s in scores]
    probability = [p / math.fsum(likely) for p in likely]
    repeats = math.fsum(w * max(r[first:]) for w, r in zip(weight, periodicity, strict=True))
    none = probability[-1], repeats, moves(periods, weight)
    if not f0:
        return [0.0, none[0], 0.0, 0.0, *none[1:]]
    best, sure = choose(probability[:-1], f0, bounds[3])
    agreement = notes.company(windows, weight, periods, math.log2(f0[best] / 220))[2]
    return [sure, none[0], notes.agreed(windows, weight, f0[best], 8), agreement, *none[1:]]
