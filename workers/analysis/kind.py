"""One-shot, loop, track, long recording or silence; and whether there is a pulse or a tonality at all."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from workers.analysis.key import MAJOR, MINOR, Chroma
from workers.analysis.learned import load_quadratic
from workers.analysis.onsets import RATE, Onsets
from workers.analysis.periodicity import COMB, SLOWEST, Periodicity
from workers.kernels.answers import answer_yes
from workers.kernels.course import Course
from workers.kernels.envelopes import Shape
from workers.kernels.portrait import Compared, Struck, Tonal, describe_whole
from workers.model import Kind, KindLabel

LONG_S = 600.0
"""From here on it is a recording of something, not a piece of music."""

TRACK_S = 40.0
"""Longer single sounds are tracks to whoever looks for samples."""

LOOP_S = 24.0
"""Longer loops are hardly made: 8 bars at 80 BPM."""

LONG_LOOP_S = 36.0
EIGHT_BARS = (24, 32)
"""Up to here it is one still if it is eight bars long, in beats of three or four a bar."""

Doubles = NDArray[np.float64]

_FIRST_LAG = 20
_TEMPI = np.exp(np.arange(np.log(SLOWEST), np.log(220.0), 0.01))
_COMPARED = Compared(60 * RATE / _TEMPI, *COMB, MAJOR, MINOR)

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
    "last onset",
    "last strong onset",
    "span of strong onsets",
    "second half",
    "last quarter",
    "rise after peak",
    "start level",
    "unevenness",
    "strong onsets",
    "likeliest chord",
    "likeliest 3 chords",
    "likeliest 6 chords",
    "chord entropy",
    "chroma second",
    "chroma third",
    "chroma seven",
    "register",
    "rise of the strongest",
    "rise of the strong half",
    "rise of the usual",
)
"""Names of what describes a sound as a whole, in order."""

TIME_INPUTS = INPUTS[:7]
"""What a pulse is known by."""

SHAPE_INPUTS = (*INPUTS[:10], *INPUTS[16:25], *INPUTS[33:])
"""What one-shots and loops are told apart by."""

TONAL_INPUTS = (INPUTS[0], INPUTS[2], *INPUTS[9:16], *INPUTS[25:33])
"""What music with a key is known by."""

FIRST_NOTE, SECOND_NOTE, THIRD_NOTE, SECOND_ONSET = (
    INPUTS.index(name) for name in ("chroma peak", "chroma second", "chroma third", "second onset")
)


def describe(
    duration_s: float,
    onsets: Onsets,
    p: Periodicity,
    shape: Shape,
    course: Course,
    chroma: Chroma,
    centroid_hz: float,
    flatness: float,
) -> Doubles:
    """What a sound is like as a whole, (len(INPUTS),). `shape` and `course` are of its amplitude envelope."""
    return describe_whole(
        duration_s,
        Struck(onsets.times, onsets.strengths, p.mix, p.n_frames),
        Tonal(chroma.chords, chroma.whole, chroma.register, chroma.tonalness),
        _COMPARED,
        shape,
        course,
        centroid_hz=centroid_hz,
        flatness=flatness,
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
    p = _asked("kind", x)
    if p < 0.5:
        return Kind("one-shot" if duration_s <= TRACK_S else "track", round(1 - p, 3))
    label: KindLabel = "loop" if duration_s <= LOOP_S else "track"
    return Kind(label, round(p, 3))


def has_pulse(x: Doubles) -> float:
    """Probability that a sound has a tempo."""
    return _asked("pulse", x)


def has_tonality(x: Doubles) -> float:
    """Probability that a sound has a key."""
    return _asked("tonality", x)


def _asked(question: str, x: Doubles) -> float:
    """The answer to a question by its model."""
    model = load_quadratic(question)
    places = _places(model.names)
    return answer_yes(x, places, model.table, model.products, bias=model.bias, temperature=model.temperature)


def chosen(x: Doubles, names: tuple[str, ...]) -> Doubles:
    """Those of the inputs that a model was made from, (..., len(names))."""
    return np.asarray(x[..., _places(names)])


@lru_cache(maxsize=16)
def _places(names: tuple[str, ...]) -> NDArray[np.int64]:
    return np.array([INPUTS.index(name) for name in names])
