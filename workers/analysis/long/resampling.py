"""A mono signal that comes in stretches, to the rate of the analysis."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from workers.analysis.mono import LOWEST_RATE, SR

Floats = NDArray[np.float32]
Resample = Callable[[Floats, bool], Floats]
"""(stretch, whether it is the last) -> what it adds at `SR`."""


def resampler(sr: int) -> Resample:
    """As `workers.analysis.mono` resamples: nothing to do at `SR`, linear below `LOWEST_RATE`, polyphase elsewhere."""
    if sr == SR:
        return lambda y, last: y
    if sr < LOWEST_RATE:
        return Linear(sr).add
    import soxr

    stream = soxr.ResampleStream(sr, SR, 1, dtype="float32", quality="HQ")
    return lambda y, last: np.asarray(stream.resample_chunk(y, last=last), np.float32)


class Linear:
    """Between every two samples a straight line."""

    def __init__(self, sr: int) -> None:
        self._step = sr / SR
        self._begin = self._made = 0
        self._y = np.zeros(0, np.float32)

    def add(self, y: Floats, last: bool) -> Floats:
        """What the next stretch adds; behind the last sample, that sample."""
        self._y = np.concatenate([self._y, y])
        end = self._begin + len(self._y)
        upto = max(1, round(end / self._step)) if last else int((end - 1) / self._step) + 1
        at = np.arange(self._made, upto) * self._step - self._begin
        made = np.asarray(np.interp(at, np.arange(len(self._y)), self._y), np.float32)
        self._begin, self._made, self._y = end - 1, upto, self._y[-1:]
        return made
