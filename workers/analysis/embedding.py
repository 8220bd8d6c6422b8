"""The vector: 128 numbers that say how a sound is, by aspect, on fixed scales."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workers.analysis.overview import Overview
from workers.analysis.timbre import mel_db
from workers.model import ASPECTS, VECTOR_DIMENSIONS, Pitch


def embed(seen: Overview, note: Pitch) -> bytes:
    """Put the aspects' numbers in their places."""
    decibels = mel_db(seen.spectra)
    parts: dict[str, NDArray[np.float64]] = {
        "timbre": decibels.mean(axis=1)[:40] / 20 + 2,
        "pitch": np.concatenate([seen.chroma.whole, seen.chroma.bass]),
        "rhythm": np.zeros(24),
        "dynamics": np.zeros(16),
        "spectrum": decibels.max(axis=1)[::2] / 20 + 2,
    }
    vector = np.zeros(VECTOR_DIMENSIONS, np.float32)
    for aspect, (low, high) in ASPECTS.items():
        values = np.clip(parts[aspect][: high - low], -4, 4)
        vector[low : low + len(values)] = values
    return vector.astype("<f4").tobytes()
