"""Onset envelopes from the log mel spectrogram, and where notes begin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.analysis.mono import SR
from workers.analysis.spectra import ONSET_HOP, ONSET_MELS, Spectra
from workers.kernels.onset import onset_strength_multi
from workers.kernels.peaks import find_peaks_simple

RATE = SR / ONSET_HOP
"""Onset frames a second."""

_RANGE_DB = 50.0
"""Below the loudest cell by more than this nothing begins: deeper, the noise floor flutters."""

_LAG = 2
"""Frames compared with: one is shorter than an attack."""

_BAND_EDGES = (0, 5, 16, ONSET_MELS)
"""Bass and kick, the middle, hats and snares."""

_LEAST_RISE_DB = 1.0
_LEAST_SHARE = 0.12
_APART = 4

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Onsets:
    """Envelopes at `RATE` and the onsets picked from the full one."""

    full: Doubles
    """Mean rise over all bands, in dB, smoothed and without its slow part; the others likewise."""
    low: Doubles
    mid: Doubles
    high: Doubles
    energy: Doubles
    """Rise of amplitude: loud bands speak louder."""
    times: Doubles
    """Seconds of each onset."""
    strengths: Doubles
    """Rise in dB of each onset."""

    @property
    def envelopes(self) -> tuple[Doubles, ...]:
        """All five, in the order that the tempo's inputs name them."""
        return self.full, self.low, self.mid, self.high, self.energy


def find_onsets(spectra: Spectra) -> Onsets:
    """Spectral flux in three bands, the flux of amplitude, and the peaks of the whole."""
    M = spectra.onset_mel
    top = max(float(M.max()), 1e-12)
    S_db = 10 * np.log10(M * np.float32(1 / top) + np.float32(10 ** (-_RANGE_DB / 10)))
    bands = onset_strength_multi(S_db, np.array(_BAND_EDGES), lag=_LAG).astype(np.float64)
    full = np.average(bands, axis=0, weights=np.diff(_BAND_EDGES))
    amplitude = np.sqrt(M)
    energy = np.zeros_like(full)
    if M.shape[1] > _LAG:
        energy[_LAG:] = np.maximum(0, amplitude[:, _LAG:] - amplitude[:, :-_LAG]).sum(axis=0)
    times, strengths = _pick(full, S_db)
    low, mid, high = bands
    return Onsets(
        full=_sharpen(full),
        low=_sharpen(low),
        mid=_sharpen(mid),
        high=_sharpen(high),
        energy=_sharpen(energy),
        times=times,
        strengths=strengths,
    )


def _sharpen(e: Doubles) -> Doubles:
    """Smooth over 5 frames, take most of the mean over a second away, keep what is left above 0."""
    window = np.hanning(7)[1:-1]
    e = np.convolve(e, window / window.sum(), mode="full")[2 : 2 + len(e)]
    return np.maximum(0, e - 0.8 * _local_mean(e, int(RATE / 2)))


def _local_mean(e: Doubles, reach: int) -> Doubles:
    sums = np.concatenate([[0.0], np.cumsum(e)])
    at = np.arange(len(e))
    low, high = np.maximum(0, at - reach), np.minimum(len(e), at + reach + 1)
    return np.asarray((sums[high] - sums[low]) / (high - low))


def _pick(full: Doubles, S_db: NDArray[np.float32]) -> tuple[Doubles, Doubles]:
    """Peaks above the local mean. What sounds from the very first frame on began there."""
    e = full.copy()
    e[: _LAG + 1] = np.maximum(e[: _LAG + 1], 0)
    first = float(np.mean(S_db[:, : _LAG + 1].max(axis=1) + _RANGE_DB))
    e[0] = max(e[0], first)
    threshold = np.maximum(_local_mean(e, 8) + _LEAST_SHARE * float(e.max()), _LEAST_RISE_DB)
    padded = np.concatenate([[0.0], e, [0.0]])
    peaks = find_peaks_simple(padded, height=_LEAST_RISE_DB, distance=_APART) - 1
    peaks = peaks[e[peaks] >= threshold[peaks]]
    return peaks / RATE, e[peaks]
