"""Onset envelopes from the log mel spectrogram, and where notes begin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.analysis.mono import SR
from workers.analysis.spectra import ONSET_HOP, Spectra

RATE = SR / ONSET_HOP
"""Onset frames a second."""
_LOW_BANDS = 5
_HIGH_BANDS = 14
_FLOOR = 1e-7


@dataclass(frozen=True, slots=True)
class Onsets:
    """Envelopes at `RATE` and the onsets picked from the full one."""

    full: NDArray[np.float32]
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    times: NDArray[np.float64]
    """Seconds of each onset."""
    strengths: NDArray[np.float64]


def find_onsets(spectra: Spectra) -> Onsets:
    """Spectral flux of the log mel spectrogram, in three bands, less its local mean."""
    M = spectra.onset_mel
    top = float(M.max())
    logs = np.log10(M / max(top, 1e-12) + np.float32(_FLOOR))
    rise = np.zeros_like(logs)
    if logs.shape[1] > 2:
        rise[:, 2:] = np.maximum(0, logs[:, 2:] - np.maximum(logs[:, :-2], _neighbours(logs[:, :-2])))
        # what sounds from the first frame on began there
    rise[:, 0] = np.maximum(0, logs[:, 0] - np.log10(_FLOOR)) if logs.shape[1] else 0
    full, low, high = rise.mean(axis=0), rise[:_LOW_BANDS].mean(axis=0), rise[_HIGH_BANDS:].mean(axis=0)
    times, strengths = _pick(full)
    return Onsets(full, low, high, times, strengths)


def _neighbours(logs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Largest of each band and its neighbours: vibrato does not count as a rise (SuperFlux)."""
    wide = logs.copy()
    wide[1:] = np.maximum(wide[1:], logs[:-1])
    wide[:-1] = np.maximum(wide[:-1], logs[1:])
    return wide


def _pick(envelope: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if len(envelope) < 3:
        return np.zeros(0), np.zeros(0)
    e = envelope.astype(np.float64)
    width = 8
    padded = np.pad(e, width, mode="edge")
    mean = np.convolve(padded, np.ones(2 * width + 1) / (2 * width + 1), mode="valid")
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(e, 3), 7)
    threshold = mean + 0.12 * e.max()
    peaks = np.flatnonzero((e >= windows.max(axis=1)) & (e > threshold) & (e > 0.05))
    keep = [int(p) for i, p in enumerate(peaks) if i == 0 or p - peaks[i - 1] > 3]
    return np.asarray(keep) / RATE, e[keep]
