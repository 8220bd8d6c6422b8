"""Chord progressions, bass lines, melodies and arpeggios in a key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.material.midi import Note

_SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
_PROGRESSIONS = {
    # degrees from 0; every one says its tonic, by its dominant or by coming home, so that the key is no matter of taste
    "major": (
        (0, 4, 5, 3), (0, 5, 3, 4), (0, 3, 4, 0), (0, 3, 0, 4), (0, 1, 4, 0), (0, 2, 3, 4), (0, 4, 3, 0), (0, 3, 1, 4),
        (0, 0, 3, 4), (3, 4, 0, 0),
    ),
    "minor": (
        (0, 5, 3, 4), (0, 3, 4, 0), (0, 6, 5, 4), (0, 2, 5, 4), (0, 3, 0, 4), (0, 5, 4, 0), (0, 0, 3, 4), (0, 6, 0, 4),
        (0, 3, 6, 0), (0, 0, 5, 4),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Harmony:
    """A key and its chords, one after another, each of `beats` quarter notes."""

    tonic: int
    mode: str
    degrees: tuple[int, ...]
    beats: float

    def step(self, degree: int) -> int:
        """Semitones of a degree of the scale above the tonic; degrees past 6 go on above."""
        scale = _SCALES[self.mode]
        return scale[degree % 7] + 12 * (degree // 7)

    def chord(self, at: float) -> tuple[int, ...]:
        """Pitch classes of the triad at a time in quarter notes, root first; the minor's fifth degree is major."""
        degree = self.degrees[int(at / self.beats + 1e-6) % len(self.degrees)]
        steps = [self.step(degree + third) for third in (0, 2, 4)]
        if self.mode == "minor" and degree == 4:
            steps[1] += 1
        return tuple((self.tonic + s) % 12 for s in steps)


def harmony(rng: np.random.Generator, beats: float, *, mode: str | None = None, still: bool = False) -> Harmony:
    """A key and a progression; `still` stays on the tonic."""
    chosen = mode or str(rng.choice(["major", "minor"]))
    progressions = _PROGRESSIONS[chosen]
    degrees = (0,) if still else progressions[int(rng.integers(len(progressions)))]
    return Harmony(int(rng.integers(12)), chosen, degrees, beats)


def near(pitch_class: int, centre: int) -> int:
    """The note of a pitch class nearest to another."""
    return centre + (pitch_class - centre + 6) % 12 - 6


def voiced(chord: Sequence[int], centre: int) -> list[int]:
    """A chord in close position around a note."""
    return sorted(near(step, centre) for step in chord)


def chords(h: Harmony, quarters: float, rng: np.random.Generator, style: str) -> list[Note]:
    """Chords held, stabbed off the beat, or strummed in a rhythm of eighths."""
    centre = int(rng.integers(56, 68))
    seventh = rng.random() < 0.2
    rhythm = rng.random(8) < 0.5
    rhythm[0] = rhythm[3] = True
    out: list[Note] = []
    at = 0.0
    while at < quarters - 1e-6:
        tones = voiced(h.chord(at), centre)
        if seventh:
            tones.append(near((tones[0] + 10) % 12, centre + 4) if h.mode == "minor" else tones[-1])
        if style == "held":
            out += [Note(at, min(h.beats, quarters - at), p, 78) for p in tones]
            at += h.beats
        elif style == "offbeat":
            out += [Note(at + 0.5, 0.3, p, 84) for p in tones]
            at += 1
        else:
            if rhythm[int(at * 2) % 8]:
                out += [Note(at, 0.45, p, int(rng.integers(66, 96))) for p in tones]
            at += 0.5
    return out


def bass(h: Harmony, quarters: float, rng: np.random.Generator, style: str) -> list[Note]:
    """Roots held, in eighths, off the beat, dotted, or walking."""
    low = int(rng.integers(30, 42))
    out: list[Note] = []
    steps = {
        "held": [0.0], "eighths": [n / 2 for n in range(8)], "offbeat": [0.5, 1.5, 2.5, 3.5],
        "dotted": [0, 0.75, 1.5, 2.25, 3.0, 3.5], "sixteenths": [n / 4 for n in range(16)],
        "walking": [0.0, 1.0, 2.0, 3.0], "acid": [n / 4 for n in range(16) if n % 4 == 0 or rng.random() < 0.6],
    }[style]  # fmt: skip
    bar = 0.0
    spice = rng.random(16)
    while bar < quarters - 1e-6:
        for n, step in enumerate(steps):
            at = bar + step
            if at >= quarters - 1e-6:
                continue
            chord = h.chord(at)
            until = steps[n + 1] if n + 1 < len(steps) else 4.0
            pitch = near(chord[0], low)
            if style == "walking" and n:
                pitch = near(chord[n % 3], low)
            if style in ("acid", "sixteenths") and spice[n] > 0.75:
                pitch += 12 if spice[n] > 0.88 else near(chord[2], low) - near(chord[0], low)
            out.append(Note(at, min(until - step, quarters - at) * 0.92, pitch, int(rng.integers(84, 112))))
        bar += 4
    return out


def melody(h: Harmony, quarters: float, rng: np.random.Generator, *, per_quarter: int = 2) -> list[Note]:
    """A tune over the chords: their notes on the beats, neighbours between, the same phrase come back."""
    centre = int(rng.integers(66, 80))
    phrase = int(16 * per_quarter / 2)
    sounds = rng.random(phrase) < rng.uniform(0.45, 0.8)
    sounds[0] = True
    moves = rng.integers(-2, 3, phrase)
    degree, out = 0, []
    for n in range(int(quarters * per_quarter)):
        at = n / per_quarter
        degree = int(np.clip(degree + moves[n % phrase], -4, 8))
        if not sounds[n % phrase]:
            continue
        pitch = centre + (h.tonic - centre) % 12 + h.step(degree)
        if n % per_quarter == 0:
            pitch = min((near(step, pitch) for step in h.chord(at)), key=lambda p: abs(p - pitch))
        held = 1
        while held < 4 * per_quarter and not sounds[(n + held) % phrase]:
            held += 1
        length = min(held / per_quarter, quarters - at, 2.0)
        out.append(Note(at, length * 0.95, pitch, int(rng.integers(78, 110))))
    return out


def arpeggio(h: Harmony, quarters: float, rng: np.random.Generator, per_quarter: int = 4) -> list[Note]:
    """The chords' notes one after another."""
    centre = int(rng.integers(58, 74))
    order = list(rng.permutation(4)) if rng.random() < 0.5 else [0, 1, 2, 3]
    if rng.random() < 0.4:
        order = [*order, *order[-2:0:-1]]
    out = []
    for n in range(int(quarters * per_quarter)):
        at = n / per_quarter
        tones = voiced(h.chord(at), centre)
        pitch = [*tones, tones[0] + 12][order[n % len(order)]]
        out.append(Note(at, 0.9 / per_quarter, pitch, 100 if n % per_quarter == 0 else int(rng.integers(70, 92))))
    return out
