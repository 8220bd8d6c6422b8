"""The root note of one-shots: which candidate it is, or that there is none."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.scoring import ece
from benchmarks.train.fit import Choice, Doubles, table, temperature
from benchmarks.train.folds import show
from benchmarks.train.softmax import Questions
from benchmarks.train.sounds import Sound
from workers.analysis import pitch
from workers.analysis.learned import softmax
from workers.analysis.mono import SR, Mono

_L2 = 6.0
_MADE = 120
_TUNED = ("kick", "tom", "perc", "percussion")
"""Drums that may be tuned, as an 808 is: whether they have a note is a matter of taste, so nothing is learned from them
but from the kicks made here, which fall all the time."""

Floats = NDArray[np.float32]


class PitchLesson:
    """A conditional logit over the candidates and there being none."""

    edits = False
    judged_apart = False

    def __init__(self) -> None:
        self._choices: list[Choice] = []
        self._seen: list[tuple[pitch.Heard, Doubles, int | None]] = []
        self.missed = 0

    def hear(self, sound: Sound) -> None:
        """One-shots with a note, or of a class that has none, and noise."""
        label = sound.label
        if not sound.original or not (label.one_shot or label.kind == "noise") or label.sound in _TUNED:
            return
        if label.note_midi is not None or label.no_key or label.sound == "chord":
            name = label.path.name
            self.add(sound.seen.mono, label.note_midi, label.piece, f"{label.slice} {label.sound}", name)

    def add(self, mono: Mono, midi: int | None, piece: str, group: str, name: str) -> None:
        """One sound and its note."""
        heard = pitch.listen(mono)
        f0 = pitch.candidates(heard)
        right = len(f0)
        if midi is not None:
            off = np.abs(69 + 12 * np.log2(f0 / 440) - midi) if len(f0) else np.ones(1)
            if off.min() > 0.7:
                self.missed += 1
                print(f"   {name}: its note is not among the candidates")
                return
            right = int(off.argmin())
        self._choices.append(Choice(pitch.describe(heard, f0), right, 1.0, piece, group, True))
        self._seen.append((heard, f0, midi))

    def learn(self) -> dict[str, object]:
        """The table of `pitch`."""
        for n, (mono, midi, group) in enumerate(_made()):
            self.add(mono, midi, f"{group} {n}", f"made {group}", f"{group} {n}")
        spread = np.concatenate([c.X for c in self._choices]).std(axis=0) + 1e-6
        yes = sum(midi is not None for _, _, midi in self._seen)
        halves = {
            True: 0.5 * len(self._seen) / max(1, yes),
            False: 0.5 * len(self._seen) / max(1, len(self._seen) - yes),
        }
        choices = [replace(c, X=c.X / spread, weight=halves[c.right < len(c.X) - 1]) for c in self._choices]
        questions = Questions(choices)
        none = np.zeros(len(spread))
        scores = questions.held_out(_L2, none)
        t = temperature(scores, [c.right for c in choices])
        self._report([softmax(z / t) for z in scores])
        w = questions.fit_all(_L2, none)
        return table(pitch.INPUTS, np.zeros(len(w)), spread, w, 0.0, t)

    def _report(self, probability: list[Doubles]) -> None:
        hits, sure = [], []
        for p, (heard, f0, midi) in zip(probability, self._seen, strict=True):
            best, confidence = pitch.choose(p, f0)
            said = None if best is None else pitch.note_of(pitch.refine(heard, float(f0[best])))[1]
            hits.append(said == midi)
            if said is not None:
                sure.append((confidence, said == midi))
        pitched = [midi is not None for _, _, midi in self._seen]
        show("pitch", [c.slice for c in self._choices], hits)
        show("pitch", ["pitched" if p else "none" for p in pitched], hits)
        believed, right = np.mean(sure, axis=0)
        print(f"of notes said: believed {100 * believed:.1f}, right {100 * right:.1f}, off by {ece(sure):.3f}")
        print(f"not among candidates: {self.missed}")


def _made() -> Iterator[tuple[Mono, int | None, str]]:
    """Sounds whose note is known because they are made here."""
    for group, make in (("kick", _kick), ("sweep", _sweep), ("808", _eight), ("tone", _tone), ("noise", _noise)):
        for n in range(_MADE):
            midi, y = make(np.random.default_rng(zlib.crc32(f"{group} {n}".encode())))
            yield Mono(np.asarray(y / np.abs(y).max(), np.float32), 1.0), midi, group


def _seconds(rng: np.random.Generator, least: float, most: float) -> Doubles:
    return np.arange(int(SR * np.exp(rng.uniform(np.log(least), np.log(most))))) / SR


def _drop(t: Doubles, to_hz: float, from_hz: float, tau: float) -> Doubles:
    """A sine whose frequency falls."""
    return np.asarray(np.sin(2 * np.pi * (to_hz * t + (from_hz - to_hz) * tau * (1 - np.exp(-t / tau)))))


def _kick(rng: np.random.Generator) -> tuple[None, Doubles]:
    t = _seconds(rng, 0.12, 0.8)
    y = _drop(t, rng.uniform(38, 75), rng.uniform(150, 900), rng.uniform(0.01, 0.08))
    return None, y * np.exp(-t / rng.uniform(0.04, 0.2)) + 0.1 * rng.standard_normal(len(t)) * np.exp(-t / 0.004)


def _sweep(rng: np.random.Generator) -> tuple[None, Doubles]:
    t = _seconds(rng, 0.3, 3)
    octaves = rng.uniform(0.7, 3) * rng.choice([-1, 1])
    phase = 2 * np.pi * np.cumsum(rng.uniform(80, 400) * 2 ** (octaves * t / t[-1])) / SR
    return None, np.sum([np.sin(h * phase) / h for h in range(1, rng.integers(2, 7))], axis=0)


def _eight(rng: np.random.Generator) -> tuple[int, Doubles]:
    """A bass drum long enough to be a bass."""
    t = _seconds(rng, 0.4, 2)
    midi = int(rng.integers(24, 48))
    hz = _hz(midi, rng)
    y = _drop(t, hz, hz * rng.uniform(2, 6), rng.uniform(0.005, 0.02)) * np.exp(-t / rng.uniform(0.4, 1.5))
    return midi, np.tanh(rng.uniform(1, 4) * y)


def _tone(rng: np.random.Generator) -> tuple[int, Doubles]:
    t = _seconds(rng, 0.07, 2.5)
    midi = int(rng.integers(21, 109))
    hz = _hz(midi, rng)
    most = max(1, min(40, int(10000 / hz)))
    shape = rng.integers(4)
    if shape == 3:
        bend = rng.uniform(0.3, 4) * np.sin(2 * np.pi * hz * rng.integers(1, 4) * t) * np.exp(-3 * t)
        y = np.sin(2 * np.pi * hz * t + bend)
    else:
        steps = range(1, (1, most, most)[shape] + 1, (1, 1, 2)[shape])
        y = np.sum([np.sin(2 * np.pi * h * hz * t) / h for h in steps], axis=0)
    y *= np.exp(-t * rng.choice([0, 2, 8])) * np.minimum(1, t / 0.004)
    return midi, y / np.abs(y).max() + rng.choice([0, 0.01]) * rng.standard_normal(len(t))


def _noise(rng: np.random.Generator) -> tuple[None, Doubles]:
    t = _seconds(rng, 0.04, 2)
    y = rng.standard_normal(len(t))
    width = int(rng.choice([1, 1, 4, 16]))
    return None, np.convolve(y, np.ones(width) / width, "same") * np.exp(-t * rng.choice([0, 3, 15]))


def _hz(midi: int, rng: np.random.Generator) -> float:
    return float(440 * 2 ** ((midi - 69 + rng.uniform(-0.4, 0.4)) / 12))
