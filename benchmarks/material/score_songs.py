"""Scores as people render them: another key, another speed, other instruments, perhaps drums."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.material import finish, fonts, grooves
from benchmarks.material.harmonise import accompaniment
from benchmarks.material.made import Made
from benchmarks.material.midi import Note, Part, Song
from benchmarks.material.rows import Row
from benchmarks.material.scores import Candidate, Score, candidates, key_name, read

_INSTRUMENTS = {
    "keys": (0, 1, 2, 4, 5, 6, 7, 11, 12, 16, 19, 20, 21, 22),
    "strings": (40, 41, 42, 45, 46, 48, 49, 50),
    "plucked": (24, 25, 26, 27, 28, 104, 105, 106),
    "wind": (56, 57, 58, 60, 64, 65, 66, 68, 70, 71, 72, 73, 74, 75, 79),
    "voices": (52, 53, 54, 85),
    "synth": (80, 81, 82, 84, 87, 88, 89, 90, 91),
}
_DRUMS = {3: ("waltz",), 2: ("six-eight",), 4: ("rock", "pop", "house", "funk", "disco", "ballad", "dnb", "hip-hop")}
_SPEED = {True: (66.0, 132.0), False: (68.0, 178.0)}
"""Beats a minute: compound metres, simple metres."""


def make(n: int, rng: np.random.Generator, seed: int) -> Made | None:
    """The n-th: two renderings of each piece, one after the other."""
    pieces = candidates(seed)
    return sung(pieces[n // 2 % len(pieces)], rng)


def sung(piece: Candidate, rng: np.random.Generator) -> Made | None:
    """A piece in some rendering; None where it cannot be read."""
    score = read(piece)
    if score is None:
        return None
    alone = len(score.parts) == 1
    if alone and rng.random() < 0.55:
        score = replace(score, parts=(*score.parts, accompaniment(score, rng)), group="folk_chords")
    elif alone:
        score = replace(score, group="melody")
    return _rendered(score, rng)


def _rendered(score: Score, rng: np.random.Generator) -> Made:
    shift = int(rng.integers(-6, 6))
    bpm = float(rng.uniform(*_SPEED[score.beat == 1.5]))
    seconds = float(rng.uniform(12, 30))
    quarters = seconds * bpm / 60 * score.beat
    notes = _long_enough(score, quarters)
    if rng.random() < 0.3 and score.group != "classical":
        # from somewhere inside; a classical movement may be in another key there
        score, notes = _from_inside(score, notes, quarters, rng)
    notes = [[replace(n, pitch=n.pitch + shift) for n in part if n.at < quarters] for part in notes]
    parts = _orchestrated(notes, score, rng)
    drums = bool(rng.random() < 0.45)
    if drums:
        parts.append(_drummer(score, quarters, bpm, rng))
    cents = float(rng.uniform(-40, 40)) if rng.random() < 0.3 else 0.0
    # fluidsynth keeps to quarter notes a minute
    song = Song(parts, bpm * score.beat, cents)
    y = fonts.render(song, fonts.pick(rng), reverb=bool(rng.random() < 0.7))
    y = finish.fade(finish.fit(y, round(seconds * fonts.SR)), fonts.SR, 0.02)
    row = Row(
        piece=score.piece,
        slice="scores",
        kind=f"{score.group}{'+drums' if drums else ''}",
        source="pypi:music21 corpus",
        bpm=bpm,
        key=key_name(score.tonic + shift),
        mode=score.mode,
        metre=score.metre,
        tuning_cents=cents,
        downbeat_s=score.first_bar / score.beat * 60 / bpm,
    )
    return Made(finish.worn(y, fonts.SR, rng), fonts.SR, row)


def _long_enough(score: Score, quarters: float) -> list[list[Note]]:
    """From its start; again where it is too short."""
    whole = np.ceil((score.length - score.first_bar) / score.bar) * score.bar
    out = []
    for part in score.parts:
        notes = list(part)
        turn = 1
        while turn * whole < quarters:
            notes += [replace(n, at=n.at + turn * whole) for n in part]
            turn += 1
        out.append(notes)
    return out


def _from_inside(
    score: Score, notes: list[list[Note]], quarters: float, rng: np.random.Generator
) -> tuple[Score, list[list[Note]]]:
    """What sounds from some moment on, on a beat or not."""
    end = max(n.at + n.length for part in notes for n in part)
    start = float(rng.uniform(0, max(0.0, end - quarters)))
    later = [[replace(n, at=n.at - start) for n in part if n.at >= start] for part in notes]
    return replace(score, first_bar=(score.first_bar - start) % score.bar), later


def _orchestrated(parts: list[list[Note]], score: Score, rng: np.random.Generator) -> list[Part]:
    family = str(rng.choice(list(_INSTRUMENTS)))
    alone = int(rng.choice(_INSTRUMENTS[family]))
    mixed = rng.random() < 0.4
    accent, loose = rng.uniform(0, 22) * (rng.random() < 0.6), rng.uniform(0, 0.02) * (rng.random() < 0.5)
    out = []
    for notes in parts:
        program = int(rng.choice(_INSTRUMENTS[str(rng.choice(list(_INSTRUMENTS)))])) if mixed else alone
        out.append(Part([_played(n, score, accent, loose, rng) for n in notes], program, pan=int(rng.integers(34, 94))))
    return out


def _played(note: Note, score: Score, accent: float, loose: float, rng: np.random.Generator) -> Note:
    """With the accents of the metre, and not quite in time."""
    within = (note.at - score.first_bar) % score.bar
    strength = 2.0 if within < 0.01 else 1.0 if within % score.beat < 0.01 else 0.0
    velocity = 84 + accent * (strength - 0.7) + rng.normal(0, 3)
    at = max(0.0, note.at + float(rng.normal(0, 1)) * loose)
    return Note(at, max(0.06, note.length * rng.uniform(0.85, 1)), note.pitch, int(np.clip(velocity, 20, 125)))


def _drummer(score: Score, quarters: float, bpm: float, rng: np.random.Generator) -> Part:
    beats = round(score.bar / score.beat)
    names = _DRUMS.get(2 if score.beat == 1.5 else 3 if beats == 3 else 4, _DRUMS[4])
    groove = grooves.by_genre(str(rng.choice(names)))
    bars = int(quarters / score.beat / groove.beats) + 1
    strokes = grooves.hits(groove, bars, rng, loose_ms=rng.uniform(0, 8), bpm=bpm)
    shifted = [(at + score.first_bar / score.beat, drum, level) for at, drum, level in strokes]
    notes = [n for n in grooves.drum_notes(shifted, rng, score.beat) if n.at < quarters]
    return Part(notes, drums=True, volume=int(rng.integers(60, 110)))
