"""The vector: 128 numbers that say how a sound is, by aspect, on fixed scales."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workers.model import ASPECTS, VECTOR_DIMENSIONS


def embed(parts: dict[str, NDArray[np.float64]]) -> bytes:
    """Put the aspects' numbers in their places."""
    vector = np.zeros(VECTOR_DIMENSIONS, np.float32)
    for aspect, (low, high) in ASPECTS.items():
        values = np.clip(parts[aspect][: high - low], -4, 4)
        vector[low : low + len(values)] = values
    return vector.astype("<f4").tobytes()
