"""How well a chroma vector fits key profiles (rows K1 and K2)."""

from __future__ import annotations

import math
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workers.errors import ParameterError
from workers.kernels.arguments import Floats, as_vector
from workers.kernels.compiled import REFUSED, closed, kernel, opened, warms

TINY, HUGE = 1e-200, 1e200
"""Beyond them sums of squares lose digits or overflow: the vectors are scaled and tried again."""


@closed
@kernel
def _correlate(chroma: Floats, profile: Floats) -> float:
    if chroma.shape[0] != 12 or profile.shape[0] != 12:
        return math.nan
    mean_c = np.float64(0)
    mean_p = np.float64(0)
    flat_c = True
    flat_p = True
    for i in range(12):
        mean_c += chroma[i]
        mean_p += profile[i]
        flat_c &= chroma[i] == chroma[0]
        flat_p &= profile[i] == profile[0]
    mean_c /= 12
    mean_p /= 12
    covariance = np.float64(0)
    variance_c = np.float64(0)
    variance_p = np.float64(0)
    for i in range(12):
        c = chroma[i] - mean_c
        p = profile[i] - mean_p
        covariance += c * p
        variance_c += c * c
        variance_p += p * p
    if flat_c or flat_p:
        return 0.0 * (mean_c + mean_p)
    if not (TINY <= variance_c <= HUGE and TINY <= variance_p <= HUGE):
        return math.nan
    return max(-1.0, min(1.0, covariance / math.sqrt(variance_c) / math.sqrt(variance_p)))


def correlate_chroma_with_profile(chroma: ArrayLike, profile: ArrayLike) -> float:
    """Correlate a chroma vector with a key profile (row K1).

    ``r = sum_i (c_i - mean c)(p_i - mean p) / sqrt(sum_i (c_i - mean c)^2 sum_i (p_i - mean p)^2)``, Pearson's r [1]_.

    Parameters
    ----------
    chroma : array of float32 or float64, shape (12,)
        Energy of each pitch class, C to B.
    profile : array of float32 or float64, shape (12,)
        Weight of each pitch class, the tonic first.

    Returns
    -------
    r : float
        From -1 to 1. 0.0 if either is constant: it then says nothing. Deaf to gain and offset of both.

    Raises
    ------
    ParameterError
        If either is not 12 finite numbers.

    References
    ----------
    .. [1] C. Krumhansl, "Cognitive Foundations of Musical Pitch", Oxford University Press, 1990, chapter 4.
    """
    try:
        r: float = _correlate(chroma, profile)  # type: ignore[arg-type]  # refuses what it cannot take
    except REFUSED:
        r = math.nan
    return r if r == r else _correlate_checked(chroma, profile)


def _correlate_checked(chroma: ArrayLike, profile: ArrayLike) -> float:
    vectors = _alike(_twelve(chroma, "chroma"), _twelve(profile, "profile"))
    r: float = opened(_correlate, *vectors)
    return r if r == r else cast(float, opened(_correlate, *map(_safe_range, vectors)))


def _twelve(x: ArrayLike, name: str) -> Floats:
    vector = as_vector(x, name, keep_double=True)
    if vector.shape != (12,):
        raise ParameterError(f"{name} must have 12 values, not {len(vector)}.")
    if not np.isfinite(vector).all():
        raise ParameterError(f"{name} must be finite.")
    return vector


def _alike(*vectors: Floats) -> list[Floats]:
    """The vectors in the wider of their types, so that kernels are compiled for two types and not for every mix."""
    wide = np.result_type(*vectors)
    return [vector.astype(wide, copy=False) for vector in vectors]


def _safe_range(vector: Floats) -> NDArray[np.float64]:
    """`vector` shrunk or stretched so that its values lie between -1 and 1; zeros if it is constant."""
    wide = vector.astype(np.float64)
    if wide.min() == wide.max():
        return np.zeros_like(wide)
    wide -= wide.min() / 2 + wide.max() / 2
    return np.asarray(wide / np.abs(wide).max())


