"""A series of any length in bounded memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]


class Folded:
    """Rows of a series, in cells of one value each; when there are `most`, every two neighbours become one.

    Parameters
    ----------
    merge : numpy.add, numpy.minimum or numpy.maximum
        What becomes of values that share a cell.
    rows : int
        How many series go side by side.
    most : int, even
        Never more cells than this; never fewer than half of it, where the series is that long.
    """

    def __init__(self, merge: np.ufunc, rows: int, most: int) -> None:
        self.width = 1
        """Values in a cell."""
        self._merge, self._most, self._count = merge, most, 0
        self._cells = np.empty((rows, most))
        self._rest = np.empty((rows, 0))

    def add(self, values: NDArray[np.generic]) -> None:
        """Append (rows, n) values."""
        left = np.concatenate([self._rest, values], axis=1)
        while True:
            count = min(left.shape[1] // self.width, self._most - self._count)
            taken = left[:, : count * self.width].reshape(len(left), count, self.width)
            self._cells[:, self._count : self._count + count] = self._merge.reduce(taken, axis=2)
            self._count += count
            left = left[:, count * self.width :]
            if self._count < self._most:
                break
            half = self._merge(self._cells[:, 0::2], self._cells[:, 1::2])
            self._count, self.width = self._most // 2, 2 * self.width
            self._cells[:, : self._count] = half
        self._rest = left

    def cells(self) -> Doubles:
        """All there is, (rows, n_cells); the last cell may be of fewer values than the others."""
        whole = self._cells[:, : self._count]
        if not self._rest.shape[1]:
            return whole.copy()
        return np.concatenate([whole, self._merge.reduce(self._rest, axis=1, keepdims=True)], axis=1)
