"""Small pictures: a waveform and a spectrogram in so many columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workers.errors import ParameterError
from workers.kernels.arguments import Float32, as_count, as_number, as_vector
from workers.kernels.compiled import kernel, warms
from workers.kernels.lanes import higher, highest, load, lower, splat
from workers.kernels.vectors import LANES


@kernel
def _peaks(y: Float32, parts: int, out: NDArray[np.int8]) -> None:
    n = y.shape[0]
    for p in range(parts):
        begin = p * n // parts
        end = max(begin + 1, (p + 1) * n // parts)
        least = y[begin]
        most = y[begin]
        i = begin
        if end - begin >= LANES:
            down = load(y, begin)
            up = down
            while i + LANES <= end:
                v = load(y, i)
                down = lower(down, v)
                up = higher(up, v)
                i += LANES
            most = np.float32(highest(up))
            least = -np.float32(highest(splat(np.float32(0)) - down))
        for k in range(i, end):
            least = y[k] if y[k] < least else least
            most = y[k] if y[k] > most else most
        out[p, 0] = np.int8(np.rint(max(np.float32(-127), min(np.float32(127), least * np.float32(127)))))
        out[p, 1] = np.int8(np.rint(max(np.float32(-127), min(np.float32(127), most * np.float32(127)))))


def draw_peaks(y: ArrayLike, parts: int) -> NDArray[np.int8]:
    """Draw a waveform: the lowest and the highest sample of each part of it.

    ``round(127 y)``, kept within -127 and 127, of part ``p`` from sample ``floor(p n / parts)`` on; where there are
    fewer samples than parts, some are drawn again.

    Parameters
    ----------
    y : array of float32, shape (n_samples,)
        The signal.
    parts : int >= 1
        How many.

    Returns
    -------
    peaks : ndarray of int8, shape (parts, 2)
        Lowest and highest.

    Raises
    ------
    ParameterError
        If `y` is not a non-empty vector or ``parts < 1``.
    """
    signal: Float32 = as_vector(y, "y")
    out = np.empty((as_count(parts, "parts"), 2), np.int8)
    _peaks(signal, len(out), out)
    return out


@kernel
def _columns(S: Float32, deepest: float, out: NDArray[np.uint8]) -> None:
    rows, n = S.shape
    columns = out.shape[1]
    floor = np.float32(deepest)
    scale = np.float32(-255.0 / deepest)
    begins = np.empty(columns + 1, np.int64)
    for c in range(columns + 1):
        begins[c] = c * n // columns
    row = np.empty(columns, np.float32)
    if n < columns:  # each frame is drawn once or several times
        cells = np.empty(n, np.uint8)
        for m in range(rows):
            for t in range(n):
                cells[t] = np.uint8(np.rint(min(np.float32(255), (max(floor, S[m, t]) - floor) * scale)))
            for c in range(columns):
                out[m, c] = cells[begins[c]]
        return
    for m in range(rows):
        for c in range(columns):
            top = floor
            for t in range(begins[c], max(begins[c] + 1, begins[c + 1])):
                top = max(top, S[m, t])
            row[c] = top
        for c in range(columns):
            out[m, c] = np.uint8(np.rint(min(np.float32(255), (row[c] - floor) * scale)))


def draw_columns(S_db: ArrayLike, columns: int, deepest: float) -> NDArray[np.uint8]:
    """Draw a spectrogram: the loudest frame of each column.

    ``round(255 (1 - S_db / deepest))``, kept within 0 and 255, of column ``c`` from frame ``floor(c n / columns)`` on.

    Parameters
    ----------
    S_db : array of float32, shape (n_rows, n_frames)
        Decibels below the loudest.
    columns : int >= 1
        How many.
    deepest : float < 0
        What is 0, in dB.

    Returns
    -------
    picture : ndarray of uint8, shape (n_rows, columns)
        0 dB is 255.

    Raises
    ------
    ParameterError
        If `S_db` is not a non-empty matrix or a number is out of range.
    """
    S = np.asarray(S_db)
    if S.ndim != 2 or S.size == 0 or S.dtype != np.float32:
        raise ParameterError(f"S_db must be a non-empty matrix of float32, not {S.shape} of {S.dtype}.")
    as_number(-deepest, "-deepest", above=0.0)
    out = np.empty((len(S), as_count(columns, "columns")), np.uint8)
    _columns(S, deepest, out)
    return out


@warms
def _warm() -> None:
    draw_peaks(np.ones(2, np.float32), 1)
    draw_columns(np.zeros((2, 32), np.float32)[:, :20], 2, -80.0)
