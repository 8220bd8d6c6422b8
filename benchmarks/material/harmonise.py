"""Chords under a tune: bar by bar the triad that holds most of its notes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.material.midi import Note
from benchmarks.material.scores import Score

_MAJOR = ((0, 4, 7), (5, 9, 0), (7, 11, 2), (9, 0, 4), (2, 5, 9))
_MINOR = ((0, 3, 7), (5, 8, 0), (7, 11, 2), (3, 7, 10), (8, 0, 3), (10, 2, 5))
_FIRST_CHOICE = (1.25, 1.05, 1.1, 0.9, 0.9, 0.9)
_STYLES = ("block", "oom-pah", "broken", "drone")


def chords_under(score: Score, rng: np.random.Generator) -> list[tuple[float, float, tuple[int, ...]]]:
    """The triads: from when, how long (quarter notes), which pitch classes with the root first."""
    tune = [note for part in score.parts for note in part]
    triads = _MAJOR if score.mode == "major" else _MINOR
    bars = int(np.ceil((score.length - score.first_bar) / score.bar - 1e-6))
    out = []
    for bar in range(bars):
        start = score.first_bar + bar * score.bar
        held = np.zeros(12)
        for note in tune:
            inside = min(note.at + note.length, start + score.bar) - max(note.at, start)
            held[(note.pitch - score.tonic) % 12] += max(0.0, inside)
        fit = [sum(held[step] for step in triad) * weight for triad, weight in zip(triads, _FIRST_CHOICE, strict=False)]
        best = triads[0] if bar in (0, bars - 1) else triads[int(np.argmax(np.array(fit) + rng.uniform(0, 1e-3)))]
        out.append((start, score.bar, tuple((score.tonic + step) % 12 for step in best)))
    return out


def accompaniment(score: Score, rng: np.random.Generator) -> tuple[Note, ...]:
    """One part that plays those chords in some style."""
    style = str(rng.choice(_STYLES, p=(0.4, 0.3, 0.2, 0.1)))
    base = int(rng.integers(43, 50))
    notes: list[Note] = []
    for at, length, chord in chords_under(score, rng):
        notes += _bar(style, at, length, score.beat, [base + (step - base) % 12 for step in chord])
    return tuple(notes)


def _bar(style: str, at: float, length: float, beat: float, chord: Sequence[int]) -> list[Note]:
    beats = round(length / beat)
    upper = [pitch if pitch > chord[0] else pitch + 12 for pitch in chord]
    if style == "block":
        return [Note(at, length, pitch, 70) for pitch in [chord[0] - 12, *upper]]
    if style == "drone":
        return [Note(at, length, pitch, 64) for pitch in (chord[0] - 12, upper[2])]
    if style == "broken":
        step = beat / (3 if beat == 1.5 else 2)
        order = [chord[0], upper[1], upper[2], upper[1]]
        return [Note(at + n * step, step, order[n % 4], 68) for n in range(round(length / step))]
    out = [Note(at, beat, chord[0] - 12, 80)]
    for n in range(1, beats):
        if beats == 4 and n == 2:
            out.append(Note(at + n * beat, beat, chord[0] - 5, 76))
        else:
            out += [Note(at + n * beat, beat * 0.6, pitch, 66) for pitch in upper]
    return out
