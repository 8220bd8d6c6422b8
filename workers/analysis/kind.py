"""One-shot, loop, track, long recording or silence; and whether there is a pulse or a tonality at all."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from workers.analysis.key import Chroma, profile_fit
from workers.analysis.learned import load_quadratic
from workers.analysis.onsets import Onsets
from workers.analysis.periodicity import SLOWEST, Periodicity
from workers.kernels.course import Course
from workers.kernels.envelopes import Shape
from workers.kernels.harmony import describe_harmony
from workers.kernels.strikes import Strikes, describe_strikes
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
_STRONG = 0.3
"""Onsets of more than this part of the strongest's strength are what a rhythm is made of."""
_REGISTERS = np.arange(12.0)
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
    count = len(onsets.times)
    struck = describe_strikes(onsets.times, onsets.strengths, share=_STRONG)
    harmony = describe_harmony(chroma.chords, chroma.whole)
    notes = harmony.notes.tolist()
    loud = max(shape.top, 1e-9)
    return np.array(
        [
            math.log2(max(duration_s, 0.01)),
            math.log2(1 + count),
            math.log2(0.1 + count / max(duration_s, 0.05)),
            struck.second,
            struck.fourth,
            float(p.strength(_TEMPI).max()),
            repeats(p),
            math.log10(max(shape.tail / loud, 1e-4)),
            shape.centre,
            course.mean / loud,
            chroma.tonalness,
            notes[0],
            harmony.evenness,
            profile_fit(chroma),
            math.log2(max(centroid_hz, 20.0) / 1000),
            math.log10(max(flatness, 1e-5)),
            *_course(max(duration_s, 0.01), struck, course),
            harmony.chord,
            harmony.three_chords,
            harmony.six_chords,
            harmony.entropy,
            notes[1],
            notes[2],
            sum(notes[:7]),
            float(chroma.register @ _REGISTERS) / 12,
            *rises(onsets.strengths),
        ]
    )


def _course(whole_s: float, struck: Strikes, course: Course) -> tuple[float, ...]:
    """How a sound goes on: one that is struck once dies away, what is played goes on to its end."""
    return (
        struck.last / whole_s,
        struck.last_strong / whole_s,
        (struck.last_strong - struck.first_strong) / whole_s,
        course.second_half,
        math.log2(min(8.0, max(0.01, course.last_quarter))),
        course.rise,
        math.log10(max(course.start, 1e-3)),
        min(2.0, struck.strong_unevenness) if struck.strong > 1 else 2.0,
        math.log2(1 + struck.strong),
    )


def rises(strengths: Doubles) -> tuple[float, float, float]:
    """How clearly notes begin: by how many dB the strongest, the strong half and the usual onset rise, in octaves."""
    ranked = sorted(strengths.tolist(), reverse=True)
    if not ranked:
        return 0.0, 0.0, 0.0
    half = ranked[: max(1, len(ranked) // 2)]
    return math.log2(1 + ranked[0]), math.log2(1 + _middle(half)), math.log2(1 + _middle(ranked))


def _middle(ranked: list[float]) -> float:
    return 0.5 * (ranked[(len(ranked) - 1) // 2] + ranked[len(ranked) // 2])


def repeats(p: Periodicity) -> float:
    """The highest autocorrelation at any period from a quarter of a second on: 1 = it repeats exactly."""
    return max(0.0, float(p.mix[_FIRST_LAG:].max())) if p.n_frames > 2 * _FIRST_LAG else 0.0


def classify(duration_s: float, silent: bool, x: Doubles) -> Kind:
    """What kind of file this is; `x` as `describe` makes it."""
    if silent:
        return Kind("silence", 1.0)
    if duration_s > LONG_S:
        return Kind("long recording", 0.95)
    model = load_quadratic("kind")
    p = model.probability(chosen(x, model.names))
    if p < 0.5:
        return Kind("one-shot" if duration_s <= TRACK_S else "track", round(1 - p, 3))
    label: KindLabel = "loop" if duration_s <= LOOP_S else "track"
    return Kind(label, round(p, 3))


def has_pulse(x: Doubles) -> float:
    """Probability that a sound has a tempo."""
    model = load_quadratic("pulse")
    return model.probability(chosen(x, model.names))


def has_tonality(x: Doubles) -> float:
    """Probability that a sound has a key."""
    model = load_quadratic("tonality")
    return model.probability(chosen(x, model.names))


def chosen(x: Doubles, names: tuple[str, ...]) -> Doubles:
    """Those of the inputs that a model was made from, (..., len(names))."""
    return np.asarray(x[..., _places(names)])


@lru_cache(maxsize=16)
def _places(names: tuple[str, ...]) -> NDArray[np.int64]:
    return np.array([INPUTS.index(name) for name in names])
