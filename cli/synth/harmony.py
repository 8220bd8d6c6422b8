"""Scales, chords and lines in a key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cli.synth.tones import NAMES, Event

SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}


@dataclass(frozen=True)
class Scale:
    """A key: tonic (0 = C) and mode."""

    tonic: int
    mode: str

    @classmethod
    def named(cls, label: str) -> Scale:
        """The key called ``F# minor``."""
        tonic, _, mode = label.partition(" ")
        return cls(NAMES.index(tonic), mode)

    def note(self, degree: int, octave: int) -> int:
        """MIDI number of a degree (0 = tonic; may go beyond 6 or below 0)."""
        around, step = divmod(degree, 7)
        return 12 * (octave + 1 + around) + self.tonic + SCALES[self.mode][step]

    def chord(self, degree: int, octave: int = 4, size: int = 3) -> tuple[int, ...]:
        """Thirds upon a degree, turned so that no chord jumps far from the tonic's.

        In minor the fifth degree has the leading note, as it is usually played: without it a key and its relative
        major use the same notes and nobody could say which is meant.
        """
        notes = [self.note(degree + 2 * third, octave) for third in range(size)]
        if self.mode == "minor" and degree % 7 == 4:
            notes[1] += 1
        centre = 12 * (octave + 1) + 4
        return tuple(sorted(note - 12 if note > centre + 9 else note for note in notes))


def chords(key: Scale, degrees: Sequence[int], each: float, *, octave: int = 4, size: int = 3) -> list[Event]:
    """One chord after the other, `each` beats long."""
    return [(n * each, each, key.chord(degree, octave, size)) for n, degree in enumerate(degrees)]


def arpeggio(key: Scale, degrees: Sequence[int], each: float, order: Sequence[int], step: float) -> list[Event]:
    """The chords broken up: notes in `order`, one every `step` beats."""
    events: list[Event] = []
    for n, degree in enumerate(degrees):
        tones = key.chord(degree)
        spread = [*tones, *(tone + 12 for tone in tones)]
        for number in range(round(each / step)):
            events.append((n * each + number * step, step, (spread[order[number % len(order)]],)))
    return events


Rhythm = Sequence[tuple[float, float, int]]
"""Start and length in beats, and steps of the scale above the chord's root."""


def roots(key: Scale, degrees: Sequence[int], each: float, rhythm: Rhythm) -> list[Event]:
    """A bass: under each chord the same rhythm."""
    return [
        (n * each + start, length, (key.note(degree + step, 1 if key.tonic > 6 else 2),))
        for n, degree in enumerate(degrees)
        for start, length, step in rhythm
        if start < each
    ]


def melody(key: Scale, degrees: str, step: float, octave: int = 5) -> list[Event]:
    """Digits are degrees, `.` a rest, `-` holds the note before."""
    events: list[Event] = []
    for n, letter in enumerate(degrees):
        if letter == "-" and events:
            start, length, notes = events[-1]
            events[-1] = (start, length + step, notes)
        elif letter.isdigit():
            events.append((n * step, step, (key.note(int(letter) - 1, octave),)))
    return events
