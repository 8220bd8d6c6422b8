"""The one signal that is analysed: mono, 22,050 Hz, free of DC, peak 1.

The mix is the mean of the channels. Where they cancel (a stereo file with one side flipped) the mean would be
silence or the leftovers of rounding: then the louder channel speaks for all, and the file gets a defect.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

SR = 22050
"""Rate of the analysis, in Hz. What musicians call tempo, key and timbre lies below its 11 kHz."""

SILENT_PEAK = 1e-4
"""-80 dBFS: below it is what converters and dither leave of silence."""

_CANCELS = 0.02
"""The mix has less than this part (-17 dB) of the channels' mean energy: they cancel. Independent channels keep a
half, or 1/n of n."""

_LOWEST_RATE = 1000
"""Below it no polyphase filter is worth its memory: linear interpolation."""


@dataclass(frozen=True, slots=True)
class Mono:
    """The signal and what was lost on the way to it."""

    y: NDArray[np.float32]
    """Shape (frames,), at `SR`, mean 0, largest magnitude 1 (all zero where silent)."""
    peak: float
    """Largest magnitude before it was scaled to 1."""
    cancels: bool
    """The channels cancel and the louder one was taken."""

    @property
    def silent(self) -> bool:
        """Nothing that can be heard."""
        return self.peak < SILENT_PEAK

    @property
    def duration_s(self) -> float:
        return len(self.y) / SR


def mix(y: NDArray[np.float32]) -> tuple[NDArray[np.float32], bool]:
    """Mix channels down to one.

    Parameters
    ----------
    y : ndarray of float32, shape (frames, channels)

    Returns
    -------
    mono : ndarray of float32, shape (frames,)
        The mean of the channels, or the channel with the most energy where the mean cancels.
    cancels : bool
        Whether it did.
    """
    channels = y.shape[1]
    if channels == 1:
        return np.array(y[:, 0], dtype=np.float32), False
    mono = y[:, 0] + y[:, 1]
    for channel in range(2, channels):
        mono += y[:, channel]
    mono *= np.float32(1.0 / channels)
    energies = np.array([_energy(y[:, channel]) for channel in range(channels)])
    loud = float(energies.max())
    # Channels that are silent say nothing of cancelling: 1 of 12 in use leaves 1/144 of its energy.
    used = max(1, int(np.count_nonzero(energies > 0.01 * loud)))
    expected = energies.sum() * used / channels**2
    if used > 1 and loud > 0 and _energy(mono) < _CANCELS * expected:
        return np.array(y[:, int(energies.argmax())], dtype=np.float32), True
    return mono, False


def to_mono(y: NDArray[np.float32], sr: int) -> Mono:
    """Mix, take the DC away, resample to `SR` and scale the peak to 1.

    Parameters
    ----------
    y : ndarray of float32, shape (frames, channels), finite
    sr : int > 0
        Its rate, in Hz.
    """
    mono, cancels = mix(y)
    mono -= np.float32(mono.mean(dtype=np.float64))
    if sr != SR and len(mono):
        mono = _resample(mono, sr)
    peak = float(np.abs(mono).max()) if len(mono) else 0.0
    if peak >= SILENT_PEAK:
        mono *= np.float32(1.0 / peak)
    else:
        mono = np.zeros_like(mono)
    return Mono(mono, peak, cancels)


def _resample(y: NDArray[np.float32], sr: int) -> NDArray[np.float32]:
    length = max(1, round(len(y) * SR / sr))
    if sr < _LOWEST_RATE:
        return np.interp(np.arange(length) * (sr / SR), np.arange(len(y)), y).astype(np.float32)
    resampled: NDArray[np.float32] = soxr.resample(y, sr, SR, quality="HQ")
    return resampled if len(resampled) else np.zeros(length, np.float32)


def _energy(y: NDArray[np.float32]) -> float:
    return float(np.dot(y, y))
