"""One pass over the signal: what every descriptor is made from, in blocks, so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from workers.analysis.mono import SR
from workers.kernels.spectrogram import mel_filterbank, mel_spectrogram, stft_power

N_FFT = 2048
HOP = 512
N_MELS = 48
ONSET_FFT = 1024
ONSET_HOP = 256
ONSET_MELS = 36
_BLOCK = 128
_ROLLOFF = 0.85
_CONTRAST_EDGES_HZ = (0, 200, 400, 800, 1600, 3200, 6400, 11025)

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
def _filters(n_fft: int, n_mels: int, low: float, high: float) -> Floats:
    return mel_filterbank(SR, n_fft, n_mels, low, high)


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
    filters = _filters(N_FFT, N_MELS, 30.0, SR / 2)
    parts: list[tuple[Floats, ...]] = []
    for S in power_blocks(y, N_FFT, HOP):
        P = S.T
        total = P.sum(axis=1)
        safe = np.maximum(total, 1e-9)
        centroid = P @ hz / safe
        bandwidth = np.sqrt(np.maximum(P @ hz**2 / safe - centroid**2, 0))
        rolloff = hz[(np.cumsum(P, axis=1) < _ROLLOFF * total[:, None]).sum(axis=1).clip(0, len(hz) - 1)]
        logs = np.log(P[:, 1:] + np.float32(1e-9))
        flatness = np.exp(logs.mean(axis=1)) / np.maximum(P[:, 1:].mean(axis=1), 1e-9)
        mel = mel_spectrogram(S, filters).T
        parts.append((mel, total, centroid, bandwidth, rolloff, flatness, _contrast(logs, hz)))
    mel, total, centroid, bandwidth, rolloff, flatness, contrast = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    onset_filters = _filters(ONSET_FFT, ONSET_MELS, 30.0, 10000.0)
    onset_mel = np.concatenate([mel_spectrogram(S, onset_filters).T for S in power_blocks(y, ONSET_FFT, ONSET_HOP)])
    return Spectra(
        mel=mel.T,
        power=total,
        centroid=centroid,
        bandwidth=bandwidth,
        rolloff=rolloff,
        flatness=flatness.astype(np.float32),
        contrast=contrast.T,
        onset_mel=onset_mel.T,
    )


def _contrast(logs: Floats, hz: Floats) -> Floats:
    edges = np.searchsorted(hz[1:], _CONTRAST_EDGES_HZ)
    columns = []
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        band = np.sort(logs[:, low : max(high, low + 5)], axis=1)
        k = max(1, band.shape[1] // 10)
        columns.append((band[:, -k:].mean(axis=1) - band[:, :k].mean(axis=1)) * (10 / np.log(10)))
    return np.stack(columns, axis=1).astype(np.float32)
