"""Sounds, and the same sounds as producers edit them: louder or softer, cut, faded, in other formats."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

Signal = NDArray[np.float32]
_SOUNDS = frozenset((".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff"))
_SHORTEST_S, _LONGEST_S = 0.05, 15.0
_FAINT = 1e-3


@dataclass(frozen=True, slots=True)
class Edit:
    """What is done to a sound, and how it is written."""

    make: Callable[[Signal, int], tuple[Signal, int]]
    ending: str = "wav"
    subtype: str = "PCM_16"


def _gain(y: Signal, sr: int) -> tuple[Signal, int]:
    return y * np.float32(0.4), sr


def _trim(y: Signal, sr: int) -> tuple[Signal, int]:
    """Without 20 ms at its start, or a tenth of what is shorter, and an eighth at its end."""
    head = min(round(0.02 * sr), len(y) // 10)
    return y[head : len(y) - len(y) // 8], sr


def _fade(y: Signal, sr: int) -> tuple[Signal, int]:
    """In over a fiftieth, out over a quarter."""
    ramp = np.ones(len(y), np.float32)
    first, last = len(y) // 50, len(y) // 4
    ramp[:first] = np.linspace(0, 1, first)
    ramp[len(y) - last :] = np.linspace(1, 0, last)
    return y * ramp[:, None], sr


def _channels(y: Signal, sr: int) -> tuple[Signal, int]:
    """Stereo as mono; mono as two equal channels."""
    return (y.mean(axis=1, keepdims=True) if y.shape[1] > 1 else np.repeat(y, 2, axis=1)), sr


def _at(rate: int) -> Callable[[Signal, int], tuple[Signal, int]]:
    return lambda y, sr: (soxr.resample(y, sr, rate), rate)


def _same(y: Signal, sr: int) -> tuple[Signal, int]:
    return y, sr


EDITS: Mapping[str, Edit] = {
    "gain -8 dB": Edit(_gain),
    "trimmed at both ends": Edit(_trim),
    "faded in and out": Edit(_fade),
    "MP3": Edit(_same, "mp3", "MPEG_LAYER_III"),
    "Ogg Vorbis": Edit(_same, "ogg", "VORBIS"),
    "FLAC, 24 bits, 48 kHz": Edit(_at(48_000), "flac", "PCM_24"),
    "32 kHz": Edit(_at(32_000)),
    "mono or stereo": Edit(_channels),
}


def originals(folder: Path, most: int, seed: int = 1) -> Iterator[tuple[str, Signal, int]]:
    """Some of the sounds below a folder that are no longer than 15 s and not silent: name, (frames, channels), rate."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SOUNDS and path.is_file())
    Random(seed).shuffle(paths)
    found = 0
    for path in paths:
        try:
            if not _SHORTEST_S <= soundfile.info(path).duration <= _LONGEST_S:
                continue
            y, sr = soundfile.read(path, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError:
            continue
        if y.shape[1] <= 2 and np.isfinite(y).all() and np.abs(y).max(initial=0) > _FAINT:
            yield str(path.relative_to(folder)), np.clip(y, -1, 1), sr
            found += 1
        if found == most:
            return


def write(edit: Edit, y: Signal, sr: int, stem: Path) -> Path:
    """Write an edited sound; where it is."""
    edited, rate = edit.make(y, sr)
    path = stem.with_name(f"{stem.name}.{edit.ending}")
    soundfile.write(path, np.clip(edited, -1, 1), rate, edit.subtype)
    return path
