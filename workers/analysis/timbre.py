"""Descriptors of sound: spectrum, timbre, envelope and rhythm, as named numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.analysis.mono import SR
from workers.analysis.onsets import Onsets
from workers.analysis.spectra import N_MFCC as N_MFCC
from workers.analysis.spectra import Spectra
from workers.kernels.envelopes import Shape
from workers.model import Descriptors

ENVELOPE_HOP = 64
"""Samples a step of the amplitude envelope: 2.9 ms."""
_SPECTRUM = ("centroid_hz", "bandwidth_hz", "rolloff_hz", "flatness", "zero_crossing_rate", "contrast_db")

Doubles = NDArray[np.float64]


def spectrum(spectra: Spectra, zero_crossing_rate: float) -> Descriptors:
    """Where the energy lies; means over frames, weighted by their amplitude."""
    return spectrum_of(spectra.summary.means.tolist() if float(spectra.power.max()) > 0 else None, zero_crossing_rate)


def spectrum_of(means: Sequence[float] | None, zero_crossing_rate: float) -> Descriptors:
    """The same from the means of centroid, bandwidth, rolloff, flatness and contrast; ``None`` where all is silent."""
    if means is None:
        return dict.fromkeys(_SPECTRUM)
    centroid, bandwidth, rolloff, flatness, *contrast = means
    return {
        "centroid_hz": round(centroid, 1),
        "bandwidth_hz": round(bandwidth, 1),
        "rolloff_hz": round(rolloff, 1),
        "flatness": round(flatness, 5),
        "zero_crossing_rate": round(zero_crossing_rate, 5),
        "contrast_db": tuple(round(x, 2) for x in contrast),
    }


@dataclass(frozen=True, slots=True)
class Cepstrum:
    """Mel cepstrum of a sound, weighted by loudness. Coefficient 0, the gain, is left out."""

    mean: Doubles
    """(N_MFCC,); 0 where silent; the other likewise."""
    std: Doubles


def loudness_weights(spectra: Spectra) -> Doubles:
    """How much each frame counts: its amplitude; they sum to 1 (0 where silent)."""
    return spectra.summary.weight.astype(np.float64)


def cepstrum(spectra: Spectra) -> Cepstrum:
    """Mel-frequency cepstral coefficients over the whole sound."""
    return Cepstrum(spectra.summary.mfcc.astype(np.float64), spectra.summary.mfcc_std.astype(np.float64))


def brightness(spectra: Spectra) -> float:
    """Share of the mel bands' power that lies in the upper half of them, above 2 kHz."""
    return brightness_of(spectra.summary.by_band)


def brightness_of(by_band: NDArray[np.floating[Any]]) -> float:
    """The same from the mean power of each band."""
    return float(by_band[len(by_band) // 2 :].sum() / max(float(by_band.sum()), 1e-12))


def timbre(found: Cepstrum, bright: float, tonalness: float) -> Descriptors:
    """Mel cepstrum: its mean and its spread over frames; how tonal and how bright the sound is, 0 to 1."""
    return {
        "mfcc": tuple([round(x, 2) for x in found.mean.tolist()]),
        "mfcc_std": tuple([round(x, 2) for x in found.std.tolist()]),
        "tonalness": round(tonalness, 3),
        "brightness": round(bright, 4),
    }


def envelope(shape: Shape, step: float = ENVELOPE_HOP / SR) -> Descriptors:
    """How the sound rises and falls, of its amplitude in steps of so many seconds."""
    names = ("attack_s", "decay_s", "effective_duration_s", "temporal_centroid", "end_level_db")
    if shape.top <= 0:
        return dict.fromkeys(names)
    values = (
        round(shape.attack * step, 4),
        round(shape.decay * step, 4) if shape.decay >= 0 else None,
        round(shape.loud * step, 4),
        round(shape.centre, 4),
        round(20 * math.log10(max(shape.tail / shape.top, 1e-5)), 1),
    )
    return dict(zip(names, values, strict=True))


def rhythm(onsets: Onsets, duration_s: float, pulse_clarity: float) -> Descriptors:
    """How busy and how regular it is."""
    count = len(onsets.times)
    return {
        "onset_count": count,
        "onset_rate_hz": round(count / duration_s, 3) if duration_s > 0 else None,
        "pulse_clarity": round(pulse_clarity, 3),
    }
