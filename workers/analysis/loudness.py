"""Levels of the file as it is, before anything is scaled."""

from __future__ import annotations

import math

from workers.kernels.loudness import levels_of
from workers.kernels.waveform import Survey
from workers.model import Loudness


def measure(seen: Survey) -> Loudness:
    """Levels of a signal that was walked over at its own rate."""
    levels = levels_of(seen)
    return Loudness(
        integrated_lufs=_rounded(levels.integrated_lufs),
        true_peak_dbtp=_rounded(levels.true_peak_dbtp),
        rms_dbfs=_rounded(levels.rms_dbfs),
        crest_db=_rounded(levels.sample_peak_dbfs - levels.rms_dbfs),
    )


def _rounded(decibels: float) -> float | None:
    return round(decibels, 2) if math.isfinite(decibels) else None
