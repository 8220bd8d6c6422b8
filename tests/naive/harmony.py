"""How weight is shared out among notes and chords, by the definitions."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence


def notes(classes: Sequence[float]) -> list[float]:
    """Shares, the greatest first."""
    whole = max(math.fsum(classes), 1e-12)
    return sorted((x / whole for x in classes), reverse=True)


def harmony(chords: Sequence[Sequence[float]], classes: Sequence[float]) -> list[float]:
    """In the order of `Harmony`, from its second field on."""
    shares = sorted((statistics.fmean(column) for column in zip(*chords, strict=True)), reverse=True)
    evenness = math.exp(statistics.fmean(math.log(x + 1e-4) for x in notes(classes))) * len(classes)
    entropy = -math.fsum(x * math.log(x + 1e-6) for x in shares)
    return [evenness, shares[0], math.fsum(shares[:3]), math.fsum(shares[:6]), entropy]
