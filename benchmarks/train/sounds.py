"""What is learned from: the labelled files, excerpts and edits of them, and sounds made here that have no answer."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from benchmarks.labels import Labelled
from workers.analysis.mono import SR, Mono, to_mono
from workers.analysis.overview import Overview, measure

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sound:
    """One sound to learn from."""

    label: Labelled
    seen: Overview
    duration_s: float
    bpm: float | None
    original: bool
    apart: str = ""
    """The set that it is from, where it is not learned from: how much to believe is fitted on it, too."""


class Lesson(Protocol):
    """What learns one table."""

    edits: bool
    """Whether it wants excerpts and edits beside the files themselves."""
    judged_apart: bool
    """Whether it fits its confidence on sounds that are not learned from, too."""

    def hear(self, sound: Sound) -> None:
        """Keep what is needed of a sound: numbers, not the sound."""

    def learn(self) -> dict[str, object]:
        """The table; out-of-fold figures are printed."""


def sounds(labels: Sequence[Labelled], *, edits: bool) -> Iterator[Sound]:
    """Each labelled file, its edits, and what was made without a tempo or with an exact one."""
    for label, mono in _read(labels):
        yield _sound(label, mono.y, label.bpm, original=True)
        if edits:
            # seeded by name: a file is edited the same way whatever else is learned from
            yield from _edits(label, mono.y, np.random.default_rng(zlib.crc32(label.path.name.encode())))
    rng = np.random.default_rng(1)
    for name, noise in _without_anything(rng):
        yield _sound(Labelled(Path(name), None, None, "noise", "made"), noise, None, original=True)
    for n in range(40 if edits else 0):
        yield _sound(Labelled(Path(f"pluck-{n}"), None, None, "oneshot", "made"), _pluck(rng), None, original=False)
        bpm = float(rng.uniform(60, 180))
        label = Labelled(Path(f"clicks-{n}"), bpm, None, "loop", "made")
        yield _sound(label, _clicks(bpm, rng), bpm, original=False)


def files(labels: Sequence[Labelled], *, apart: str) -> Iterator[Sound]:
    """Each labelled file of a set that is not learned from."""
    for label, mono in _read(labels):
        yield replace(_sound(label, mono.y, label.bpm, original=True), apart=apart)


def _read(labels: Sequence[Labelled]) -> Iterator[tuple[Labelled, Mono]]:
    """What can be heard of each file."""
    for label in labels:
        y, sr = soundfile.read(label.path, dtype="float32", always_2d=True)
        mono = to_mono(y, sr)
        if not mono.silent:
            yield label, mono


def _sound(label: Labelled, y: Floats, bpm: float | None, *, original: bool) -> Sound:
    y = y / np.float32(max(float(np.abs(y).max()), 1e-6))
    return Sound(label, measure(Mono(y, 1.0), len(y) / SR), len(y) / SR, bpm, original)


def _edits(label: Labelled, y: Floats, rng: np.random.Generator) -> Iterator[Sound]:
    if label.bpm:
        for speed in rng.uniform(0.87, 1.15, 2):
            yield _sound(label, _at_speed(y, speed), label.bpm / speed, original=False)
        for beats in (4, 8, 16, 32):
            yield from _excerpt(label, y, beats, rng)
    if label.one_shot:
        for _ in range(2):
            yield _sound(label, _edited(y, rng), None, original=False)


def _at_speed(y: Floats, speed: float) -> Floats:
    return np.asarray(soxr.resample(y, SR, SR * speed), np.float32)


def _excerpt(label: Labelled, y: Floats, beats: int, rng: np.random.Generator) -> Iterator[Sound]:
    """A loop of so many beats, from the start of some bar, a little faster or slower."""
    assert label.bpm
    beat = 60 * SR / label.bpm
    if len(y) < max(10 * SR, (beats + 1) * beat):
        return
    start = int(rng.integers(0, max(1, int((len(y) - beats * beat) / (4 * beat))))) * 4 * beat
    speed = rng.uniform(0.9, 1.1)
    loop = _at_speed(y[round(start) : round(start + beats * beat)], speed)
    if float(np.abs(loop).max()) > 0.01:
        yield _sound(label, loop, label.bpm / speed, original=False)


def _edited(y: Floats, rng: np.random.Generator) -> Floats:
    """A one-shot faster or slower, and cut or faded early."""
    y = _at_speed(y, rng.uniform(0.7, 1.4)).copy()
    end = max(256, int(len(y) * rng.uniform(0.3, 1)))
    y = y[:end]
    if rng.random() < 0.5:
        y *= np.linspace(1, 0, len(y), dtype=np.float32) ** 2
    return y


def _pluck(rng: np.random.Generator) -> Floats:
    """A note or a chord that dies away, perhaps cut off."""
    t = np.arange(int(SR * rng.uniform(0.2, 5))) / SR
    root = rng.uniform(28, 90)
    notes = root + np.array([0, rng.choice([3, 4]), 7])[: rng.choice([1, 1, 3])]
    decay = rng.uniform(0, 6)
    y = np.zeros(len(t))
    for note in notes:
        hz = 440 * 2 ** ((note - 69) / 12)
        for h in range(1, int(min(12, 10000 / hz)) + 1):
            y += np.sin(2 * np.pi * h * hz * t) * np.exp(-t * decay * (1 + 0.3 * h)) / h ** rng.uniform(0.7, 2)
    y *= np.minimum(1, t / rng.uniform(0.001, 0.2))
    return np.asarray(0.8 * y / np.abs(y).max(), np.float32)


def _clicks(bpm: float, rng: np.random.Generator) -> Floats:
    """Short bursts on each beat, now and then one between them."""
    beats = int(rng.choice([8, 16, 32]))
    y = np.zeros(round(beats * 60 / bpm * SR) + 2000)
    for beat in range(beats):
        for at, level in ((beat, 1.0), (beat + 0.5, 0.5 * (rng.random() < 0.3))):
            start = round(at * 60 / bpm * SR)
            y[start : start + 1000] += level * rng.standard_normal(1000) * np.exp(-np.arange(1000) / 150)
    return np.asarray(0.5 * y[:-2000] / np.abs(y).max(), np.float32)


def _without_anything(rng: np.random.Generator) -> Iterator[tuple[str, Floats]]:
    """Noise, steady tones, drones, clicks at random: no tempo, and mostly no key."""
    for n in range(24):
        size = int(SR * rng.uniform(0.5, 12))
        t = np.arange(size) / SR
        white = rng.standard_normal(size)
        brown = np.cumsum(white)
        brown -= np.convolve(brown, np.ones(2001) / 2001, "same")
        swell = np.sin(np.pi * t / t[-1]) ** 2
        tone = sum(np.sin(2 * np.pi * h * rng.uniform(60, 600) * t) / h for h in range(1, 5))
        clicks = np.zeros(size)
        clicks[rng.integers(0, size, max(1, int(6 * t[-1])))] = 1
        sound = (white, brown, white * swell, tone, tone * swell, clicks)[n % 6]
        yield f"made-{n}", (0.5 * sound / np.abs(sound).max()).astype(np.float32)
