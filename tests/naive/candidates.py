"""What speaks for and against one fundamental, from the slow twins of what it is made of."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tests.naive.harmonics import harmonic_levels, lowest_near
from tests.naive.notes import Partial, company

Windows = Sequence[Sequence[Partial]]


def matches(windows: Windows, weight: Sequence[float], f0: float) -> list[float]:
    """How well partials are harmonics of `f0`, in the order of `Matches`."""
    whole = [0.0] * 8
    for found, w in zip(windows, weight, strict=True):
        if not found:
            continue
        at = harmonic_levels(found, f0, 0.02)
        explained = math.fsum(at.values())
        last = max((h for h, level in at.items() if level > 0.18), default=1)
        shown = {h: level for h, level in at.items() if h <= last}
        there = sum(level > 0.1 for level in shown.values())
        known = max(explained, 1e-9)
        here = (
            min(1.0, explained / max(math.fsum(level for _, level in found), 1e-9)),
            there / last,
            math.fsum(level for h, level in shown.items() if h % 2) / known,
            math.fsum(level for h, level in shown.items() if h % 3) / known,
            at.get(1, 0.0),
            at.get(2, 0.0),
            math.log2(1 + last),
            math.log2(1 + there),
        )
        whole = [a + w * b for a, b in zip(whole, here, strict=True)]
    return whole


def row(
    windows: Windows,
    weight: Sequence[float],
    periods: Sequence[float],
    periodicity: Sequence[Sequence[float]],
    f0: float,
    sr: float,
) -> list[float]:
    """One row of `weigh_candidates`."""
    curve = [
        1 - math.fsum(w * r for w, r in zip(weight, column, strict=True)) for column in zip(*periodicity, strict=True)
    ]
    here, octave, twelfth, above = (matches(windows, weight, x) for x in (f0, f0 / 2, f0 / 3, 2 * f0))
    height = math.log2(f0 / 220)
    strongest, lowest, agreement = company(windows, weight, periods, height)
    return [
        *here,
        lowest_near(curve, sr / f0, 0.015),
        lowest_near(curve, sr / f0 / 2, 0.015),
        height,
        height**2,
        agreement,
        lowest,
        strongest,
        octave[0] - here[0],
        twelfth[0] - here[0],
        here[0] - above[0],
        here[1] if here[7] > 1.5 else 0.0,
    ]
