"""From a rendered sound to a file as people have it: room, noise, tape, level, format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

Audio = NDArray[np.float32]
_FORMATS = (
    # suffix, container, subtype, rate, how often
    ("ogg", "OGG", "VORBIS", 44100, 0.34),
    ("flac", "FLAC", "PCM_16", 44100, 0.2),
    ("wav", "WAV", "PCM_16", 44100, 0.14),
    ("wav", "WAV", "PCM_24", 48000, 0.07),
    ("mp3", "MP3", "MPEG_LAYER_III", 44100, 0.13),
    ("wav", "WAV", "FLOAT", 22050, 0.04),
    ("aif", "AIFF", "PCM_16", 44100, 0.04),
    ("ogg", "OGG", "VORBIS", 32000, 0.04),
)


def fit(y: Audio, frames: int) -> Audio:
    """Exactly so many frames: cut, or silence after."""
    return y[:frames] if len(y) >= frames else np.concatenate([y, np.zeros((frames - len(y), y.shape[1]), np.float32)])


def fade(y: Audio, sr: int, seconds: float = 0.005) -> Audio:
    """Faded at its end, so that a cut does not click."""
    n = min(len(y), int(seconds * sr))
    y = y.copy()
    y[len(y) - n :] *= np.linspace(1, 0, n, dtype=np.float32)[:, None]
    return y


def room(y: Audio, sr: int, rng: np.random.Generator) -> Audio:
    """In a room: noise that dies away, as an impulse response."""
    seconds, wet = rng.uniform(0.2, 2.0), rng.uniform(0.05, 0.3)
    n = int(seconds * sr)
    tail = rng.standard_normal((n, y.shape[1])) * np.exp(-6.9 * np.arange(n) / n)[:, None]
    size = 1 << (len(y) + n - 1).bit_length()
    spectrum = np.fft.rfft(y, size, axis=0) * np.fft.rfft(tail / np.sqrt(n), size, axis=0)
    return np.asarray(y + wet * np.fft.irfft(spectrum, size, axis=0)[: len(y)], np.float32)


def noise(y: Audio, rng: np.random.Generator) -> Audio:
    """With hiss 25 to 50 dB below its loudness."""
    level = float(np.sqrt(np.mean(y**2))) * 10 ** (-rng.uniform(25, 50) / 20)
    return np.asarray(y + level * rng.standard_normal(y.shape), np.float32)


def driven(y: Audio, rng: np.random.Generator) -> Audio:
    """Pressed against the ceiling, as loud mixes are."""
    return np.asarray(np.tanh(rng.uniform(1.2, 4) * y / max(1e-6, float(np.abs(y).max()))), np.float32)


def shelved(y: Audio, sr: int, rng: np.random.Generator) -> Audio:
    """Brighter or duller, fuller or thinner: a tilt, by the spectrum."""
    size = 1 << (len(y) - 1).bit_length()
    hz = np.fft.rfftfreq(size, 1 / sr)
    tilt_db = rng.uniform(-4, 4) * np.log2(np.maximum(hz, 40) / 800) * 0.5
    if rng.random() < 0.3:
        tilt_db -= 60 * (hz > rng.uniform(4000, 9000))
    spectrum = np.fft.rfft(y, size, axis=0) * (10 ** (tilt_db / 20))[:, None]
    return np.asarray(np.fft.irfft(spectrum, size, axis=0)[: len(y)], np.float32)


def worn(y: Audio, sr: int, rng: np.random.Generator) -> Audio:
    """Some of all that: half of what people have is as it left the synthesiser."""
    if rng.random() < 0.25:
        y = room(y, sr, rng)
    if rng.random() < 0.2:
        y = shelved(y, sr, rng)
    if rng.random() < 0.2:
        y = driven(y, rng)
    if rng.random() < 0.15:
        y = noise(y, rng)
    return y


def resampled(y: Audio, sr: int, rate: float) -> Audio:
    """At another rate."""
    return y if rate == sr else np.asarray(soxr.resample(y, sr, rate), np.float32)


def write(y: Audio, sr: int, stem: Path, rng: np.random.Generator) -> tuple[Path, float]:
    """Write it in some format, mono or stereo; its path and length in seconds."""
    weights = np.array([row[4] for row in _FORMATS])
    suffix, container, subtype, rate, _ = _FORMATS[int(rng.choice(len(_FORMATS), p=weights / weights.sum()))]
    if suffix == "mp3" and len(y) < sr:
        # the padding of the codec would be a good part of it
        suffix, container, subtype, rate = "flac", "FLAC", "PCM_16", 44100
    if rng.random() < 0.4:
        y = y.mean(axis=1, keepdims=True)
    y = resampled(y * np.float32(10 ** (-rng.uniform(0.5, 9) / 20) / max(1e-6, float(np.abs(y).max()))), sr, rate)
    path = stem.with_name(f"{stem.name}.{suffix}")
    with soundfile.SoundFile(path, "w", rate, y.shape[1], subtype, format=container) as file:
        for start in range(0, len(y), rate):
            # in parts: libsndfile's Vorbis encoder puts what it is given on its stack
            file.write(np.clip(y[start : start + rate], -1, 1))
    return path, len(y) / rate
