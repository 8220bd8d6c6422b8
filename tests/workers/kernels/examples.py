"""Generated input for kernels, and how much of it: small, so that the slow twins keep up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from workers.kernels.compiled import JIT

needs_numba = pytest.mark.skipif(not JIT, reason="numba is switched off")

quick = settings(deadline=None, max_examples=40, derandomize=True, suppress_health_check=[HealthCheck.too_slow])

unit = st.floats(-1, 1, width=32, allow_subnormal=False)
"""Samples. Values too small for float32 squares count as silence in no definition, so they are left out."""

sample = unit.map(lambda value: 0.0 if abs(value) < 1e-6 else value)
level = st.floats(0, 100, width=32).map(lambda value: 0.0 if value < 1e-3 else value)
gains = st.sampled_from([0.125, 0.5, 2.0, 16.0])
"""Powers of two change no rounding."""


def signals(least: int = 1, most: int = 60, values: Any = sample) -> Any:
    return hnp.arrays(np.float32, st.integers(least, most), elements=values)


def spectrograms(values: Any = level, bins: tuple[int, int] = (1, 12), frames: tuple[int, int] = (1, 8)) -> Any:
    """Matrices (n_bins, n_frames) of either order in memory."""
    shapes = st.tuples(st.integers(*bins), st.integers(*frames))
    return st.tuples(shapes.flatmap(lambda shape: hnp.arrays(np.float32, shape, elements=values)), st.booleans()).map(
        lambda drawn: np.asfortranarray(drawn[0]) if drawn[1] else drawn[0]
    )


chromas = hnp.arrays(np.float64, 12, elements=st.floats(0, 1).map(lambda value: round(value, 4)))
