"""What a one-shot is, as far as its sound tells: a drum, bass, chord, lead, pad, effect or voice, or unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np
from numpy.typing import NDArray

from workers.analysis import kind
from workers.analysis.learned import load_classes
from workers.kernels.answers import answer_label
from workers.kernels.portrait import BANDS, Said, describe_one_shot
from workers.model import Instrument, InstrumentLabel, Pitch

if TYPE_CHECKING:
    from workers.analysis.overview import Overview

LABELS: tuple[InstrumentLabel, ...] = tuple(label for label in get_args(InstrumentLabel) if label != "unknown")

_DRUMS = [LABELS.index(label) for label in ("kick", "snare", "clap", "hat", "cymbal", "tom", "percussion")]

SURE = 0.5
"""Less likely than this is called unknown."""

Doubles = NDArray[np.float64]

_NUMBER = (int, float)

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
    *(f"{what} of band {k}" for what in ("share", "start", "length") for k in range(BANDS)),
)
"""Names of what describes a one-shot, in order."""


def describe(seen: Overview, note: Pitch) -> Doubles:
    """What a sound is like, (len(INPUTS),)."""
    shape, spectrum, contrast, whole = seen.shape, seen.spectrum, seen.spectrum["contrast_db"], seen.whole
    height = (note.midi - 60) / 12 if note.midi is not None else 0.0
    said = Said(
        seen.mono.duration_s,
        _number(shape["attack_s"], 0.0),
        _number(shape["decay_s"], seen.mono.duration_s),
        _number(shape["effective_duration_s"], 0.0),
        _number(shape["temporal_centroid"], 0.5),
        _number(shape["end_level_db"], -60.0),
        _number(spectrum["centroid_hz"], 20.0),
        _number(spectrum["bandwidth_hz"], 20.0),
        _number(spectrum["rolloff_hz"], 20.0),
        _number(spectrum["flatness"], 1e-5),
        _number(spectrum["zero_crossing_rate"], 1e-4),
        seen.chroma.tonalness,
        len(seen.onsets.times),
        whole[kind.SECOND_ONSET],
        note.confidence,
        height,
        whole[kind.FIRST_NOTE],
        whole[kind.SECOND_NOTE],
        whole[kind.THIRD_NOTE],
    )
    dips = np.array(contrast if isinstance(contrast, tuple) else (0.0,) * 7)
    cepstrum = seen.cepstrum
    return describe_one_shot(said, dips, cepstrum.mean, cepstrum.std, seen.chroma.register, seen.spectra.mel)


def _number(value: object, otherwise: float) -> float:
    return float(value) if isinstance(value, _NUMBER) else otherwise


def unknown(reason: str) -> Instrument:
    """No class, and why."""
    return Instrument(None, 0.0, reason)


def weigh(x: Doubles) -> Doubles:
    """How likely a one-shot is of each of the `LABELS`, `x` as `describe` makes it."""
    model = load_classes("instrument")
    return answer_label(x, model.table, model.weights, model.bias, temperature=model.temperature)


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
