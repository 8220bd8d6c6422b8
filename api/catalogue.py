"""The whole index in memory, column by column: searches with a filter compare all that pass, and no graph is asked.

Measured with 100,000 vectors: Chroma needs 0.1 to 1.2 s to say which of them pass a filter, and 0.4 to 1.6 s for the
nearest of those; to tell it here is a comparison of columns, and to compare 20,000 vectors some milliseconds.
It is read from the index page by page once somebody searches with a filter, some 0.7 KB a vector.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from stores import filters
from stores.doors import Vectors
from stores.records import Bounds, PendingVector, SampleFilter
from workers.model import VECTOR_DIMENSIONS

_PAGE: Final = 2000
_AT_ONCE: Final = 500
"""So many new vectors are read while a search waits; more are read behind it, and it asks the index."""
_FRESH_S: Final = 1.0
_NONE: Final = -1
_NUMBERS: Final = tuple(name for name in filters.RANGES if name in filters.METADATA)
_WORDS: Final = tuple(name for name in filters.EQUALS if name in filters.METADATA)

Mask = NDArray[np.bool_]


class Catalogue:
    """Every vector of the index, with what it can be filtered by. Safe to share among threads.

    Parameters
    ----------
    index : what is read
    most : an index with more vectors is not kept
    """

    def __init__(self, index: Vectors, most: int) -> None:
        self._index, self._most = index, most
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        self._rows = _Rows()
        self._wanted = self._whole = False
        self._looked_at = 0.0

    def clear(self) -> None:
        """Forget all of it: the index is another."""
        with self._lock:
            self._rows, self._whole, self._looked_at = _Rows(), False, 0.0

    def read_ahead(self) -> bool:
        """Read the next page, if a search wants it; whether there may be more.

        Raises
        ------
        StoreUnavailable, VectorIndexBroken
            The index does not answer.
        """
        return self._wanted and not self._whole and self._read(_PAGE)

    def best(
        self, direction: bytes, where: SampleFilter, space: int | None, most: int
    ) -> tuple[dict[str, bytes], bool] | None:
        """Of those that pass what the index knows of a filter the `most` nearest to a direction, nearest first; and
        whether there are no more. ``None`` where not all of the index has been read yet.

        Raises
        ------
        StoreUnavailable, VectorIndexBroken
            The index does not answer.
        """
        self._wanted = True
        if not self._followed():
            return None
        with self._lock:
            rows, n = self._rows, self._rows.n
        found = np.flatnonzero(rows.passing(where, space, n))
        near = rows.nearest(np.frombuffer(direction, "<f4"), found, n, most)
        return {rows.ids[at]: rows.X[at].tobytes() for at in near}, len(found) < most

    def _followed(self) -> bool:
        """Whether all is read, and what came since as well."""
        begun = self._rows.n > 0
        if (self._whole or not begun) and time.monotonic() - self._looked_at > _FRESH_S:
            self._read(_AT_ONCE)
        return self._whole

    @property
    def whole(self) -> bool:
        """Whether all of the index has been read."""
        return self._whole

    def _read(self, limit: int) -> bool:
        """Read as many as are new, some `limit` at most; whether there are more than are wanted here or were read."""
        with self._reading:
            rows, count = self._rows, self._index.count()
            self._looked_at = time.monotonic()
            if count > self._most:
                self.clear()
                return False
            new = self._behind(rows, min(limit, count - rows.n)) if count != rows.n else []
            with self._lock:
                if new is None or rows is not self._rows:
                    self._rows, self._whole = _Rows(), False
                    return True
                rows.add(new)
                self._whole = rows.n >= count
            return not self._whole

    def _behind(self, rows: _Rows, limit: int) -> Sequence[PendingVector] | None:
        """The next behind these; ``None`` where the last of these is not in its place, since some were removed: the
        index lists in the order of arrival."""
        last = rows.ids[-1:]
        found = self._index.page(rows.n - len(last), limit + len(last)) if limit > 0 else []
        return found[len(last) :] if [each.id for each in found[: len(last)]] == last else None


class _Rows:
    """Vectors and facts, column by column. Those behind `n` are not there yet for who read it before."""

    def __init__(self) -> None:
        self.n = 0
        self.ids: list[str] = []
        self.X = np.zeros((0, VECTOR_DIMENSIONS), np.float32)
        self._numbers = {name: np.zeros(0) for name in _NUMBERS}
        self._words = {name: np.zeros(0, np.int16) for name in (*_WORDS, "space")}
        self._codes: dict[object, int] = {}

    def add(self, vectors: Sequence[PendingVector]) -> None:
        """Append them."""
        if not vectors:
            return
        start, end = self.n, self.n + len(vectors)
        self._grow(end)
        self.X[start:end] = np.frombuffer(b"".join(each.vector for each in vectors), "<f4").reshape(len(vectors), -1)
        for name, numbers in self._numbers.items():
            numbers[start:end] = [_number(each.metadata.get(name)) for each in vectors]
        for name, codes in self._words.items():
            codes[start:end] = [self._code(each.metadata.get(name)) for each in vectors]
        self.ids += [each.id for each in vectors]
        self.n = end

    def _grow(self, least: int) -> None:
        if least <= len(self.X):
            return
        room = max(least, 2 * len(self.X))
        self.X = _longer(self.X, room)
        self._numbers = {name: _longer(numbers, room) for name, numbers in self._numbers.items()}
        self._words = {name: _longer(codes, room) for name, codes in self._words.items()}

    def _code(self, value: object) -> int:
        """A small number for a word."""
        return _NONE if value is None else self._codes.setdefault(value, len(self._codes))

    def passing(self, where: SampleFilter, space: int | None, n: int) -> Mask:
        """Which of the first `n` pass: as `filters.indexed`, all at once."""
        bpm = [self._within("bpm", bounds, n) for bounds in filters.tempi(where)]
        passes: Mask = np.logical_or.reduce(bpm) & self._within("duration_s", where.duration_s, n)
        asked: Mapping[str, Sequence[Any]] = {
            **{name: filters.chosen(getattr(where, name)) for name in _WORDS},
            "space": () if space is None else (space,),
        }
        for name, values in asked.items():
            if values:
                codes = [self._codes.get(value, _NONE - 1) for value in values]
                passes &= np.logical_or.reduce([self._words[name][:n] == code for code in codes])
        return passes

    def _within(self, name: str, bounds: Bounds | None, n: int) -> Mask:
        low, high = bounds or (None, None)
        numbers = self._numbers[name][:n]
        if low is None and high is None:
            return np.ones(n, dtype=np.bool_)
        above = numbers >= (-np.inf if low is None else low)  # what is not known is NaN, and never within
        return np.asarray(above & (numbers <= (np.inf if high is None else high)))

    def nearest(self, direction: NDArray[np.float32], found: NDArray[np.intp], n: int, most: int) -> NDArray[np.intp]:
        """Of the rows `found` the `most` with the highest inner product, highest first."""
        few = len(found) < n // 4
        scores = self.X[found] @ direction if few else (self.X[:n] @ direction)[found]
        if most < len(found):
            best = np.argpartition(-scores, most - 1)[:most]
            found, scores = found[best], scores[best]
        return found[np.argsort(-scores, kind="stable")]


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else np.nan


def _longer(column: NDArray[Any], room: int) -> NDArray[Any]:
    longer = np.zeros((room, *column.shape[1:]), column.dtype)
    longer[: len(column)] = column
    return longer
