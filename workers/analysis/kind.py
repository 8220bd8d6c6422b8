"""One-shot, loop, track, long recording or silence."""

from __future__ import annotations

import numpy as np

from workers.analysis.onsets import Onsets
from workers.model import Descriptors, Kind, KindLabel

LONG_S = 600.0
TRACK_S = 30.0


def classify(duration_s: float, silent: bool, onsets: Onsets, envelope: Descriptors, pulse_clarity: float) -> Kind:
    """What kind of file this is, from its length, its onsets and how it ends."""
    if silent:
        return Kind("silence", 1.0)
    if duration_s > LONG_S:
        return Kind("long recording", 0.95)
    if duration_s > TRACK_S:
        return Kind("track", 0.9)
    count = len(onsets.times)
    end = envelope.get("end_level_db")
    end_db = float(end) if isinstance(end, float | int) else -80.0
    x = 1.2 * np.log2(1 + count) - 2.6 + 0.04 * (end_db + 40) + 3 * (pulse_clarity - 0.3)
    if duration_s < 0.6:
        x -= 2
    p = float(1 / (1 + np.exp(-x)))
    label: KindLabel = "loop" if p >= 0.5 else "one-shot"
    return Kind(label, round(max(p, 1 - p), 3))
