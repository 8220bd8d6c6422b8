"""Descriptors of sound: spectrum, timbre, envelope and rhythm, as named numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.analysis.mono import SR
from workers.analysis.onsets import Onsets
from workers.analysis.spectra import Spectra
from workers.kernels.spectrogram import mfcc
from workers.model import Descriptors

ENVELOPE_HOP = 64
"""Samples a step of the amplitude envelope: 2.9 ms."""
N_MFCC = 13
_SPECTRUM = ("centroid_hz", "bandwidth_hz", "rolloff_hz", "flatness", "zero_crossing_rate", "contrast_db")
_MEL_RANGE_DB = 80.0

Doubles = NDArray[np.float64]


def spectrum(spectra: Spectra, zero_crossing_rate: float) -> Descriptors:
    """Where the energy lies; means over frames, weighted by their energy."""
    if not float(spectra.power.sum()) > 0:
        return dict.fromkeys(_SPECTRUM)
    weight = loudness_weights(spectra)
    return {
        "centroid_hz": round(float(spectra.centroid @ weight), 1),
        "bandwidth_hz": round(float(spectra.bandwidth @ weight), 1),
        "rolloff_hz": round(float(spectra.rolloff @ weight), 1),
        "flatness": round(float(spectra.flatness @ weight), 5),
        "zero_crossing_rate": round(zero_crossing_rate, 5),
        "contrast_db": tuple(round(float(x), 2) for x in spectra.contrast @ weight),
    }


def mel_db(spectra: Spectra) -> NDArray[np.float32]:
    """Mel power in dB below the loudest cell, at least -80, (N_MELS, n_frames)."""
    top = float(spectra.mel.max())
    if top <= 0:
        return np.full(spectra.mel.shape, -_MEL_RANGE_DB, np.float32)
    least = np.float32(10 ** (-_MEL_RANGE_DB / 10))
    return np.asarray(10 * np.log10(np.maximum(spectra.mel * np.float32(1 / top), least)), np.float32)


@dataclass(frozen=True, slots=True)
class Cepstrum:
    """Mel cepstrum of a sound, weighted by loudness. Coefficient 0, the gain, is left out."""

    mean: Doubles
    """(N_MFCC,); 0 where silent; the other likewise."""
    std: Doubles


def loudness_weights(spectra: Spectra) -> Doubles:
    """How much each frame counts: its amplitude; they sum to 1 (0 where silent)."""
    weight = np.sqrt(spectra.power.astype(np.float64))
    return np.asarray(weight / max(float(weight.sum()), 1e-12))


def cepstrum(spectra: Spectra, decibels: NDArray[np.float32]) -> Cepstrum:
    """Mel-frequency cepstral coefficients over the whole sound."""
    weight = loudness_weights(spectra)
    C = mfcc(decibels, N_MFCC + 1)[1:].astype(np.float64)
    mean = C @ weight
    return Cepstrum(mean, np.sqrt(np.maximum((C - mean[:, None]) ** 2 @ weight, 0)))


def brightness(spectra: Spectra) -> float:
    """Share of the mel bands' power that lies in the upper half of them, above 2 kHz."""
    by_band = spectra.mel.astype(np.float64) @ loudness_weights(spectra)
    return float(by_band[len(by_band) // 2 :].sum() / max(float(by_band.sum()), 1e-12))


def timbre(found: Cepstrum, bright: float, tonalness: float) -> Descriptors:
    """Mel cepstrum: its mean and its spread over frames; how tonal and how bright the sound is, 0 to 1."""
    return {
        "mfcc": tuple(round(float(x), 2) for x in found.mean),
        "mfcc_std": tuple(round(float(x), 2) for x in found.std),
        "tonalness": round(tonalness, 3),
        "brightness": round(bright, 4),
    }


def envelope(e: NDArray[np.float64]) -> Descriptors:
    """How the sound rises and falls. Times in seconds from the start of the file."""
    names = ("attack_s", "decay_s", "effective_duration_s", "temporal_centroid", "end_level_db")
    top = float(e.max()) if len(e) else 0.0
    if top <= 0:
        return dict.fromkeys(names)
    step = ENVELOPE_HOP / SR
    peak = int(e.argmax())
    rising = np.flatnonzero(e[: peak + 1] >= 0.1 * top)
    loud = np.flatnonzero(e[: peak + 1] >= 0.9 * top)
    after = np.flatnonzero(e[peak:] < 0.1 * top)
    tail = e[-max(1, len(e) // 20) :]
    values = (
        round((int(loud[0]) - int(rising[0])) * step, 4),
        round(int(after[0]) * step, 4) if len(after) else None,
        round(float(np.count_nonzero(e > 0.1 * top)) * step, 4),
        round(float(e @ np.arange(len(e)) / e.sum() / max(1, len(e) - 1)), 4),
        round(20 * float(np.log10(max(float(tail.mean()) / top, 1e-5))), 1),
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
