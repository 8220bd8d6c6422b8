"""Columns of length one (row K5)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workers.errors import ParameterError
from workers.kernels.arguments import Doubles, Floats, as_array
from workers.kernels.compiled import kernel, warms

BLOCK_COLUMNS = 2048
"""Columns measured together: as many as have their sums in the first-level cache. Narrow blocks, which would keep the
matrix itself in the second-level cache between measuring and scaling, were slower: short rows far apart."""
BLOCK_ROWS = 64
"""Rows scaled together. From the last block to the first: what was measured last is still in the cache."""
LEAST_SQUARE, GREATEST_SQUARE = 1e-30, 1e30
"""Between them a sum of squares has a root and a reciprocal in float32 that is no subnormal."""


@kernel
def _add_squares(matrix: Floats, begin: int, sums: Doubles) -> None:
    """Sums of squares of some columns. Eight rows at once: their sums are read and written an eighth as often."""
    n_rows, size = matrix.shape[0], sums.shape[0]
    end, i = begin + size, 0
    while i + 8 <= n_rows:
        a, b, c, d = matrix[i, begin:end], matrix[i + 1, begin:end], matrix[i + 2, begin:end], matrix[i + 3, begin:end]
        i += 4
        p, q, r, s = matrix[i, begin:end], matrix[i + 1, begin:end], matrix[i + 2, begin:end], matrix[i + 3, begin:end]
        i += 4
        for j in range(size):
            sums[j] += (
                (_square(a[j]) + _square(b[j]) + _square(c[j]) + _square(d[j]))
                + (_square(p[j]) + _square(q[j]) + _square(r[j]) + _square(s[j]))
            )  # fmt: skip
    while i < n_rows:
        row = matrix[i, begin:end]
        i += 1
        for j in range(size):
            sums[j] += _square(row[j])


@kernel
def _square(value: np.float32) -> np.float64:
    return np.float64(value) * np.float64(value)


@kernel
def _add_sizes(matrix: Floats, begin: int, norm: float, sums: Doubles) -> None:
    """Sums of absolute values of some columns, or the largest of each."""
    size = sums.shape[0]
    for i in range(matrix.shape[0]):
        row = matrix[i, begin : begin + size]
        if norm == 1:
            for j in range(size):
                sums[j] += abs(np.float64(row[j]))
        else:
            for j in range(size):
                value = abs(np.float64(row[j]))
                sums[j] = value if value > sums[j] or value != value else sums[j]


@kernel
def _invert_roots(squares: Doubles, factors: Floats) -> None:
    """``1 / sqrt`` of each, and 1 of 0.

    For float32 a guess in float32 and one step of Newton's, which squares its error: the same number as from a root
    and a division in float64, which take four times as long.
    """
    outside = 0
    for j in range(squares.shape[0]):
        outside += (not squares[j] > LEAST_SQUARE) | (not squares[j] < GREATEST_SQUARE)
    if outside == 0 and factors.itemsize == 4:
        for j in range(squares.shape[0]):
            guess = np.float64(np.float32(1) / np.sqrt(np.float32(squares[j])))
            factors[j] = guess * (1.5 - 0.5 * squares[j] * guess * guess)
    else:
        for j in range(squares.shape[0]):
            squares[j] = math.sqrt(squares[j])
        _invert(squares, factors)


@kernel
def _invert(lengths: Doubles, factors: Floats) -> None:
    for j in range(lengths.shape[0]):
        factors[j] = 1.0 if lengths[j] == 0 else 1.0 / lengths[j]


@kernel
def _normalize_columns(matrix: Floats, norm: float, block: int) -> Floats:
    n_rows, n_columns = matrix.shape
    out = np.empty_like(matrix)
    for begin in range(0, n_columns, block):
        size = min(block, n_columns - begin)
        lengths = np.zeros(size)
        factors = np.empty(size, matrix.dtype)
        if norm == 2:
            _add_squares(matrix, begin, lengths)
            _invert_roots(lengths, factors)
        else:
            _add_sizes(matrix, begin, norm, lengths)
            _invert(lengths, factors)
        for top in range(n_rows - (n_rows - 1) % BLOCK_ROWS - 1, -1, -BLOCK_ROWS):
            for i in range(top, min(top + BLOCK_ROWS, n_rows)):
                row = matrix[i, begin : begin + size]
                written = out[i, begin : begin + size]
                for j in range(size):
                    written[j] = row[j] * factors[j]
    return out


@kernel
def _normalize_rows(matrix: Floats, norm: float) -> Floats:
    n_rows, n_columns = matrix.shape
    out = np.empty_like(matrix)
    for i in range(n_rows):
        row = matrix[i]
        length = np.float64(0)
        if norm == 2:
            for j in range(n_columns):
                length += np.float64(row[j]) * np.float64(row[j])
            length = np.sqrt(length)
        elif norm == 1:
            for j in range(n_columns):
                length += abs(np.float64(row[j]))
        else:
            for j in range(n_columns):
                value = abs(np.float64(row[j]))
                length = value if value > length or value != value else length
        factor = 1.0 if length == 0 else 1.0 / length
        for j in range(n_columns):
            out[i, j] = row[j] * factor
    return out


def fast_normalize_columns(matrix: ArrayLike, *, norm: float = 2) -> NDArray[np.float32] | NDArray[np.float64]:
    """Scale the columns of a matrix to length one (row K5).

    ``out[i, j] = matrix[i, j] / (sum_i |matrix[i, j]|^p)^(1/p)``, with ``p`` the `norm`; for infinity the maximum.

    Parameters
    ----------
    matrix : array of float32 or float64, shape (n_rows, n_columns), C or Fortran order
        For instance a chromagram or vectors side by side. Other types are converted to float32.
    norm : 1, 2 or numpy.inf
        Sum of absolute values, Euclidean length, or largest absolute value.

    Returns
    -------
    normalized : ndarray, shape (n_rows, n_columns), of the type and order of `matrix`
        Columns of length one; a column of zeros stays one. Deaf to the gain of each column.

    Raises
    ------
    ParameterError
        If `matrix` is not a non-empty matrix, or `norm` is none of the three.
    """
    if norm not in (1, 2, math.inf):
        raise ParameterError(f"norm must be 1, 2 or infinity, not {norm!r}.")
    if isinstance(matrix, np.ndarray) and matrix.ndim == 2 and matrix.flags.f_contiguous:
        by_column: Floats = _normalize_rows(as_array(matrix.T, "matrix", 2, keep_double=True), float(norm))
        return by_column.T
    array = as_array(matrix, "matrix", 2, keep_double=True)
    normalized: Floats = _normalize_columns(array, float(norm), BLOCK_COLUMNS)
    return normalized


@warms
def _warm() -> None:
    for dtype in (np.float32, np.float64):
        fast_normalize_columns(np.ones((2, 2), dtype))
        fast_normalize_columns(np.ones((2, 2), dtype, order="F"))
