"""How alike two vectors are (row K6)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from workers.errors import ParameterError
from workers.kernels.arguments import Floats, as_vector
from workers.kernels.compiled import REFUSED, closed, kernel, opened, warms


@closed
@kernel
def _cosine(a: Floats, b: Floats) -> float:
    n = a.shape[0]
    if b.shape[0] != n or n == 0:
        return math.nan
    dot = np.float64(0)
    aa = np.float64(0)
    bb = np.float64(0)
    for i in range(n):
        x = np.float64(a[i])
        y = np.float64(b[i])
        dot += x * y
        aa += x * x
        bb += y * y
    if not (1e-200 <= aa <= 1e200 and 1e-200 <= bb <= 1e200):
        return math.nan  # nothing, or squares beyond what a float64 holds: looked at outside
    return max(-1.0, min(1.0, dot / (math.sqrt(aa) * math.sqrt(bb))))


def fast_cosine_similarity(a: ArrayLike, b: ArrayLike) -> float:
    """Compute the cosine of the angle between two vectors (row K6).

    ``sum_i a_i b_i / sqrt(sum_i a_i^2 sum_i b_i^2)``.

    For one pair. For many against many a matrix product of normalised columns is faster (`fast_normalize_columns`).

    Parameters
    ----------
    a, b : array of float32 or float64, shape (n,)
        The vectors.

    Returns
    -------
    similarity : float
        From -1 to 1. 0.0 if either is all zeros: it then points nowhere. Deaf to gain.

    Raises
    ------
    ParameterError
        If they are not two vectors of one length, or hold NaN or infinity.
    """
    try:
        cosine: float = _cosine(a, b)  # type: ignore[arg-type]  # refuses what it cannot take
    except REFUSED:
        cosine = math.nan
    return cosine if cosine == cosine else _cosine_checked(a, b)


def _cosine_checked(a: ArrayLike, b: ArrayLike) -> float:
    x = as_vector(a, "a", keep_double=True)
    y = as_vector(b, "b", keep_double=True)
    if len(x) != len(y):
        raise ParameterError(f"a has {len(x)} values and b {len(y)}.")
    peaks = [float(np.abs(vector).max()) for vector in (x, y)]
    if not all(map(math.isfinite, peaks)):
        raise ParameterError("a and b must be finite.")
    if 0.0 in peaks:
        return 0.0
    wide = np.result_type(x, y)
    cosine: float = opened(_cosine, x.astype(wide, copy=False), y.astype(wide, copy=False))
    if cosine == cosine:
        return cosine
    scaled: float = opened(_cosine, x.astype(np.float64) / peaks[0], y.astype(np.float64) / peaks[1])
    return scaled


@warms
def _warm() -> None:
    for dtype in (np.float32, np.float64):
        fast_cosine_similarity(np.ones(2, dtype), np.ones(2, dtype))
