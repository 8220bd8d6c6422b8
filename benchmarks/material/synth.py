"""Instruments by arithmetic: basses, leads, plucks, pads, chords; every note exactly in tune."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.material.fonts import SR
from benchmarks.material.midi import Note

Doubles = NDArray[np.float64]
VOICES = {
    "bass": ("sub", "saw", "square", "reese", "fm"),
    "lead": ("saw", "square", "sine", "supersaw", "fm", "triangle"),
    "pluck": ("string", "fm", "saw", "bell"),
    "pad": ("supersaw", "organ", "triangle", "choir"),
    "keys": ("epiano", "organ", "fm"),
}
"""The waves that make sense in a role."""


@dataclass(frozen=True, slots=True)
class Patch:
    """How an instrument sounds; times in seconds."""

    wave: str
    attack: float
    decay: float
    """Falls to 1/e in this time while held."""
    release: float
    cutoff: float
    """Where the spectrum begins to fall, in harmonics of the note."""
    sweep: float
    """How fast the cutoff falls; 0 not at all."""
    detune: float
    vibrato: float
    seed: int


def patch(role: str, rng: np.random.Generator) -> Patch:
    """Some instrument of that role."""
    slow = role == "pad"
    plucked = role == "pluck"
    return Patch(
        wave=str(rng.choice(VOICES[role])),
        attack=float(rng.uniform(0.15, 0.7) if slow else rng.uniform(0.001, 0.02)),
        decay=float(rng.uniform(0.12, 0.6) if plucked else rng.uniform(0.5, 8)),
        release=float(rng.uniform(0.2, 1.2) if slow else rng.uniform(0.02, 0.2)),
        cutoff=float(rng.uniform(1.5, 14)),
        sweep=float(rng.choice([0.0, rng.uniform(1, 8)])),
        detune=float(rng.uniform(4, 22)),
        vibrato=float(rng.uniform(0, 18) if role == "lead" and rng.random() < 0.4 else 0),
        seed=int(rng.integers(1 << 30)),
    )


def tone(p: Patch, pitch: float, seconds: float) -> Doubles:
    """One note, with its release after `seconds`, shape (frames,)."""
    t = np.arange(int(SR * (seconds + p.release))) / SR
    hz = 440 * 2 ** ((pitch - 69) / 12)
    bend = p.vibrato / 1200 * np.log(2) * hz / (2 * np.pi * 5.5) * -np.cos(2 * np.pi * 5.5 * t) * 2 * np.pi
    y = _WAVES[p.wave](p, hz, t, bend)
    envelope = np.minimum(1, t / p.attack) * np.exp(-np.maximum(0, t - p.attack) / p.decay)
    envelope *= np.exp(-np.maximum(0, t - seconds) / max(0.004, p.release / 5))
    return np.asarray(y * envelope * np.minimum(1, (t[-1] - t) / 0.003), np.float64)


def play(p: Patch, notes: Sequence[Note], bpm: float, seconds: float, cents: float = 0.0) -> Doubles:
    """All the notes (their times in quarter notes) as one sound of `seconds`."""
    out = np.zeros(int(SR * seconds) + 1)
    # most notes come back: each is made once
    made: dict[tuple[int, float], Doubles] = {}
    for note in notes:
        start = round(note.at * 60 / bpm * SR)
        same = (note.pitch, round(note.length, 6))
        if same not in made:
            made[same] = tone(p, note.pitch + cents / 100, same[1] * 60 / bpm)
        y = made[same][: max(0, len(out) - start)]
        out[start : start + len(y)] += y * (note.velocity / 127)
    return out


def _additive(p: Patch, hz: float, t: Doubles, bend: Doubles, strengths: Sequence[float]) -> Doubles:
    """Harmonics below a cutoff that may fall with time."""
    y = np.zeros(len(t))
    cutoff = p.cutoff * np.exp(-p.sweep * t) + 1.0
    for n, strength in enumerate(strengths, 1):
        if n * hz > 14000:
            break
        gain = 1 / (1 + (n / cutoff) ** 4) if p.sweep else 1 / (1 + (n / p.cutoff) ** 4)
        y += strength * gain * np.sin(n * (2 * np.pi * hz * t + bend))
    return y


def _saw(p: Patch, hz: float, t: Doubles, bend: Doubles) -> Doubles:
    return _additive(p, hz, t, bend, [1 / n for n in range(1, 41)])


def _square(p: Patch, hz: float, t: Doubles, bend: Doubles) -> Doubles:
    return _additive(p, hz, t, bend, [(n % 2) / n for n in range(1, 41)])


def _triangle(p: Patch, hz: float, t: Doubles, bend: Doubles) -> Doubles:
    return _additive(p, hz, t, bend, [(n % 2) / n**2 for n in range(1, 16)])


def _sine(p: Patch, hz: float, t: Doubles, bend: Doubles) -> Doubles:
    return _additive(p, hz, t, bend, [1.0])


def _sub(p: Patch, hz: float, t: Doubles, bend: Doubles) -> Doubles:
    return np.asarray(np.tanh(1.6 * _additive(p, hz, t, bend, [1.0, 0.15])), np.float64)


def _organ(p: Patch, hz: float, t: Doubles, bend: Doubles) -> Doubles:
    return _additive(p, hz, t, bend, [1, 0.8, 0.5, 0.5, 0, 0.3, 0, 0.3])


def _choir(p: Patch, hz: float, t: Doubles, bend: Doubles) -> Doubles:
    formants = ((700, 1.0), (1150, 0.6), (2700, 0.3))
    strengths = [sum(g * np.exp(-(((n * hz - f) / 180) ** 2)) for f, g in formants) + 0.05 for n in range(1, 31)]
    return _additive(p, hz, t, bend + 0.02 * hz / 100 * np.sin(2 * np.pi * 5 * t), strengths)


def _reese(p: Patch, hz: float, t: Doubles, bend: Doubles) -> Doubles:
    off = 2 ** (p.detune / 2400)
    return _saw(p, hz * off, t, bend) + _saw(p, hz / off, t, bend)


def _supersaw(p: Patch, hz: float, t: Doubles, bend: Doubles) -> Doubles:
    rng = np.random.default_rng(p.seed)
    offs = 2 ** (np.array([-1, -0.5, 0, 0.5, 1]) * p.detune / 1200)
    voices = (
        _additive(p, hz * off, t, bend + rng.uniform(0, 6.28), [1 / n for n in range(1, 20)]) for off in offs.tolist()
    )
    return np.asarray(sum(voices), np.float64)


def _fm(p: Patch, hz: float, t: Doubles, bend: Doubles) -> Doubles:
    index = 1 + p.cutoff / 4 * np.exp(-t * 4)
    phase = 2 * np.pi * hz * t + bend
    return np.asarray(np.sin(phase + index * np.sin(phase * (1 + p.seed % 2))), np.float64)


def _epiano(p: Patch, hz: float, t: Doubles, bend: Doubles) -> Doubles:
    phase = 2 * np.pi * hz * t + bend
    return np.asarray(np.sin(phase + 0.8 * np.exp(-t * 3) * np.sin(phase)) + 0.15 * np.sin(14 * phase) * np.exp(-t * 9))


def _bell(p: Patch, hz: float, t: Doubles, bend: Doubles) -> Doubles:
    partials = ((1, 1, 1.0), (2.0, 0.6, 1.6), (3.01, 0.4, 2.4), (4.2, 0.25, 3.4), (5.4, 0.2, 5.0))
    return np.asarray(sum(g * np.sin(2 * np.pi * hz * r * t) * np.exp(-t * d) for r, g, d in partials), np.float64)


def _string(p: Patch, hz: float, t: Doubles, bend: Doubles) -> Doubles:
    """A plucked string: harmonics that die the faster the higher they are."""
    rng = np.random.default_rng(p.seed)
    place = rng.uniform(0.1, 0.4)
    y = np.zeros(len(t))
    for n in range(1, min(40, int(12000 / hz)) + 1):
        stiff = n * np.sqrt(1 + 2e-5 * n * n)
        y += np.sin(np.pi * n * place) / n * np.sin(2 * np.pi * hz * stiff * t) * np.exp(-t * (0.4 + 0.25 * n))
    return y


_WAVES: dict[str, Callable[[Patch, float, Doubles, Doubles], Doubles]] = {
    "saw": _saw,
    "square": _square,
    "triangle": _triangle,
    "sine": _sine,
    "sub": _sub,
    "organ": _organ,
    "choir": _choir,
    "reese": _reese,
    "supersaw": _supersaw,
    "fm": _fm,
    "epiano": _epiano,
    "bell": _bell,
    "string": _string,
}
