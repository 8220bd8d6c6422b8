"""Sounds whose tempo, key and pitch are known because they are made here."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workers.model import AudioInfo

SR = 44100

Signal = NDArray[np.float32]


def info_of(y: Signal, sr: int = SR) -> AudioInfo:
    """What a decoder would say of a signal, (frames, channels)."""
    seconds = len(y) / sr
    return AudioInfo(seconds, sr, y.shape[1], "WAV", "FLOAT", len(y), seconds)


def as_frames(mono: NDArray[np.float64], channels: int = 1) -> Signal:
    """A mono signal on every channel, (frames, channels)."""
    return np.repeat(mono.astype(np.float32)[:, None], channels, axis=1)


def seconds(duration: float, sr: int = SR) -> NDArray[np.float64]:
    return np.arange(round(duration * sr)) / sr


def click_track(bpm: float, duration: float = 10.0, sr: int = SR) -> Signal:
    """One short burst on each beat."""
    y = np.zeros(round(duration * sr))
    burst = np.random.default_rng(0).standard_normal(200) * np.exp(-np.arange(200) / 40)
    for at in np.arange(0, duration, 60 / bpm):
        start = round(at * sr)
        y[start : start + 200] += burst[: len(y) - start]
    return as_frames(0.5 * y / np.abs(y).max())


def drum_loop(bpm: float, beats: int = 16, sr: int = SR) -> Signal:
    """Kick on one and three, snare on two and four, hats on the eighths; exactly so many beats."""
    rng = np.random.default_rng(1)
    y = np.zeros(round(beats * 60 / bpm * sr))
    t = np.arange(round(0.15 * sr)) / sr
    kick = np.sin(2 * np.pi * (50 + 80 * np.exp(-t * 60)) * t) * np.exp(-t * 25)
    snare = 0.6 * rng.standard_normal(len(t)) * np.exp(-t * 30) + 0.4 * np.sin(2 * np.pi * 190 * t) * np.exp(-t * 30)
    hat = 0.25 * np.diff(rng.standard_normal(len(t) + 1)) * np.exp(-t * 90)
    for eighth in range(2 * beats):
        beat, off = divmod(eighth, 2)
        for sound in [hat] if off else [hat, snare if beat % 2 else kick]:
            start = round(eighth * 30 / bpm * sr)
            end = min(len(y), start + len(sound))
            y[start:end] += sound[: end - start]
    return as_frames(0.8 * y / np.abs(y).max())


def tone(midi: float, duration: float, sr: int = SR, harmonics: int = 6) -> NDArray[np.float64]:
    """A plucked note."""
    t = seconds(duration, sr)
    hz = 440 * 2 ** ((midi - 69) / 12)
    rise = np.minimum(1, t / 0.005)
    return np.asarray(
        sum(np.sin(2 * np.pi * h * hz * t) * np.exp(-t * (1 + 0.5 * h)) / h for h in range(1, harmonics + 1)) * rise
    )


def cadence(tonic: int, mode: str, tuning: float = 0.0) -> Signal:
    """I IV V I (i iv V i), twice, half a second a chord, with the root below."""
    third = 4 if mode == "major" else 3
    chords = [(0, third, 7), (5, 5 + third, 12), (7, 11, 14), (0, third, 7)] * 2
    parts = []
    for chord in chords:
        notes = [48 + tonic + chord[0], *(60 + tonic + step for step in chord)]
        parts.append(np.sum([tone(note + tuning, 0.5) for note in notes], axis=0))
    y = np.concatenate(parts)
    return as_frames(0.5 * y / np.abs(y).max())
