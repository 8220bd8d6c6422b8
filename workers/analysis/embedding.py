"""The vector: 128 numbers that say how a sound is, by aspect.

Every dimension is deaf to gain and made the same way for every sound, on fixed scales: less the mean over the training
library, divided by the spread there (``learned/vector.json``), within -4 and 4. So distances mean the same in every
library, and nothing is re-scaled when samples are added. `DIMENSIONS` names each dimension.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from workers.analysis import timbre
from workers.analysis.learned import load
from workers.analysis.onsets import RATE
from workers.analysis.overview import Overview
from workers.analysis.periodicity import at
from workers.kernels.course import PARTS, spread_of_octaves
from workers.kernels.strikes import describe_strikes
from workers.model import ASPECTS, TONICS, VECTOR_DIMENSIONS, Tempo

Doubles = NDArray[np.float64]

_LAGS_S = tuple(round(0.1 * 15 ** (i / 11), 3) for i in range(12))
_LAGS = np.array(_LAGS_S) * RATE
_NO_REPEATS = [0.0] * len(_LAGS_S)
_FLOOR_DB, _FLOOR = -60.0, 1e-7
"""Levels are at least the first; what is as low as the second, in power, need not be made one."""
_SMOOTH = (0.25, 0.5, 0.25)
"""Over neighbouring bands, so that a partial that crosses a border does not move the whole spectrum."""
_ENOUGH = 3
"""So many distances between onsets tell whether something repeats; with fewer it is the noise floor that does."""

DIMENSIONS: tuple[str, ...] = (
    # timbre, 0 to 39
    *(f"mel cepstrum {i}" for i in range(1, timbre.N_MFCC + 1)),
    *(f"mel cepstrum {i}, spread over time" for i in range(1, timbre.N_MFCC + 1)),
    *(f"spectral contrast, band {i}" for i in range(7)),
    "flatness, log",
    "tonalness",
    "brightness",
    "centroid's spread over time, octaves",
    "bandwidth, octaves",
    "zero-crossing rate",
    "attack, log",
    # pitch, 40 to 63
    *(f"chroma {tonic}, by tonalness" for tonic in TONICS),
    *(f"weight of pitches from MIDI {21 + 8 * i} to {28 + 8 * i}" for i in range(12)),
    # rhythm, 64 to 87
    "onsets a second, log",
    "strength of the best period",
    "tempo, octaves from 120 (0 where there is none)",
    "whether there is a tempo",
    *(f"repeats after {lag} s" for lag in _LAGS_S),
    "share of onsets in the bass",
    "share of onsets in the middle",
    "share of onsets in the treble",
    "distance between onsets, log",
    "evenness of these distances",
    "second onset against the first",
    "duration, log",
    "onsets, log",
    # dynamics, 88 to 103
    "share of time above a tenth of the loudest",
    "decay, log",
    "temporal centroid",
    "end level",
    "mean level against the loudest",
    "share of time near the loudest",
    "crest",
    "change of level from frame to frame",
    *(f"level in eighth {i + 1}" for i in range(PARTS)),
    # spectrum, 104 to 127
    *(f"level of mel bands {2 * i} and {2 * i + 1} against the loudest" for i in range(24)),
)
assert len(DIMENSIONS) == VECTOR_DIMENSIONS


def raw(seen: Overview, tempo: Tempo) -> Doubles:
    """The numbers before they are scaled, (128,), in the order of `DIMENSIONS`."""
    parts = {
        "timbre": _timbre(seen),
        "pitch": _pitch(seen),
        "rhythm": _rhythm(seen, tempo),
        "dynamics": _dynamics(seen),
        "spectrum": _spectrum(seen),
    }
    return np.array([number for aspect in ASPECTS for number in parts[aspect]])


def embed(seen: Overview, tempo: Tempo) -> bytes:
    """The vector: `VECTOR_DIMENSIONS` little-endian float32."""
    return packed(raw(seen, tempo))


def packed(numbers: Doubles) -> bytes:
    """The vector of `raw` numbers."""
    scale = load("vector")
    scaled = (numbers - scale.mean) / scale.spread * scale.weights
    return np.minimum(np.maximum(scaled, -4), 4).astype("<f4").tobytes()


def _timbre(seen: Overview) -> list[float]:
    summary, means = seen.spectra.summary, seen.spectra.summary.means.tolist()
    contrast = np.minimum(seen.spectra.contrast, np.float32(60)) @ summary.weight
    return [
        *seen.cepstrum.mean.tolist(),
        *seen.cepstrum.std.tolist(),
        *contrast.tolist(),
        math.log10(max(means[3], 1e-5)),
        seen.chroma.tonalness,
        math.sqrt(timbre.brightness(seen.spectra)),
        spread_of_octaves(seen.spectra.centroid, summary.weight),
        math.log2(max(means[1], 10.0)),
        math.sqrt(_number(seen.spectrum["zero_crossing_rate"])),
        math.log10(0.002 + _number(seen.shape["attack_s"])),
    ]


def _pitch(seen: Overview) -> list[float]:
    chroma: list[float] = seen.chroma.whole.tolist()
    length = math.sqrt(math.fsum(x * x for x in chroma)) or 1.0
    mean = math.fsum(chroma) / len(chroma)
    tonal = [(x - mean) / length * seen.chroma.tonalness for x in chroma]
    return [*tonal, *(math.sqrt(x) for x in seen.chroma.register.tolist())]


def _rhythm(seen: Overview, tempo: Tempo) -> list[float]:
    onsets, p = seen.onsets, seen.periodicity
    duration_s = max(seen.mono.duration_s, 0.02)
    count = len(onsets.times)
    struck = describe_strikes(onsets.times, onsets.strengths)
    bands = [float(e.sum()) for e in (onsets.low, onsets.mid, onsets.high)]
    heard = min(1.0, max(0, count - 1) / _ENOUGH)
    repeats = at(p.mix, _LAGS).tolist() if heard else _NO_REPEATS
    return [
        math.log2(0.2 + count / duration_s),
        heard * float(p.mix[20:].max()),
        math.log2(tempo.bpm / 120) if tempo.bpm else 0.0,
        float(tempo.bpm is not None),
        *(heard * r * (0.7 * p.n_frames > lag) for r, lag in zip(repeats, _LAGS.tolist(), strict=True)),
        *(band / max(sum(bands), 1e-9) for band in bands),
        math.log2(struck.between if count > 1 else 4.0),
        struck.unevenness if count > 2 else 0.0,
        struck.second,
        math.log2(duration_s),
        math.log2(1 + count),
    ]


def _dynamics(seen: Overview) -> list[float]:
    course = seen.course
    loud = max(course.top, 1e-9)
    return [
        course.above_tenth,
        math.log10(0.005 + _number(seen.shape["decay_s"], seen.mono.duration_s)),
        _number(seen.shape["temporal_centroid"]),
        max(_number(seen.shape["end_level_db"]), _FLOOR_DB),
        course.mean / loud,
        course.above_half,
        20 * math.log10(loud / max(course.rms, 1e-9)),
        course.change,
        *course.parts.tolist(),
    ]


def _spectrum(seen: Overview) -> list[float]:
    bands = seen.spectra.summary.by_band.tolist()
    pairs = [0.0, *(low + high for low, high in zip(bands[::2], bands[1::2], strict=True)), 0.0]
    before, here, behind = _SMOOTH
    smooth = [before * a + here * b + behind * c for a, b, c in zip(pairs, pairs[1:], pairs[2:], strict=False)]
    top = max(*smooth, 1e-12)
    shares = [x / top for x in smooth]
    return [max(10 * math.log10(x), _FLOOR_DB) if x > _FLOOR else _FLOOR_DB for x in shares]


def _number(value: float | int | tuple[float, ...] | None, otherwise: float = 0.0) -> float:
    return float(value) if isinstance(value, float | int) else otherwise
