"""The one signal that is analysed: mono, 22,050 Hz, free of DC, peak 1.

The mix is the mean of the channels. Where they cancel (a stereo file with one side flipped) the mean would be
silence or the leftovers of rounding: then the louder channel speaks for all, and the file gets a defect.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

from workers.kernels.waveform import Mixed, mix_channels

SR = 22050
"""Rate of the analysis, in Hz. What musicians call tempo, key and timbre lies below its 11 kHz."""

SILENT_PEAK = 1e-4
"""-80 dBFS: below it is what converters and dither leave of silence."""

_CANCELS = 0.02
"""The mix has less than this part (-17 dB) of the energy that unrelated channels would leave: they cancel."""

_LOWEST_RATE = 1000
"""Below it no polyphase filter is worth its memory: linear interpolation."""


@dataclass(frozen=True, slots=True)
class Mono:
    """The signal and what was seen on the way to it."""

    y: NDArray[np.float32]
    """Shape (frames,), at `SR`, mean 0, largest magnitude 1 (all zero where silent)."""
    peak: float
    """Largest magnitude, without DC, before it was scaled to 1."""
    cancels: bool = False
    """The channels cancel and the louder one was taken."""
    dc: float = 0.0
    """The mean of the channel whose mean is farthest from 0."""
    top: float = 1.0
    """Largest magnitude of any channel of the file, DC and all."""

    @property
    def silent(self) -> bool:
        """Nothing that can be heard."""
        return self.peak < SILENT_PEAK

    @property
    def duration_s(self) -> float:
        return len(self.y) / SR


def to_mono(y: NDArray[np.float32], sr: int) -> Mono:
    """Mix, take the DC away, resample to `SR` and scale the peak to 1.

    Parameters
    ----------
    y : ndarray of float32, shape (frames, channels), finite, not empty
    sr : int > 0
        Its rate, in Hz.
    """
    mixed = mix_channels(y)
    means = mixed.sums / len(y)
    mono, cancels = _or_louder(y, mixed, means)
    mono -= np.float32(mono.mean(dtype=np.float64))
    if sr != SR:
        mono = _resample(mono, sr)
    peak = float(max(mono.max(), -mono.min()))
    if peak >= SILENT_PEAK:
        mono *= np.float32(1.0 / peak)
    else:
        mono = np.zeros_like(mono)
    return Mono(mono, peak, cancels, float(means[np.abs(means).argmax()]), mixed.peak)


def _or_louder(y: NDArray[np.float32], mixed: Mixed, means: NDArray[np.float64]) -> tuple[NDArray[np.float32], bool]:
    """The mix, or the louder channel where the mix cancels. DC does not count: it never cancels and is no sound."""
    channels = len(means)
    energies = np.maximum(mixed.energies - len(y) * means**2, 0)
    loud = energies > 0.01 * energies.max()
    if np.count_nonzero(loud) < 2:
        return mixed.mono, False
    left = float(np.dot(mixed.mono, mixed.mono)) - len(y) * float(means.mean()) ** 2
    if left >= _CANCELS * float(energies[loud].sum()) / channels**2:
        return mixed.mono, False
    return np.array(y[:, int(energies.argmax())], dtype=np.float32), True


def _resample(y: NDArray[np.float32], sr: int) -> NDArray[np.float32]:
    length = max(1, round(len(y) * SR / sr))
    if sr < _LOWEST_RATE:
        return np.asarray(np.interp(np.arange(length) * (sr / SR), np.arange(len(y)), y), np.float32)
    resampled = np.asarray(soxr.resample(y, sr, SR, quality="HQ"), np.float32)
    return resampled if len(resampled) else np.zeros(length, np.float32)
