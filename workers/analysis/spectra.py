"""One pass over the signal: what every descriptor is made from, in blocks, so that memory stays bounded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.analysis.mono import SR
from workers.kernels.frames import Summary, describe_frames, mel_frames

N_FFT = 2048
HOP = N_FFT // 4
N_MELS = 48
N_MFCC = 13
ONSET_FFT = 1024
ONSET_HOP = ONSET_FFT // 4
ONSET_MELS = 36
LOWEST_HZ = 30.0
ONSET_HIGHEST_HZ = 10_000.0

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Spectra:
    """Frame by frame; every array has time as its last axis."""

    mel: Floats
    """Power, (N_MELS, n_frames)."""
    power: Floats
    """Total power of each frame."""
    centroid: Floats
    bandwidth: Floats
    rolloff: Floats
    flatness: Floats
    contrast: Floats
    """Peak over valley in dB, (7, n_frames)."""
    onset_mel: Floats
    """Power, (ONSET_MELS, n_onset_frames) at ONSET_HOP."""
    summary: Summary
    """Means over frames."""


def analyze_spectra(y: Floats) -> Spectra:
    """All frame-wise measures of a signal at `SR`."""
    seen, summary = describe_frames(y, SR, n_fft=N_FFT, n_mels=N_MELS, fmin=LOWEST_HZ, n_mfcc=N_MFCC)
    onset_mel = mel_frames(y, SR, n_fft=ONSET_FFT, n_mels=ONSET_MELS, fmin=LOWEST_HZ, fmax=ONSET_HIGHEST_HZ)
    return Spectra(*seen, onset_mel, summary)