@kernel
def _score(chroma: Floats, major: Floats, minor: Floats, scores: Floats) -> bool:
    """Fill `scores` (24,); False where it cannot be done precisely: bad shapes, NaN, underflow."""
    if chroma.shape[0] != 12 or major.shape[0] != 12 or minor.shape[0] != 12:
        return False
    centred = np.empty((3, 24))
    for row, vector in enumerate((chroma, major, minor)):
        mean = np.float64(0)
        flat = True
        for i in range(12):
            mean += vector[i]
            flat &= vector[i] == vector[0]
        mean /= 12
        energy = np.float64(0)
        for i in range(12):
            energy += (vector[i] - mean) ** 2
        if not flat and not TINY <= energy <= HUGE:
            return False
        scale = 0.0 if flat else 1.0 / math.sqrt(energy)
        for i in range(12):
            value = (vector[i] - mean) * scale
            if value != value:
                return False
            centred[row, i] = value
            centred[row, i + 12] = value
    for tonic in range(12):
        r_major = np.float64(0)
        r_minor = np.float64(0)
        for i in range(12):
            r_major += centred[0, i + tonic] * centred[1, i]
            r_minor += centred[0, i + tonic] * centred[2, i]
        scores[tonic] = max(-1.0, min(1.0, r_major))
        scores[tonic + 12] = max(-1.0, min(1.0, r_minor))
    return True


@closed
@kernel
def _find_best(chroma: Floats, major: Floats, minor: Floats) -> tuple[int, float, bool]:
    scores = np.empty(24)
    if not _score(chroma, major, minor, scores):
        return -1, 0.0, True
    best = 0
    for key in range(1, 24):
        if scores[key] > scores[best]:
            best = key
    return best % 12, scores[best], best < 12


def find_best_key_match(
    chroma: ArrayLike, major_profile: ArrayLike, minor_profile: ArrayLike
) -> tuple[int, float, bool]:
    """Find which of the 24 keys a chroma vector fits best (row K2).

    ``argmax_(k, m) r(c_((i + k) mod 12), p_m)`` over tonics ``k`` and modes ``m``, with Pearson's ``r`` [1]_.

    Parameters
    ----------
    chroma : array of float32 or float64, shape (12,)
        Energy of each pitch class, C to B.
    major_profile, minor_profile : array of float32 or float64, shape (12,)
        Weight of each pitch class in a major and a minor key, the tonic first.

    Returns
    -------
    key_index : int
        The tonic, 0 for C to 11 for B. Of equal keys the lowest, major before minor.
    score : float
        Its ``r``, -1 to 1. 0.0 if `chroma` is constant: then there is no key, and C major is only the first of equals.
    is_major : bool
        The mode.

    Raises
    ------
    ParameterError
        If a vector is not 12 finite numbers.

    References
    ----------
    .. [1] C. Krumhansl, "Cognitive Foundations of Musical Pitch", Oxford University Press, 1990, chapter 4.
    """
    try:
        match: tuple[int, float, bool] = _find_best(chroma, major_profile, minor_profile)  # type: ignore[arg-type]
    except REFUSED:
        match = (-1, 0.0, True)
    return match if match[0] >= 0 else _find_checked(chroma, major_profile, minor_profile)


def _find_checked(chroma: ArrayLike, major: ArrayLike, minor: ArrayLike) -> tuple[int, float, bool]:
    vectors = _three(chroma, major, minor)
    match: tuple[int, float, bool] = opened(_find_best, *vectors)
    if match[0] < 0:
        match = opened(_find_best, *map(_safe_range, vectors))
    return match


def _three(chroma: ArrayLike, major: ArrayLike, minor: ArrayLike) -> list[Floats]:
    return _alike(_twelve(chroma, "chroma"), _twelve(major, "major_profile"), _twelve(minor, "minor_profile"))


def score_keys(chroma: ArrayLike, major_profile: ArrayLike, minor_profile: ArrayLike) -> NDArray[np.float64]:
    """Score all 24 keys, for who needs to know how far the second is.

    ``scores[k + 12 m] = r(c_((i + k) mod 12), p_m)``: what `find_best_key_match` takes the maximum of.

    Parameters
    ----------
    chroma, major_profile, minor_profile : array of float32 or float64, shape (12,)
        As for `find_best_key_match`.

    Returns
    -------
    scores : ndarray of float64, shape (24,)
        C major to B major, then C minor to B minor, each from -1 to 1.

    Raises
    ------
    ParameterError
        If a vector is not 12 finite numbers.
    """
    c, major, minor = _three(chroma, major_profile, minor_profile)
    scores = np.zeros(24)
    if not _score(c, major, minor, scores):
        _score(_safe_range(c), _safe_range(major), _safe_range(minor), scores)
    return scores


@warms
def _warm() -> None:
    for dtype in (np.float32, np.float64):
        ramp = np.arange(12, dtype=dtype)
        correlate_chroma_with_profile(ramp, ramp)
        find_best_key_match(ramp, ramp, ramp)
        score_keys(ramp, ramp, ramp)
