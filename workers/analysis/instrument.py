"""What a one-shot is, as far as its sound tells: a drum, bass, chord, lead, pad, effect or voice, or unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast, get_args

import numpy as np
from numpy.typing import NDArray

from workers.analysis.learned import load_classes, softmax
from workers.model import Instrument, InstrumentLabel, Pitch

if TYPE_CHECKING:
    from workers.analysis.overview import Overview

LABELS: tuple[InstrumentLabel, ...] = tuple(label for label in get_args(InstrumentLabel) if label != "unknown")

SURE = 0.5
"""Less likely than this is called unknown."""

_BANDS = 6
"""Parts of the spectrum, eight mel bands each, whose course over time is looked at."""

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
    shape, spectrum = seen.shape, seen.spectrum
    strengths = np.sort(seen.onsets.strengths)[::-1]
    classes = np.sort(seen.chroma.whole / max(float(seen.chroma.whole.sum()), 1e-12))[::-1]
    pitched = note.confidence
    height = (note.midi - 60) / 12 if note.midi is not None else 0.0
    first = [
        np.log2(max(seen.mono.duration_s, 0.01)),
        np.log2(0.003 + _number(shape["attack_s"], 0.0)),
        np.log2(0.003 + _number(shape["decay_s"], seen.mono.duration_s)),
        np.log2(0.003 + _number(shape["effective_duration_s"], 0.0)),
        _number(shape["temporal_centroid"], 0.5),
        _number(shape["end_level_db"], -60.0) / 20,
        np.log2(max(_number(spectrum["centroid_hz"], 20.0), 20.0) / 1000),
        np.log2(max(_number(spectrum["bandwidth_hz"], 20.0), 20.0) / 1000),
        np.log2(max(_number(spectrum["rolloff_hz"], 20.0), 20.0) / 1000),
        np.log10(max(_number(spectrum["flatness"], 1e-5), 1e-5)),
        np.log10(max(_number(spectrum["zero_crossing_rate"], 1e-4), 1e-4)),
        seen.chroma.tonalness,
        np.log2(1 + len(strengths)),
        float(strengths[1] / strengths[0]) if len(strengths) > 1 else 0.0,
        pitched,
        height,
        height * pitched,
        *classes[:3],
    ]
    contrast = spectrum["contrast_db"]
    return np.concatenate(
        [
            first,
            np.array(contrast if isinstance(contrast, tuple) else (0.0,) * 7) / 10,
            seen.cepstrum.mean / 10,
            seen.cepstrum.std / 10,
            seen.chroma.register,
            *_courses(seen),
        ]
    )


def _number(value: object, otherwise: float) -> float:
    return float(value) if isinstance(value, int | float) else otherwise


def _courses(seen: Overview) -> tuple[Doubles, Doubles, Doubles]:
    """Of each band: its share of the energy, how much of it comes in the first tenth of a second, how long it lasts."""
    energy = seen.spectra.mel.reshape(_BANDS, -1, seen.spectra.mel.shape[1]).sum(axis=1, dtype=np.float64)
    total = np.maximum(energy.sum(axis=1), 1e-12)
    start = energy[:, :5].sum(axis=1) / total
    length = np.log2(1 + (energy > 0.1 * energy.max(axis=1, keepdims=True)).sum(axis=1))
    return np.log10(total / total.sum() + 1e-4), start, length


def unknown(reason: str) -> Instrument:
    """No class, and why."""
    return Instrument(None, 0.0, reason)


def classify(x: Doubles) -> Instrument:
    """The likeliest class of a one-shot, `x` as `describe` makes it."""
    model = load_classes("instrument")
    probability = softmax(model.scores(x) / model.temperature)
    best = int(probability.argmax())
    confidence = round(float(probability[best]), 3)
    if confidence < SURE:
        return Instrument("unknown", confidence, f"it could be a {model.labels[best]} or several other things")
    return Instrument(cast(InstrumentLabel, model.labels[best]), confidence, None)
