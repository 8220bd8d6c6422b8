"""Levels of the file as it is, before anything is scaled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workers.model import Loudness


def measure(y: NDArray[np.float32], sr: int) -> Loudness:
    """Levels of a signal, (frames, channels), at its own rate."""
    peak = float(np.abs(y).max()) if y.size else 0.0
    if peak == 0.0:
        return Loudness(None, None, None, None)
    rms = float(np.sqrt(np.mean(np.square(y, dtype=np.float64))))
    rms_db, peak_db = 20 * np.log10(rms), 20 * np.log10(peak)
    return Loudness(None, round(peak_db, 2), round(rms_db, 2), round(peak_db - rms_db, 2))
