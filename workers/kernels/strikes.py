"""How often, how hard and how evenly a sound is struck."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from workers.errors import ParameterError
from workers.kernels.arguments import Doubles, as_doubles, as_number
from workers.kernels.compiled import kernel


class Strikes(NamedTuple):
    """What `describe_strikes` returns."""

    second: float
    """Strength of the second strongest onset against the strongest; 0 where there is none; the next likewise."""
    fourth: float
    strong: int
    """Onsets of more than a share of the strongest's strength."""
    last: float
    """Seconds of the last onset, 0 where there is none; the next two likewise."""
    first_strong: float
    last_strong: float
    strong_unevenness: float
    """Standard deviation of the distances between strong onsets against their mean; NaN where there are none."""
    between: float
    """Median distance between onsets, in seconds; NaN where there are none."""
    unevenness: float
    """As of strong onsets, of all; NaN where there are fewer than two distances."""


@kernel
def _unevenness(gaps: Doubles) -> float:
    mean: float = gaps.sum() / gaps.shape[0]
    squares = 0.0
    for i in range(gaps.shape[0]):
        squares += (gaps[i] - mean) ** 2
    return math.sqrt(squares / gaps.shape[0]) / max(mean, 1e-9)


@kernel
def _gaps(times: Doubles) -> Doubles:
    gaps = np.empty(max(0, times.shape[0] - 1))
    for i in range(gaps.shape[0]):
        gaps[i] = times[i + 1] - times[i]
    return gaps


@kernel
def _strikes(
    times: Doubles, strengths: Doubles, share: float
) -> tuple[float, float, int, float, float, float, float, float, float]:
    n = times.shape[0]
    if n == 0:
        return 0.0, 0.0, 0, 0.0, 0.0, 0.0, np.nan, np.nan, np.nan
    ranked = np.sort(strengths)
    top = max(ranked[n - 1], 1e-9)
    second = ranked[n - 2] / top if n > 1 else 0.0
    fourth = ranked[n - 4] / top if n > 3 else 0.0
    strong = np.empty(n)
    count = 0
    for i in range(n):
        if strengths[i] > share * ranked[n - 1]:
            strong[count] = times[i]
            count += 1
    strong = strong[:count]
    uneven = _unevenness(_gaps(strong)) if count > 1 else np.nan
    gaps = _gaps(times)
    between = np.nan
    if n > 1:
        middle = (n - 1) // 2
        ordered = np.sort(gaps)
        between = ordered[middle] if (n - 1) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    return (
        second,
        fourth,
        count,
        times[n - 1],
        strong[0] if count else 0.0,
        strong[count - 1] if count else 0.0,
        uneven,
        between,
        _unevenness(gaps) if n > 2 else np.nan,
    )


def describe_strikes(times: ArrayLike, strengths: ArrayLike, *, share: float = 0.3) -> Strikes:
    """Describe when a sound is struck, and how hard.

    Parameters
    ----------
    times, strengths : array of float64, shape (n_onsets,)
        Seconds of each onset, in order, and its strength, not negative; there may be none.
    share : float >= 0
        Of the strongest; onsets above it are strong ones.

    Returns
    -------
    strikes : Strikes
        Deaf to what strengths are multiplied by.

    Raises
    ------
    ParameterError
        If one is no vector or their lengths differ.
    """
    at, how = as_doubles(times, "times"), as_doubles(strengths, "strengths")
    if len(at) != len(how):
        raise ParameterError(f"{len(at)} times, but {len(how)} strengths.")
    return Strikes(*_strikes(at, how, as_number(share, "share", least=0.0)))
