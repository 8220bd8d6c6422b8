"""When and how hard a sound is struck, by the definitions."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from itertools import pairwise

NONE = math.nan


def strikes(times: Sequence[float], strengths: Sequence[float], share: float) -> list[float]:
    """In the order of `Strikes`."""
    ranked = [*sorted(strengths, reverse=True), 0.0, 0.0, 0.0, 0.0]
    top = max(ranked[0], 1e-9)
    strong = [t for t, s in zip(times, strengths, strict=True) if s > share * ranked[0]]
    gaps, strong_gaps = ([b - a for a, b in pairwise(x)] for x in (times, strong))
    return [
        ranked[1] / top,
        ranked[3] / top,
        len(strong),
        times[-1] if times else 0.0,
        strong[0] if strong else 0.0,
        strong[-1] if strong else 0.0,
        unevenness(strong_gaps) if strong_gaps else NONE,
        statistics.median(gaps) if gaps else NONE,
        unevenness(gaps) if len(gaps) > 1 else NONE,
    ]


def unevenness(gaps: Sequence[float]) -> float:
    """Spread against the mean."""
    return statistics.pstdev(gaps) / max(statistics.fmean(gaps), 1e-9)
