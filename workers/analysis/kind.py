"""One-shot, loop, track, long recording or silence; and whether there is a pulse or a tonality at all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workers.analysis.key import Chroma, profile_fit
from workers.analysis.learned import load
from workers.analysis.onsets import Onsets
from workers.analysis.periodicity import SLOWEST, Periodicity
from workers.model import Kind, KindLabel

LONG_S = 600.0
"""From here on it is a recording of something, not a piece of music."""

TRACK_S = 40.0
"""Longer single sounds are tracks to whoever looks for samples."""

LOOP_S = 24.0
"""Longer loops are hardly made: 8 bars at 80 BPM."""

Doubles = NDArray[np.float64]

_FIRST_LAG = 20
_TEMPI = np.exp(np.arange(np.log(SLOWEST), np.log(220.0), 0.01))

INPUTS = (
    "duration",
    "onsets",
    "onset rate",
    "second onset",
    "fourth onset",
    "strength",
    "repeat",
    "end level",
    "temporal centroid",
    "level spread",
    "tonalness",
    "chroma peak",
    "chroma flatness",
    "key fit",
    "centroid",
    "flatness",
)
"""Names of what describes a sound as a whole, in order."""

TIME_INPUTS = INPUTS[:7]
"""What a pulse is known by."""

SHAPE_INPUTS = INPUTS[:10]
"""What one-shots and loops are told apart by."""


def describe(
    duration_s: float, onsets: Onsets, p: Periodicity, e: Doubles, chroma: Chroma, centroid_hz: float, flatness: float
) -> Doubles:
    """What a sound is like as a whole, (len(INPUTS),). `e` is its amplitude envelope."""
    count = len(onsets.times)
    ranked = np.sort(onsets.strengths)[::-1]
    first = float(ranked[0]) if count else 1.0
    total = float(e.sum())
    loud = float(e.max()) if len(e) else 0.0
    tail = float(e[-max(1, len(e) // 20) :].mean()) if len(e) else 0.0
    classes = chroma.whole / max(float(chroma.whole.sum()), 1e-12)
    centre = float(e @ np.arange(len(e))) / total / max(1, len(e) - 1) if total > 0 else 0.0
    return np.array(
        [
            np.log2(max(duration_s, 0.01)),
            np.log2(1 + count),
            np.log2(0.1 + count / max(duration_s, 0.05)),
            float(ranked[1]) / first if count > 1 else 0.0,
            float(ranked[3]) / first if count > 3 else 0.0,
            float(p.strength(_TEMPI).max()),
            repeats(p),
            np.log10(max(tail / max(loud, 1e-9), 1e-4)),
            centre,
            float(e.mean()) / max(loud, 1e-9) if len(e) else 0.0,
            chroma.tonalness,
            float(classes.max()),
            float(np.exp(np.log(classes + 1e-4).mean()) * 12),
            profile_fit(chroma),
            np.log2(max(centroid_hz, 20.0) / 1000),
            np.log10(max(flatness, 1e-5)),
        ]
    )


def repeats(p: Periodicity) -> float:
    """The highest autocorrelation at any period from a quarter of a second on: 1 = it repeats exactly."""
    return max(0.0, float(p.mix[_FIRST_LAG:].max())) if p.n_frames > 2 * _FIRST_LAG else 0.0


def classify(duration_s: float, silent: bool, x: Doubles) -> Kind:
    """What kind of file this is; `x` as `describe` makes it."""
    if silent:
        return Kind("silence", 1.0)
    if duration_s > LONG_S:
        return Kind("long recording", 0.95)
    p = _ask("kind", x)
    if p < 0.5:
        return Kind("one-shot" if duration_s <= TRACK_S else "track", round(1 - p, 3))
    label: KindLabel = "loop" if duration_s <= LOOP_S else "track"
    return Kind(label, round(p, 3))


def has_pulse(x: Doubles) -> float:
    """Probability that a sound has a tempo."""
    return _ask("pulse", x)


def has_tonality(x: Doubles) -> float:
    """Probability that a sound has a key."""
    return _ask("tonality", x)


def chosen(x: Doubles, names: tuple[str, ...]) -> Doubles:
    """Those of the inputs that a model was made from, (..., len(names))."""
    return np.asarray(x[..., [INPUTS.index(name) for name in names]])


def _ask(question: str, x: Doubles) -> float:
    model = load(question)
    return model.probability(chosen(x, model.names))
