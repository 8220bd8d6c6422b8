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
from workers.kernels.course import PARTS
from workers.model import ASPECTS, TONICS, VECTOR_DIMENSIONS, Tempo

Doubles = NDArray[np.float64]

_LAGS_S = tuple(round(0.1 * 15 ** (i / 11), 3) for i in range(12))
_LAGS = np.array(_LAGS_S) * RATE
_FLOOR_DB = -60.0
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
    return np.concatenate([parts[aspect] for aspect in ASPECTS])


def embed(seen: Overview, tempo: Tempo) -> bytes:
    """The vector: `VECTOR_DIMENSIONS` little-endian float32."""
    scale = load("vector")
    return np.clip((raw(seen, tempo) - scale.mean) / scale.spread * scale.weights, -4, 4).astype("<f4").tobytes()


def _timbre(seen: Overview) -> Doubles:
    weight = timbre.loudness_weights(seen.spectra)
    octaves = np.log2(np.maximum(seen.spectra.centroid.astype(np.float64), 30.0))
    middle = float(octaves @ weight)
    rest = np.array(
        [
            np.log10(max(float(seen.spectra.flatness @ weight), 1e-5)),
            seen.chroma.tonalness,
            np.sqrt(timbre.brightness(seen.spectra)),
            np.sqrt(float((octaves - middle) ** 2 @ weight)),
            np.log2(max(float(seen.spectra.bandwidth @ weight), 10.0)),
            np.sqrt(_number(seen.spectrum["zero_crossing_rate"])),
            np.log10(0.002 + _number(seen.shape["attack_s"])),
        ]
    )
    contrast = np.minimum(seen.spectra.contrast.astype(np.float64), 60.0) @ weight
    return np.concatenate([seen.cepstrum.mean, seen.cepstrum.std, contrast, rest])


def _pitch(seen: Overview) -> Doubles:
    chroma = seen.chroma.whole
    length = float(np.linalg.norm(chroma))
    unit = chroma / length if length > 0 else chroma
    return np.concatenate([(unit - unit.mean()) * seen.chroma.tonalness, np.sqrt(seen.chroma.register)])


def _rhythm(seen: Overview, tempo: Tempo) -> Doubles:
    onsets, p = seen.onsets, seen.periodicity
    duration_s = max(seen.mono.duration_s, 0.02)
    count = len(onsets.times)
    between = np.diff(onsets.times)
    ranked = np.concatenate([np.sort(onsets.strengths)[::-1], np.zeros(2)])
    first = max(float(ranked[0]), 1e-9)
    bands = np.array([float(e.sum()) for e in (onsets.low, onsets.mid, onsets.high)])
    heard = min(1.0, max(0, count - 1) / _ENOUGH)
    repeats = heard * at(p.mix, _LAGS) * (0.7 * p.n_frames > _LAGS)
    return np.concatenate(
        [
            [
                np.log2(0.2 + count / duration_s),
                heard * float(p.mix[20:].max()),
                np.log2(tempo.bpm / 120) if tempo.bpm else 0.0,
                float(tempo.bpm is not None),
            ],
            repeats,
            bands / max(float(bands.sum()), 1e-9),
            [
                np.log2(float(np.median(between)) if len(between) else 4.0),
                float(between.std() / between.mean()) if len(between) > 1 else 0.0,
                float(ranked[1]) / first,
                np.log2(duration_s),
                np.log2(1 + count),
            ],
        ]
    )


def _dynamics(seen: Overview) -> Doubles:
    course = seen.course
    loud = max(course.top, 1e-9)
    return np.array(
        [
            course.above_tenth,
            math.log10(0.005 + _number(seen.shape["decay_s"], seen.mono.duration_s)),
            _number(seen.shape["temporal_centroid"]),
            max(_number(seen.shape["end_level_db"]), _FLOOR_DB),
            course.mean / loud,
            course.above_half,
            20 * math.log10(loud / max(course.rms, 1e-9)),
            course.change,
            *course.parts,
        ]
    )


def _spectrum(seen: Overview) -> Doubles:
    by_band = seen.spectra.mel.astype(np.float64) @ timbre.loudness_weights(seen.spectra)
    pairs = np.convolve(by_band.reshape(24, 2).sum(axis=1), _SMOOTH, mode="same")
    return np.asarray(np.maximum(10 * np.log10(np.maximum(pairs / max(float(pairs.max()), 1e-12), 1e-9)), _FLOOR_DB))


def _number(value: float | int | tuple[float, ...] | None, otherwise: float = 0.0) -> float:
    return float(value) if isinstance(value, float | int) else otherwise
