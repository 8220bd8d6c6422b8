"""What a one-shot is, as far as its sound tells: a drum, bass, chord, lead, pad, effect or voice, or unknown."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, get_args

import numpy as np
from numpy.typing import NDArray

from workers.analysis.learned import load_classes, softmax
from workers.kernels.course import describe_bands
from workers.kernels.harmony import describe_harmony
from workers.kernels.strikes import describe_strikes
from workers.model import Instrument, InstrumentLabel, Pitch

if TYPE_CHECKING:
    from workers.analysis.overview import Overview

LABELS: tuple[InstrumentLabel, ...] = tuple(label for label in get_args(InstrumentLabel) if label != "unknown")

_DRUMS = [LABELS.index(label) for label in ("kick", "snare", "clap", "hat", "cymbal", "tom", "percussion")]

SURE = 0.5
"""Less likely than this is called unknown."""

_BANDS = 6
"""Parts of the spectrum, eight mel bands each, whose course over time is looked at."""
_START = 5
"""Frames that are its start: a tenth of a second."""

Doubles = NDArray[np.float64]

INPUTS = (
    "duration",
    "attack",
    "decay",
    "loud part",
    "temporal centroid",
    "end level",
    "centroid",
    "bandwidth",
    "rolloff",
    "flatness",
    "zero crossings",
    "tonalness",
    "onsets",
    "second onset",
    "pitched",
    "height",
    "height, pitched",
    "chroma peak",
    "chroma second",
    "chroma third",
    *(f"contrast {k}" for k in range(7)),
    *(f"mfcc {k}" for k in range(1, 14)),
    *(f"mfcc spread {k}" for k in range(1, 14)),
    *(f"register {k}" for k in range(12)),
    *(f"{what} of band {k}" for what in ("share", "start", "length") for k in range(_BANDS)),
)
"""Names of what describes a one-shot, in order."""


def describe(seen: Overview, note: Pitch) -> Doubles:
    """What a sound is like, (len(INPUTS),)."""
    shape, spectrum, contrast = seen.shape, seen.spectrum, seen.spectrum["contrast_db"]
    struck = describe_strikes(seen.onsets.times, seen.onsets.strengths)
    notes = describe_harmony(seen.chroma.chords, seen.chroma.whole).notes
    pitched = note.confidence
    height = (note.midi - 60) / 12 if note.midi is not None else 0.0
    bands = describe_bands(seen.spectra.mel, _BANDS, first=_START)
    return np.array(
        [
            math.log2(max(seen.mono.duration_s, 0.01)),
            math.log2(0.003 + _number(shape["attack_s"], 0.0)),
            math.log2(0.003 + _number(shape["decay_s"], seen.mono.duration_s)),
            math.log2(0.003 + _number(shape["effective_duration_s"], 0.0)),
            _number(shape["temporal_centroid"], 0.5),
            _number(shape["end_level_db"], -60.0) / 20,
            math.log2(max(_number(spectrum["centroid_hz"], 20.0), 20.0) / 1000),
            math.log2(max(_number(spectrum["bandwidth_hz"], 20.0), 20.0) / 1000),
            math.log2(max(_number(spectrum["rolloff_hz"], 20.0), 20.0) / 1000),
            math.log10(max(_number(spectrum["flatness"], 1e-5), 1e-5)),
            math.log10(max(_number(spectrum["zero_crossing_rate"], 1e-4), 1e-4)),
            seen.chroma.tonalness,
            math.log2(1 + len(seen.onsets.times)),
            struck.second,
            pitched,
            height,
            height * pitched,
            *notes[:3].tolist(),
            *(x / 10 for x in (contrast if isinstance(contrast, tuple) else (0.0,) * 7)),
            *(x / 10 for x in seen.cepstrum.mean.tolist()),
            *(x / 10 for x in seen.cepstrum.std.tolist()),
            *seen.chroma.register.tolist(),
            *(math.log10(share + 1e-4) for share in bands.share.tolist()),
            *bands.start.tolist(),
            *(math.log2(1 + length) for length in bands.length.tolist()),
        ]
    )


def _number(value: object, otherwise: float) -> float:
    return float(value) if isinstance(value, int | float) else otherwise


def unknown(reason: str) -> Instrument:
    """No class, and why."""
    return Instrument(None, 0.0, reason)


def weigh(x: Doubles) -> Doubles:
    """How likely a one-shot is of each of the `LABELS`, `x` as `describe` makes it."""
    model = load_classes("instrument")
    return softmax(model.scores(x) / model.temperature)


def named(probability: Doubles) -> Instrument:
    """The likeliest class, or unknown where several are about as likely."""
    best = int(probability.argmax())
    confidence = round(float(probability[best]), 3)
    if confidence < SURE:
        return Instrument("unknown", confidence, f"it could be a {LABELS[best]} or several other things")
    return Instrument(LABELS[best], confidence, None)


def classify(x: Doubles) -> Instrument:
    """The class of a one-shot, `x` as `describe` makes it."""
    return named(weigh(x))


def drum(probability: Doubles) -> float:
    """How likely it is a drum of any kind."""
    return float(probability[_DRUMS].sum())
