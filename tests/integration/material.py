"""Sound for the integration tests, made on the spot: loops of known tempo, notes of known pitch, many short files."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from tests.broken_files import make_broken

SR = 44100


def tone(hz: float, seconds: float, sr: int = SR) -> NDArray[np.float32]:
    """A decaying tone with a few harmonics."""
    t = np.arange(int(seconds * sr)) / sr
    y = sum(np.sin(2 * np.pi * hz * n * t) / n for n in (1, 2, 3))
    return (0.3 * y * np.exp(-3 * t / seconds)).astype(np.float32)


def drum_loop(bpm: float, bars: int = 2, seed: int = 0) -> NDArray[np.float32]:
    """Kick on every beat, snare on two and four, hats on eighths; exactly `bars` bars long."""
    rng = np.random.default_rng(seed)
    beats = bars * 4
    y = np.zeros(round(SR * beats * 60 / bpm), np.float32)

    def put(at: float, sound: NDArray[np.float32]) -> None:
        start = round(at * 60 / bpm * SR)
        end = min(start + len(sound), len(y))
        y[start:end] += sound[: end - start]

    t = np.arange(int(0.2 * SR)) / SR
    kick = (np.sin(2 * np.pi * (50 * t + 30 * (1 - np.exp(-30 * t)) / 30 * 4)) * np.exp(-18 * t) * 0.8).astype(
        np.float32
    )
    snare = (rng.standard_normal(len(t)) * np.exp(-25 * t) * 0.3).astype(np.float32)
    hat = (np.diff(rng.standard_normal(len(t) + 1)) * np.exp(-80 * t) * 0.1).astype(np.float32)
    for beat in range(beats):
        put(beat, kick)
        put(beat, hat)
        put(beat + 0.5, hat)
        if beat % 2:
            put(beat, snare)
    return np.clip(y, -1, 1)


def make_library(folder: Path) -> Path:
    """A small library with everything in it, and its broken part in ``broken/``."""
    for name in ("loops", "notes", "again", "broken"):
        (folder / name).mkdir()
    for bpm in (90, 120, 121.5, 140, 174):
        soundfile.write(folder / "loops" / f"beat_{str(bpm).replace('.', '_')}.wav", drum_loop(bpm), SR, "PCM_16")
    for name, hz in (("a3", 220.0), ("c4", 261.63), ("e4", 329.63)):
        soundfile.write(folder / "notes" / f"{name}.flac", tone(hz, 1.0), SR)
    (folder / "again" / "the same beat.wav").write_bytes((folder / "loops" / "beat_120.wav").read_bytes())
    (folder / "notes" / "readme.txt").write_text("these are notes\n")
    make_broken(folder / "broken")
    return folder


def short_files(number: int, seconds: float = 0.05, seed: int = 0, sr: int = 8000) -> Iterator[tuple[str, bytes]]:
    """Many different short files, a thousand a folder: clicks and blips, at 8 kHz so that they are quick to make."""
    rng = np.random.default_rng(seed)
    decay = np.exp(-np.arange(int(seconds * sr)) / sr * 60)
    for n in range(number):
        y = rng.standard_normal(len(decay)) * decay * 0.5
        wave = io.BytesIO()
        soundfile.write(wave, y.astype(np.float32), sr, "PCM_16", format="WAV")
        yield f"{n // 1000:03d}/blip_{n:05d}.wav", wave.getvalue()


def make_short_files(folder: Path, number: int, seconds: float = 0.05, seed: int = 0, sr: int = 8000) -> Path:
    """Write `short_files` below a folder."""
    for name, content in short_files(number, seconds, seed, sr):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder
