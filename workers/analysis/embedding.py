"""The vector: 128 numbers that say how a sound is, by aspect.

Every dimension is deaf to gain and made the same way for every sound, on fixed scales: less the mean over the training
library, divided by the spread there (``learned/vector.json``), within -4 and 4. So distances mean the same in every
library, and nothing is re-scaled when samples are added. `DIMENSIONS` names each dimension.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workers.analysis import timbre
from workers.analysis.learned import load
from workers.analysis.onsets import RATE
from workers.analysis.overview import Overview
from workers.kernels.aspects import Curves, Numbers, describe_aspects, scale_aspects
from workers.kernels.course import PARTS
from workers.model import TONICS, VECTOR_DIMENSIONS, Tempo

Doubles = NDArray[np.float64]

_LAGS_S = tuple(round(0.1 * 15 ** (i / 11), 3) for i in range(12))
_LAGS = np.array(_LAGS_S) * RATE
_NUMBER = (float, int)

_MOST_DB = np.float32(60)
"""Of contrast: where a valley is empty it would be that of rounding errors."""

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
    summary, onsets, p, course = seen.spectra.summary, seen.onsets, seen.periodicity, seen.course
    means = summary.means.tolist()
    curves = Curves(
        mfcc=seen.cepstrum.mean,
        mfcc_spread=seen.cepstrum.std,
        contrast=(np.minimum(seen.spectra.contrast, _MOST_DB) @ summary.weight).astype(np.float64),
        classes=seen.chroma.whole,
        register=seen.chroma.register,
        envelopes=onsets.bands,
        times=onsets.times,
        strengths=onsets.strengths,
        mix=p.mix,
        parts=course.parts,
        by_band=summary.by_band.astype(np.float64),
        centroid=seen.spectra.centroid,
        weight=summary.weight,
    )
    numbers = Numbers(
        flatness=means[3],
        tonalness=seen.chroma.tonalness,
        brightness=seen.brightness,
        bandwidth_hz=means[1],
        zero_crossings=_number(seen.spectrum["zero_crossing_rate"]),
        attack_s=_number(seen.shape["attack_s"]),
        n_frames=p.n_frames,
        duration_s=seen.mono.duration_s,
        bpm=tempo.bpm or 0.0,
        above_tenth=course.above_tenth,
        decay_s=_number(seen.shape["decay_s"], seen.mono.duration_s),
        centre=_number(seen.shape["temporal_centroid"]),
        end_db=_number(seen.shape["end_level_db"]),
        mean=course.mean,
        top=course.top,
        above_half=course.above_half,
        rms=course.rms,
        change=course.change,
    )
    return describe_aspects(curves, numbers, _LAGS)


def embed(seen: Overview, tempo: Tempo) -> bytes:
    """The vector: `VECTOR_DIMENSIONS` little-endian float32."""
    return packed(raw(seen, tempo))


def packed(numbers: Doubles) -> bytes:
    """The vector of `raw` numbers."""
    scale = load("vector")
    return scale_aspects(numbers, scale.mean, scale.spread, scale.weights).astype("<f4", copy=False).tobytes()


def _number(value: float | int | tuple[float, ...] | None, otherwise: float = 0.0) -> float:
    return float(value) if isinstance(value, _NUMBER) else otherwise
