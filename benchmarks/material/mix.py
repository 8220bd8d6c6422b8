"""Drums and notes to one sound of an exact length."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.material import finish, synth
from benchmarks.material.fonts import SR
from benchmarks.material.midi import Note

Audio = NDArray[np.float32]


def loudness(y: Audio) -> float:
    """Root mean square of what sounds."""
    loud = np.abs(y).max(axis=1) > 1e-4
    return float(np.sqrt(np.mean(y[loud] ** 2))) if loud.any() else 1.0


def level(y: Audio, db: float) -> Audio:
    """Brought to that loudness, in dB below full scale."""
    return np.asarray(y * (10 ** (db / 20) / max(1e-6, loudness(y))), np.float32)


def drums(strokes: Sequence[tuple[float, str, float]], sounds: dict[str, Audio], bpm: float, seconds: float) -> Audio:
    """Strokes (when in beats, which drum, how hard) on a kit."""
    out = np.zeros((int(seconds * SR) + 1, 2), np.float32)
    gains = {"hat": 0.35, "open": 0.3, "ride": 0.3, "shaker": 0.3, "crash": 0.4, "tambourine": 0.3, "kick": 1.0}
    pans = {"hat": 0.15, "open": 0.15, "ride": -0.2, "tom": -0.1, "shaker": -0.25}
    for at, drum, strength in strokes:
        start = round(at * 60 / bpm * SR)
        y = sounds[drum][: max(0, len(out) - start)]
        pan = pans.get(drum, 0.0)
        side = np.array([1 - pan, 1 + pan], np.float32) * gains.get(drum, 0.7) * strength
        out[start : start + len(y)] += y * side
    return out


def synthesised(
    patch: synth.Patch, notes: Sequence[Note], bpm: float, seconds: float, *, cents: float = 0.0, pan: float = 0.0
) -> Audio:
    """Notes on one patch, shape (frames, 2)."""
    y = synth.play(patch, notes, bpm, seconds, cents)
    return np.asarray(y[:, None] * np.array([1 - pan, 1 + pan]), np.float32)


def mixed(tracks: Sequence[Audio], frames: int) -> Audio:
    """The sum of the tracks, each as long as asked."""
    return np.asarray(np.sum([finish.fit(track, frames) for track in tracks], axis=0), np.float32)


def pumped(y: Audio, bpm: float, amount: float) -> Audio:
    """Ducked on each beat, as a compressor keyed by the kick does."""
    phase = (np.arange(len(y)) / SR * bpm / 60) % 1
    return np.asarray(y * (1 - amount * np.exp(-phase * 5))[:, None], np.float32)
