"""Onset envelopes from the log mel spectrogram, and where notes begin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.analysis.mono import SR
from workers.analysis.spectra import ONSET_HOP, ONSET_MELS, Spectra
from workers.kernels.envelopes import local_mean, onset_envelopes, sharpen_all
from workers.kernels.peaks import find_peaks_simple

RATE = SR / ONSET_HOP
"""Onset frames a second."""

_RANGE_DB = 50.0
"""Below the loudest cell by more than this nothing begins: deeper, the noise floor flutters."""

_LAG = 2
"""Frames compared with: one is shorter than an attack."""

_BAND_EDGES = np.array([0, 5, 16, ONSET_MELS])
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
    rises = onset_envelopes(spectra.onset_mel, _BAND_EDGES, lag=_LAG, range_db=_RANGE_DB)
    times, strengths = _pick(rises.full, rises.start)
    reach = int(RATE / 2)
    full, low, mid, high, energy = sharpen_all(rises.rows, reach)
    return Onsets(full, low, mid, high, energy, times, strengths)


def _pick(full: Doubles, start: float) -> tuple[Doubles, Doubles]:
    """Peaks above the local mean. What sounds from the very first frame on began there."""
    e = full.copy()
    e[0] = max(e[0], start)
    threshold = np.maximum(local_mean(e, 8) + _LEAST_SHARE * float(e.max()), _LEAST_RISE_DB)
    padded = np.concatenate([[0.0], e, [0.0]])
    peaks = find_peaks_simple(padded, height=_LEAST_RISE_DB, distance=_APART) - 1
    peaks = peaks[e[peaks] >= threshold[peaks]]
    return peaks / RATE, e[peaks]
