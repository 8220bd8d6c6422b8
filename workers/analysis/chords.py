"""Which of 24 triads sounds when: what tells a minor key from its relative major, whose notes are the same."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SMOOTH = np.array([1, 2, 3, 2, 1], np.float32) / np.float32(9)
"""Over five frames, nearly a second: chords change seldom, passing notes often."""

SHARP = 18.0
"""How much likelier the best triad of a frame is than the next, by the difference of their fit."""

ROOT = 0.15
"""What the root in the bass adds to a triad's fit, which is a cosine."""

Floats = NDArray[np.float32]


def _triads() -> Floats:
    """Unit vectors of the major triads, C first, and then of the minor ones: (24, 12)."""
    shapes = np.zeros((2, 12), np.float32)
    shapes[0, [0, 4, 7]] = shapes[1, [0, 3, 7]] = 1 / np.sqrt(3)
    return np.stack([np.roll(shape, root) for shape in shapes for root in range(12)])


TRIADS = _triads()
