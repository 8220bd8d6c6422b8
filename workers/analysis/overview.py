"""Everything measured once of one sound, from which each answer is made."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from workers.analysis import kind, timbre
from workers.analysis.key import Chroma, measure_chroma
from workers.analysis.mono import SR, Mono
from workers.analysis.onsets import Onsets, find_onsets
from workers.analysis.periodicity import Periodicity, measure_periodicity
from workers.analysis.spectra import Spectra, analyze_spectra
from workers.kernels.course import Course, describe_course
from workers.kernels.envelopes import amplitude_envelope, describe_shape
from workers.model import Descriptors

_SILENT = 1e-3
_LEAST_HEAD_S = 0.05


@dataclass(frozen=True, slots=True)
class Overview:
    """What was measured."""

    mono: Mono
    spectra: Spectra
    onsets: Onsets
    periodicity: Periodicity
    chroma: Chroma
    amplitude: NDArray[np.float64]
    """RMS over `timbre.ENVELOPE_HOP` samples, smoothed over 5 steps (15 ms)."""
    course: Course
    """How that goes on."""
    shape: Descriptors
    """As `timbre.envelope` makes it."""
    decibels: NDArray[np.float32]
    """Mel power in dB below the loudest cell, at least -80, (N_MELS, n_frames)."""
    cepstrum: timbre.Cepstrum
    spectrum: Descriptors
    brightness: float
    """As `timbre.brightness` makes it."""
    whole: NDArray[np.float64]
    """As `kind.describe` makes it."""


def silent_head(amplitude: NDArray[np.float64]) -> int:
    """Steps of silence before the sound: what kind of sound it is does not depend on when it begins."""
    first = int(np.argmax(amplitude > _SILENT * float(amplitude.max())))
    return first if first * timbre.ENVELOPE_HOP > _LEAST_HEAD_S * SR else 0


def measure(mono: Mono, duration_s: float) -> Overview:
    """Measure everything the answers need."""
    spectra = analyze_spectra(mono.y)
    onsets = find_onsets(spectra)
    periodicity = measure_periodicity(onsets)
    chroma = measure_chroma(mono)
    amplitude, crossings = amplitude_envelope(mono.y, timbre.ENVELOPE_HOP)
    form, course = describe_shape(amplitude), describe_course(amplitude)
    spectrum = timbre.spectrum(spectra, crossings / max(1, len(mono.y) - 1))
    centroid, flatness = spectrum["centroid_hz"], spectrum["flatness"]
    head = silent_head(amplitude)
    head_s = head * timbre.ENVELOPE_HOP / SR
    whole = kind.describe(
        duration_s - head_s,
        replace(onsets, times=np.maximum(onsets.times - head_s, 0.0)) if head else onsets,
        periodicity,
        describe_shape(amplitude[head:]) if head else form,
        describe_course(amplitude[head:]) if head else course,
        chroma,
        float(centroid) if isinstance(centroid, float) else 0.0,
        float(flatness) if isinstance(flatness, float) else 1.0,
    )
    return Overview(
        mono=mono,
        spectra=spectra,
        onsets=onsets,
        periodicity=periodicity,
        chroma=chroma,
        amplitude=amplitude,
        course=course,
        shape=timbre.envelope(form),
        decibels=spectra.summary.mel_db,
        cepstrum=timbre.cepstrum(spectra),
        spectrum=spectrum,
        brightness=timbre.brightness(spectra),
        whole=whole,
    )
