"""Files to measure the whole analysis on, one of each class, made by the demo's synthesiser into a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from cli.synth import tones
from cli.synth.dsp import SR
from cli.synth.music import BREAK, EVERYTHING, FOUR, TECHNO, band

LOOP_S = 8.4
Signal = NDArray[np.float64]


def make(folder: Path) -> dict[str, Path]:
    """Write one file of each class below `folder`: its path by its name."""
    hour = folder / "hour.wav"
    files = {
        **short_ones(folder),
        **usual_ones(folder),
        "drum hit 0.25 s, WAV 16, stereo": _write(folder / "hit_stereo.wav", np.stack([_hit()] * 2, axis=1)),
        "loop 8.4 s, WAV 16, mono": _write(folder / "loop_mono.wav", _mono(music(LOOP_S))),
        "30 s, WAV 24, 48 kHz": _write(folder / "music48.wav", music(30.0), 48_000, "PCM_24"),
        "30 s, WAV 16, mono 22 kHz": _write(folder / "mono.wav", _mono(music(30.0)[::2]), SR // 2),
        "30 s, Ogg Vorbis": _write(folder / "music.ogg", music(30.0), subtype="VORBIS"),
        "track 180 s, FLAC": _write(folder / "track.flac", music(180.0)),
        "an hour, WAV 16": hour,
    }
    with soundfile.SoundFile(hour, "w", SR, 2, "PCM_16") as file:
        minute = music(60.0)
        for _ in range(60):
            file.write(minute)
    return files


def short_ones(folder: Path) -> dict[str, Path]:
    """Of these, the two that take least."""
    return {
        "one-shot 0.9 s, WAV 16": _write(folder / "one_shot.wav", _one_shot()),
        "drum hit 0.25 s, WAV 16": _write(folder / "hit.wav", _hit()),
    }


def usual_ones(folder: Path) -> dict[str, Path]:
    """Of these, a loop and half a minute of music in the formats most often met."""
    half_a_minute = music(30.0)
    return {
        "loop 8.4 s, WAV 16": _write(folder / "loop.wav", music(LOOP_S)),
        "30 s, WAV 16": _write(folder / "music.wav", half_a_minute),
        "30 s, FLAC": _write(folder / "music.flac", half_a_minute),
        "30 s, MP3": _write(folder / "music.mp3", half_a_minute, subtype="MPEG_LAYER_III"),
    }


def music(seconds: float) -> Signal:
    """(frames, 2): a band that plays on, four bars of this and four bars of that."""
    bpm = 16 * 60 / LOOP_S
    parts = [
        band("one", bpm, "A minor", (0, 5, 2, 6), FOUR, tones.keys),
        band("two", bpm, "A minor", (0, 3, 4, 0), BREAK, tones.keys),
        band("three", bpm, "A minor", (5, 3, 0, 4), TECHNO, tones.keys),
    ]
    length = round(SR * seconds)
    played = np.concatenate(parts * (1 + int(seconds // (3 * LOOP_S))))[:length]
    return np.asarray(0.9 * played / np.abs(played).max())


def _one_shot() -> Signal:
    sound = next(sound for sound in EVERYTHING if sound.kind == "one-shot" and sound.note)
    y = sound.make()
    y = np.stack([y, y], axis=1) if y.ndim == 1 else y
    whole = np.zeros((round(0.9 * SR), 2))
    whole[: len(y)] = y[: len(whole)]
    return whole * np.minimum(1, (len(whole) - np.arange(len(whole))) / 441)[:, np.newaxis]


def _hit() -> Signal:
    y = next(sound for sound in EVERYTHING if sound.kind == "one-shot" and not sound.note).make()
    return y[: SR // 4]


def _mono(y: Signal) -> Signal:
    return np.asarray(y.mean(axis=1))


def _write(path: Path, y: Signal, sr: int = SR, subtype: str = "PCM_16") -> Path:
    soundfile.write(path, y, sr, subtype)
    return path
