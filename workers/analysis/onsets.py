"""Onset envelopes from the log mel spectrogram, and where notes begin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.analysis.mono import SR
from workers.analysis.spectra import ONSET_HOP, ONSET_MELS, Spectra
from workers.kernels.beginnings import find_beginnings

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
_NEAR, _APART = 8, 4
"""Frames on either side that a peak must stand out from, and between two peaks."""

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Onsets:
    """Envelopes at `RATE` and the onsets picked from the full one."""

    envelopes: Doubles
    """All five, a row each, in the order that the tempo's inputs name them: the next four, and `energy`."""
    times: Doubles
    """Seconds of each onset."""
    strengths: Doubles
    """Rise in dB of each onset."""

    @property
    def full(self) -> Doubles:
        """Mean rise over all bands, in dB, smoothed and without its slow part; the others likewise."""
        return np.asarray(self.envelopes[0])

    @property
    def bands(self) -> Doubles:
        """Low, middle and high, (3, n_frames)."""
        return self.envelopes[1:4]

    @property
    def low(self) -> Doubles:
        """Of the bass."""
        return np.asarray(self.envelopes[1])


def find_onsets(spectra: Spectra) -> Onsets:
    """Spectral flux in three bands, the flux of amplitude (loud bands speak louder), and the peaks of the whole."""
    found = find_beginnings(
        spectra.onset_mel,
        _BAND_EDGES,
        lag=_LAG,
        range_db=_RANGE_DB,
        reach=int(RATE / 2),
        near=_NEAR,
        least=_LEAST_RISE_DB,
        share=_LEAST_SHARE,
        apart=_APART,
    )
    return Onsets(found.rows, found.frames / RATE, found.strengths)
