"""Levels of the file as it is, before anything is scaled."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from workers.kernels.loudness import measure_levels
from workers.model import Loudness


def measure(y: NDArray[np.float32], sr: int) -> Loudness:
    """Levels of a signal, (frames, channels), at its own rate."""
    levels = measure_levels(y, sr)
    return Loudness(
        integrated_lufs=_rounded(levels.integrated_lufs),
        true_peak_dbtp=_rounded(levels.true_peak_dbtp),
        rms_dbfs=_rounded(levels.rms_dbfs),
        crest_db=_rounded(levels.sample_peak_dbfs - levels.rms_dbfs),
    )


def _rounded(decibels: float) -> float | None:
    return round(decibels, 2) if math.isfinite(decibels) else None
