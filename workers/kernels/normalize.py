"""Columns of length one (row K5)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workers.errors import ParameterError
from workers.kernels.arguments import Floats, as_array
from workers.kernels.compiled import kernel, warms

BLOCK_COLUMNS = 2048
"""Columns measured together: as many as have their sums in the first-level cache. Narrow blocks, which would keep the
matrix itself in the second-level cache between measuring and scaling, were slower: short rows far apart."""


@kernel
def _normalize_columns(matrix: Floats, norm: float, block: int) -> Floats:
    n_rows, n_columns = matrix.shape
    out = np.empty_like(matrix)
    scale = np.empty(block)
    one = matrix.dtype.type(1)
    factors = np.empty(block, matrix.dtype)
    for begin in range(0, n_columns, block):
        size = min(block, n_columns - begin)
        scale[:] = 0
        for i in range(n_rows):
            row = matrix[i, begin : begin + size]
            if norm == 2:
                for j in range(size):
                    scale[j] += np.float64(row[j]) * np.float64(row[j])
            elif norm == 1:
                for j in range(size):
                    scale[j] += abs(np.float64(row[j]))
            else:
                for j in range(size):
                    value = abs(np.float64(row[j]))
                    scale[j] = value if value > scale[j] or value != value else scale[j]
        for j in range(size):
            length = math.sqrt(scale[j]) if norm == 2 else scale[j]
            factors[j] = one if length == 0 else 1 / length
        for i in range(n_rows):
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
