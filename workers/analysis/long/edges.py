"""Where sound begins, ends and is cut off flat, by levels that are known only when all of it has gone by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workers.analysis.defects import CLIP_RUN, NEAR_FULL_SCALE, SAME_LEVEL
from workers.kernels.waveform import Ends, find_ends
from workers.kernels.weighting import CHUNK

_STEPS = 256
"""Levels are told apart to so many parts of an octave: 0.3 %."""
_LOWEST = 1e-9


class Edges:
    """The first and the last chunk of `CHUNK` samples above any level, for every level at once."""

    def __init__(self) -> None:
        self._chunks = 0
        self._first: list[tuple[int, int]] = []
        """Chunks louder than all before, (chunk, level), rising."""
        self._last: list[tuple[int, int]] = []
        """Chunks as loud as none behind them, falling."""

    def add(self, peaks: NDArray[np.float32]) -> None:
        """Take the largest magnitudes of the next chunks."""
        levels = _level(peaks)
        loudest = self._first[-1][1] if self._first else _level(np.zeros(1, np.float32))[0]
        so_far = np.maximum.accumulate(np.concatenate([[loudest], levels]))
        risen = np.flatnonzero(np.diff(so_far))
        self._first += [(self._chunks + int(at), int(levels[at])) for at in risen]
        to_come = np.maximum.accumulate(levels[::-1])[::-1]
        kept = np.flatnonzero(np.append(to_come[:-1] > to_come[1:], True))
        while self._last and self._last[-1][1] <= int(to_come[0]):
            self._last.pop()
        self._last += [(self._chunks + int(at), int(levels[at])) for at in kept]
        self._chunks += len(levels)

    def above(self, threshold: float) -> tuple[int, int] | None:
        """The first and the last chunk louder than a level; ``None`` where none is."""
        least = int(_level(np.array([threshold], np.float32))[0])
        first = next((at for at, level in self._first if level > least), None)
        last = next((at for at, level in reversed(self._last) if level > least), None)
        return None if first is None or last is None else (first, last)


def _level(peaks: NDArray[np.float32]) -> NDArray[np.int64]:
    found: NDArray[np.int64] = np.floor(_STEPS * np.log2(np.maximum(peaks, _LOWEST))).astype(np.int64)
    return found


class Clipping:
    """Runs of samples at the ceiling, which is that of the highest sample so far: a higher one begins anew."""

    def __init__(self) -> None:
        self._top = 0.0
        self.runs = 0
        self.first_run = -1

    def add(self, y: NDArray[np.float32], peaks: NDArray[np.float32], at: int) -> None:
        """Look at a stretch, (frames, channels), that begins at frame `at`."""
        top = float(peaks.max())
        if top > self._top:
            if self._top < SAME_LEVEL * top:
                self.runs, self.first_run = 0, -1
            self._top = top
        ceiling = SAME_LEVEL * self._top
        if self._top < NEAR_FULL_SCALE or top < ceiling:
            return
        found = find_ends(y, peaks, threshold=self._top, ceiling=ceiling, run=CLIP_RUN)
        self.runs += found.runs
        if self.first_run < 0 <= found.first_run:
            self.first_run = at + found.first_run


def ends_of(edges: Edges, clipping: Clipping, n: int, threshold: float) -> Ends:
    """What `find_ends` says of the whole, first and last to a chunk."""
    heard = edges.above(threshold)
    first, last = (n, 0) if heard is None else (heard[0] * CHUNK, min(n, (heard[1] + 1) * CHUNK))
    return Ends(first, last, clipping.runs, clipping.first_run)
