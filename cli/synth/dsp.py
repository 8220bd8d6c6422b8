"""What every sound is made of: envelopes, noise, filters, a room. Arrays are float64, one channel unless said."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.float64]

SR = 44100


def seeded(*names: object) -> np.random.Generator:
    """Chance that is the same for the same names."""
    return np.random.default_rng(zlib.crc32("/".join(map(str, names)).encode()))


def seconds(length_s: float, sr: int = SR) -> Signal:
    """The time of each of the samples of `length_s` seconds."""
    return np.arange(round(length_s * sr)) / sr


def decay(t: Signal, time_s: float, attack_s: float = 0.001) -> Signal:
    """An exponential fall to -60 dB in `time_s`, after a short rise."""
    return np.asarray(np.minimum(1.0, t / attack_s) * np.exp(-6.91 * t / time_s))


def adsr(t: Signal, held_s: float, attack_s: float, decay_s: float, sustain: float, release_s: float) -> Signal:
    """The classic four-stage envelope for a note held `held_s`."""
    rise = np.clip(t / attack_s, 0.0, 1.0)
    fall = sustain + (1.0 - sustain) * np.exp(-5.0 * np.maximum(0.0, t - attack_s) / decay_s)
    end = np.exp(-5.0 * np.maximum(0.0, t - held_s) / release_s)
    return np.asarray(rise * fall * end)


def swept(freq: Signal, sr: int = SR) -> Signal:
    """The phase, in cycles, of an oscillator with this frequency at each sample."""
    return np.asarray(np.cumsum(freq) / sr)


def sine(phase: Signal) -> Signal:
    """A sine of a phase in cycles."""
    return np.asarray(np.sin(2 * np.pi * phase))


def square(phase: Signal) -> Signal:
    """A square of a phase in cycles."""
    return np.asarray(np.where(phase % 1.0 < 0.5, 1.0, -1.0))


def drive(y: Signal, amount: float) -> Signal:
    """Soft saturation: warm at 1, fierce at 8."""
    return np.asarray(np.tanh(amount * y) / np.tanh(amount))


def _filtered(y: Signal, gain: Callable[[Signal], Signal], sr: int) -> Signal:
    size = 1 << (len(y) + 2048).bit_length()  # these filters ring for less than the padding
    spectrum = np.fft.rfft(y, size)
    frequencies: Signal = np.fft.rfftfreq(size, 1 / sr).astype(np.float64)
    return np.asarray(np.fft.irfft(spectrum * gain(frequencies), size)[: len(y)])


def lowpass(y: Signal, cutoff_hz: float, order: int = 2, sr: int = SR) -> Signal:
    """Butterworth's magnitude, without phase."""
    return _filtered(y, lambda f: 1 / np.sqrt(1 + (f / cutoff_hz) ** (2 * order)), sr)


def highpass(y: Signal, cutoff_hz: float, order: int = 2, sr: int = SR) -> Signal:
    """Butterworth's magnitude, without phase."""
    return _filtered(y, lambda f: 1 / np.sqrt(1 + (cutoff_hz / np.maximum(f, 1e-3)) ** (2 * order)), sr)


def bandpass(y: Signal, low_hz: float, high_hz: float, sr: int = SR) -> Signal:
    """What lies between the two."""
    return lowpass(highpass(y, low_hz, sr=sr), high_hz, sr=sr)


def room(y: Signal, length_s: float, amount: float, name: str, sr: int = SR) -> Signal:
    """(frames, 2): the dry sound and a dark, wide reverberation of it that wraps around, so that a loop stays one."""
    t = seconds(min(length_s, len(y) / sr), sr)
    noise: Signal = seeded("room", name).standard_normal((len(t), 2)) * np.exp(-6.91 * t / length_s)[:, None]
    noise[: round(0.012 * sr)] = 0.0
    stereo: Signal = y if y.ndim == 2 else np.stack([y, y], axis=1)
    wet = np.empty_like(stereo)
    # padded to a power of two, the tail then brought round: a transform of a prime length takes seconds
    size = 1 << (len(y) + len(t)).bit_length()
    for channel in (0, 1):
        dark = lowpass(noise[:, channel], 4500.0, 1, sr)
        dark /= np.sqrt(np.sum(dark**2)) + 1e-12
        ringing = np.fft.irfft(np.fft.rfft(stereo[:, channel], size) * np.fft.rfft(dark, size), size)
        wet[:, channel] = ringing[: len(y)]
        wet[: len(t), channel] += ringing[len(y) : len(y) + len(t)]
    return np.asarray(stereo + amount * wet)


def finished(y: Signal, peak_db: float = -1.0) -> Signal:
    """Glued by a little saturation and brought to a peak level."""
    loud = y / (np.max(np.abs(y)) + 1e-12)
    glued = drive(loud, 1.3)
    return np.asarray(glued / (np.max(np.abs(glued)) + 1e-12) * 10 ** (peak_db / 20))
