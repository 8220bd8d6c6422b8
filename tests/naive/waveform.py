"""A waveform's mix, ends and flat tops, sample by sample."""

from __future__ import annotations

import math
from collections.abc import Sequence

Frames = Sequence[Sequence[float]]


def mix(y: Frames) -> tuple[list[float], list[float], list[float], float]:
    """Mono, sums, energies, peak."""
    channels = list(zip(*y, strict=True))
    return (
        [math.fsum(frame) / len(frame) for frame in y],
        [math.fsum(channel) for channel in channels],
        [math.fsum(x * x for x in channel) for channel in channels],
        max(abs(x) for frame in y for x in frame),
    )


def ends(y: Frames, threshold: float, ceiling: float, run: int) -> tuple[int, int, int, int]:
    """First, last, runs, first run."""
    loud = [t for t, frame in enumerate(y) if max(abs(x) for x in frame) > threshold]
    begins = (
        [begin for channel in zip(*y, strict=True) for begin in flat_runs(channel, ceiling, run)] if ceiling else []
    )
    return loud[0] if loud else len(y), loud[-1] + 1 if loud else 0, len(begins), min(begins, default=-1)


def flat_runs(channel: Sequence[float], ceiling: float, run: int) -> list[int]:
    """Where stretches of one sign at the ceiling begin that last for at least `run` samples."""
    side = [0 if abs(x) < ceiling else (1 if x > 0 else -1) for x in channel]
    begins = [t for t, s in enumerate(side) if s and (t == 0 or side[t - 1] != s)]
    return [t for t in begins if side[t : t + run] == [side[t]] * run]
