"""Where notes begin: from a mel spectrogram to onsets, in one call."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workers.errors import ParameterError
from workers.kernels.arguments import Doubles, Float32, as_array, as_count, as_indices, as_number
from workers.kernels.compiled import kernel, warms
from workers.kernels.envelopes import WEIGHTS, _local_mean, _rises, _sharpen_all
from workers.kernels.peaks import CLIMB, _spaced_maxima
from workers.kernels.vectors import LANES


class Beginnings(NamedTuple):
    """What `find_beginnings` returns."""

    rows: Doubles
    """`onset_envelopes`, each under `sharpen`: full, the bands, energy, (n_bands + 2, n_frames)."""
    frames: NDArray[np.int64]
    """Of each onset, (n_onsets,), rising."""
    strengths: Doubles
    """Rise of each, in dB, (n_onsets,)."""


@kernel
def _beginnings(
    M: Float32,
    edges: NDArray[np.int64],
    lag: int,
    range_db: float,
    weights: Doubles,
    reach: int,
    near: int,
    least: float,
    share: float,
    apart: int,
) -> tuple[Doubles, NDArray[np.int64], Doubles]:
    bands, n = M.shape
    padded = np.zeros((bands, (n + LANES - 1) // LANES * LANES), np.float32)
    padded[:, :n] = M
    rises = np.empty((edges.shape[0] + 1, n))
    start = _rises(padded, n, edges, lag, range_db, rises)
    full = np.zeros(n + 2)
    full[1 : n + 1] = rises[0]
    full[1] = max(full[1], start)
    mean = np.empty(n)
    _local_mean(full[1 : n + 1], near, mean)
    top = full.max()
    peaks = _spaced_maxima(full, least, apart)
    strengths = np.empty(peaks.shape[0])
    count = 0
    for i in range(peaks.shape[0]):
        at = peaks[i]
        if full[at] >= max(mean[at - 1] + share * top, least):
            strengths[count] = full[at]
            peaks[count] = at - 1
            count += 1
    rows = np.empty(rises.shape)
    _sharpen_all(rises, weights, reach, 0.8, rows)
    return rows, peaks[:count].copy(), strengths[:count].copy()


def find_beginnings(
    M: ArrayLike,
    band_edges: ArrayLike,
    *,
    lag: int,
    range_db: float,
    reach: int,
    near: int,
    least: float,
    share: float,
    apart: int,
) -> Beginnings:
    """Find where notes begin, and how a mel spectrogram rises.

    Peaks of the mean rise of `workers.kernels.envelopes.onset_envelopes` that are at least `least` dB high, `apart`
    frames from any higher one, and ``share max e`` above the mean of the `near` frames on either side. What sounds from
    the very first frame on began there.

    Parameters
    ----------
    M : array of float32, shape (n_mels, n_frames)
        Mel spectrogram, power.
    band_edges, lag, range_db
        As in `onset_envelopes`.
    reach : int >= 1
        Of `workers.kernels.envelopes.sharpen`.
    near : int >= 1
    least, share : float
    apart : int, 2 to `workers.kernels.peaks.CLIMB`

    Returns
    -------
    beginnings : Beginnings

    Raises
    ------
    ParameterError
        If `M` is not a non-empty matrix, the edges do not rise from its first row to its last, or a number is out of
        range.
    """
    cells, edges = as_array(M, "M", 2), as_indices(band_edges, "band_edges")
    told = edges.tolist()
    if told != sorted(set(told)) or told[:1] + told[-1:] != [0, len(cells)]:
        raise ParameterError(f"band_edges must rise from 0 to {len(cells)}.")
    distance = as_count(apart, "apart", least=2)
    if distance > CLIMB:
        raise ParameterError(f"apart must be at most {CLIMB}, not {distance}.")
    counts = as_count(reach, "reach"), as_count(near, "near")
    floor, part = as_number(least, "least"), as_number(share, "share")
    depth = as_number(range_db, "range_db", above=0.0)
    lag = as_count(lag, "lag")
    return Beginnings(*_beginnings(cells, edges, lag, depth, WEIGHTS, *counts, floor, part, distance))


@warms
def _warm() -> None:
    cells = np.ones((2, 4), np.float32)
    find_beginnings(cells, [0, 1, 2], lag=1, range_db=50.0, reach=1, near=1, least=1.0, share=0.1, apart=2)
