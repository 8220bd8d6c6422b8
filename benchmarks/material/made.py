"""What every recipe gives back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.material.rows import Row


@dataclass(frozen=True, slots=True)
class Made:
    """One sound, shape (frames, 2), its rate and what is true of it."""

    y: NDArray[np.float32]
    sr: int
    row: Row
