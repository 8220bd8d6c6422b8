"""The one signal that is analysed: mono, 22,050 Hz, free of DC, peak 1.

The mix is the mean of the channels. Where they cancel (a stereo file with one side flipped) the mean would be
silence or the leftovers of rounding: then the louder channel speaks for all, and the file gets a defect.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.kernels.decimate import center_halved, halve
from workers.kernels.waveform import Survey, survey_waveform

SR = 22050
"""Rate of the analysis, in Hz. What musicians call tempo, key and timbre lies below its 11 kHz."""

SILENT_PEAK = 1e-4
"""-80 dBFS: below it is what converters and dither leave of silence."""

_FAINT = 1e-3
"""-60 dB below the peak: what is left of a note that is over."""

_CANCELS = 0.02
"""The mix has less than this part (-17 dB) of the energy that unrelated channels would leave: they cancel."""

LOWEST_RATE = 1000
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

    @property
    def sounds_until_s(self) -> float:
        """Where the silence at the end begins, to the second above."""
        end = len(self.y)
        while end > 0 and float(np.abs(self.y[max(0, end - SR) : end]).max()) < _FAINT:
            end -= SR
        return max(0, end) / SR


def survey(y: NDArray[np.float32], sr: int) -> Survey:
    """Walk over a signal, (frames, channels), once: what its levels, its mix and its defects are made from."""
    return survey_waveform(y, sr, halved=sr == 2 * SR)


def to_mono(y: NDArray[np.float32], sr: int, seen: Survey | None = None) -> Mono:
    """Mix, take the DC away, resample to `SR` and scale the peak to 1.

    Parameters
    ----------
    y : ndarray of float32, shape (frames, channels), finite, not empty
    sr : int > 0
        Its rate, in Hz.
    seen : Survey or None
        What `survey` says of it, if it was asked already. Its mix is used up: it may be written over.
    """
    seen = survey(y, sr) if seen is None else seen
    # lists: there are two channels as a rule, and an array of two costs a microsecond a touch
    means = [total / len(y) for total in seen.sums.tolist()]
    middle = sum(means) / len(means)
    loudest = louder_if_it_cancels(seen, means)
    if loudest is None and seen.halved:
        mono = seen.mono
        peak = center_halved(mono, len(y), middle)
    elif loudest is None:
        mono, peak = _at_rate(seen.mono, sr, middle)
    else:
        mono, peak = _at_rate(np.array(y[:, loudest], dtype=np.float32), sr, means[loudest])
    if peak >= SILENT_PEAK:
        mono *= np.float32(1.0 / peak)
    else:
        mono = np.zeros_like(mono)
    return Mono(mono, peak, loudest is not None, max(means, key=abs), seen.peak)


def louder_if_it_cancels(seen: Survey, means: list[float]) -> int | None:
    """The louder channel where the mix cancels. DC does not count: it never cancels and is no sound."""
    channels, frames = len(means), seen.n_samples
    if channels == 1:
        return None
    energies = [max(e - frames * m**2, 0.0) for e, m in zip(seen.energies.tolist(), means, strict=True)]
    loud = [e for e in energies if e > 0.01 * max(energies)]
    if len(loud) < 2:
        return None
    left = seen.mono_energy - frames * (sum(means) / channels) ** 2
    return None if left >= _CANCELS * sum(loud) / channels**2 else energies.index(max(energies))


def _at_rate(y: NDArray[np.float32], sr: int, mean: float) -> tuple[NDArray[np.float32], float]:
    """`y` without its mean at `SR`, and its peak."""
    if sr == 2 * SR:
        return halve(y, offset=mean)
    y -= np.float32(mean)
    if sr != SR:
        y = _resample(y, sr)
    return y, float(max(y.max(), -y.min()))


def _resample(y: NDArray[np.float32], sr: int) -> NDArray[np.float32]:
    length = max(1, round(len(y) * SR / sr))
    if sr < LOWEST_RATE:
        return np.asarray(np.interp(np.arange(length) * (sr / SR), np.arange(len(y)), y), np.float32)
    import soxr  # 20 ms that a library at 44.1 kHz never pays

    resampled = np.asarray(soxr.resample(y, sr, SR, quality="HQ"), np.float32)
    return resampled if len(resampled) else np.zeros(length, np.float32)
