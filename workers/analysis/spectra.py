"""One pass over the signal: what every descriptor is made from, in blocks, so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from workers.analysis.mono import SR
from workers.kernels.spectral import spectral_contrast, spectral_moments
from workers.kernels.spectrogram import mel_filterbank, mel_spectrogram, stft_power

N_FFT = 2048
HOP = 512
N_MELS = 48
ONSET_FFT = 1024
ONSET_HOP = 256
ONSET_MELS = 36
_BLOCK = 256

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


@lru_cache(maxsize=4)
def _filters(n_fft: int, n_mels: int, high: float) -> Floats:
    return mel_filterbank(SR, n_fft, n_mels, 30.0, high)


def power_blocks(y: Floats, n_fft: int, hop: int) -> Iterator[Floats]:
    """Power spectra of centred frames, block after block, (bins, frames)."""
    padded = np.concatenate([np.zeros(n_fft // 2, np.float32), y, np.zeros(n_fft // 2, np.float32)])
    count = 1 + len(y) // hop
    for start in range(0, count, _BLOCK):
        stop = min(count, start + _BLOCK)
        yield stft_power(padded[start * hop : (stop - 1) * hop + n_fft], n_fft=n_fft, hop_length=hop, center=False)


def analyze_spectra(y: Floats) -> Spectra:
    """All frame-wise measures of a signal at `SR`."""
    hz = np.fft.rfftfreq(N_FFT, 1 / SR).astype(np.float32)
    filters = _filters(N_FFT, N_MELS, SR / 2)
    parts = []
    for S in power_blocks(y, N_FFT, HOP):
        parts.append((mel_spectrogram(S, filters), S.sum(axis=0), *spectral_moments(S, hz), spectral_contrast(S, hz)))
    mel, power, centroid, bandwidth, rolloff, flatness, contrast = (
        _join(blocks) for blocks in zip(*parts, strict=True)
    )
    onset_filters = _filters(ONSET_FFT, ONSET_MELS, 10000.0)
    onset_mel = [mel_spectrogram(S, onset_filters) for S in power_blocks(y, ONSET_FFT, ONSET_HOP)]
    return Spectra(mel, power, centroid, bandwidth, rolloff, flatness, contrast, _join(onset_mel))


def _join(blocks: Sequence[Floats]) -> Floats:
    return np.concatenate(blocks, axis=-1)
