"""How an envelope goes on, by the definitions, one number at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise


def course(e: Sequence[float], most: int, floor: float) -> list[float]:
    """Everything but the levels of parts, in the order of `Course`."""
    n, top = len(e), max(e)
    level = levels(e, floor)
    every = max(1, n // (most // 2))
    seen = level[::every]
    steps = [abs(b - a) for a, b in pairwise(seen)]
    width = max(1, n // most)
    coarse = [mean(e[k : k + width]) for k in range(0, n // width * width, width)]
    highest, quarter = max(max(coarse), 1e-9), max(1, len(coarse) // 4)
    return [
        top,
        mean(e),
        math.sqrt(mean([x * x for x in e])),
        mean([float(x > 0.1 * max(top, 1e-9)) for x in e]),
        mean([float(x > 0.5 * max(top, 1e-9)) for x in e]),
        mean(steps) if steps else 0.0,
        math.fsum(coarse[len(coarse) // 2 :]) / max(math.fsum(coarse), 1e-9),
        rise(coarse) / highest,
        mean(coarse[: max(1, len(coarse) // 50)]) / highest,
        mean(coarse[-quarter:]) / max(mean(coarse[:quarter]), 1e-9),
    ]


def levels(e: Sequence[float], floor: float) -> list[float]:
    """In dB below the highest."""
    return [max(20 * math.log10(max(x / max(max(e), 1e-9), 1e-6)), floor) for x in e]


def parts(e: Sequence[float], floor: float, count: int) -> list[float]:
    """Mean level of each of `count` parts."""
    n, level = len(e), levels(e, floor)
    return [mean(level[p * n // count : max(p * n // count + 1, (p + 1) * n // count)]) for p in range(count)]


def rise(coarse: Sequence[float]) -> float:
    """The most it rises, smoothed, after its peak."""
    if len(coarse) < 20:
        return 0.0
    smooth = [math.fsum(coarse[max(0, k - 2) : k + 3]) / 5 for k in range(len(coarse))]
    after = smooth[smooth.index(max(smooth)) :]
    return max(value - min(after[: k + 1]) for k, value in enumerate(after))


def mean(x: Sequence[float]) -> float:
    """Of what is there."""
    return math.fsum(x) / len(x)


def bands(mel: Sequence[Sequence[float]], count: int, first: int) -> list[list[float]]:
    """Share, start and length of each band."""
    each = len(mel) // count
    power = [[math.fsum(column) for column in zip(*mel[b * each : (b + 1) * each], strict=True)] for b in range(count)]
    totals = [max(math.fsum(row), 1e-12) for row in power]
    return [
        [total / math.fsum(totals) for total in totals],
        [math.fsum(row[:first]) / total for row, total in zip(power, totals, strict=True)],
        [float(sum(x > 0.1 * max(row) for x in row)) for row in power],
    ]


def spread_of_octaves(hz: Sequence[float], weight: Sequence[float], least: float) -> float:
    """Weighted standard deviation of the logarithms."""
    octaves = [math.log2(max(x, least)) for x in hz]
    middle = math.fsum(o * w for o, w in zip(octaves, weight, strict=True))
    return math.sqrt(math.fsum((o - middle) ** 2 * w for o, w in zip(octaves, weight, strict=True)))
