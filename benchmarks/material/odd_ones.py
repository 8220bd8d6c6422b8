"""What is easily taken for something else: loops of hats alone or of one beat, long one-shots, gliding basses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.material import finish, fonts, grooves, kits, mix, synth
from benchmarks.material.fonts import SR
from benchmarks.material.made import Made
from benchmarks.material.midi import Note, Part, Song
from benchmarks.material.rows import Row

_TURNS = ("one drum", "glide", "short", "long note", "far note", "one drum", "long fx", "short", "far note", "repeated")
_WIDE = ((0, 21, 108), (1, 21, 108), (6, 29, 89), (11, 41, 89), (12, 36, 96), (46, 24, 103), (19, 24, 96), (4, 28, 103))
"""Instruments that are played over nearly all of the keyboard."""


def make(n: int, rng: np.random.Generator, seed: int) -> Made | None:
    """The n-th, the kinds in turn."""
    turn = _TURNS[n % len(_TURNS)]
    if turn in ("one drum", "short", "repeated"):
        return _loop(turn, n, rng)
    if turn == "long fx":
        return _riser(n, rng)
    return {"glide": _glide, "long note": _long_note, "far note": _far_note}[turn](n, rng)


def _loop(turn: str, n: int, rng: np.random.Generator) -> Made:
    """One drum alone; a beat or two of a groove; one note again and again."""
    groove = grooves.GROOVES[int(rng.integers(len(grooves.GROOVES)))]
    if groove.steps != 16 or groove.per_beat != 4:
        groove = grooves.by_genre("house")
    bpm = round(float(rng.uniform(*groove.bpm)), int(rng.choice([0, 2])))
    beats = int(rng.choice([1, 2])) if turn == "short" else 4 * int(rng.choice([1, 2, 4]))
    strokes = grooves.hits(groove, 4, rng, loose_ms=float(rng.choice([0, rng.uniform(1, 8)])), bpm=bpm)
    kept = sorted({drum for _, drum, _ in strokes})
    alone = str(rng.choice(kept))
    if turn != "short":
        strokes = [s for s in strokes if s[1] == alone]
    strokes = [s for s in strokes if s[0] < beats - 1e-3]
    if len(strokes) < 3:
        strokes = [(k / 2, "hat", float(rng.uniform(0.4, 1))) for k in range(2 * beats)]
    seconds = beats * 60 / bpm
    if turn == "repeated":
        p = synth.patch(str(rng.choice(["bass", "pluck", "lead"])), rng)
        pitch = int(rng.integers(30, 72))
        notes = [Note(at, 0.2, pitch, int(60 + 60 * level)) for at, _, level in strokes]
        y = mix.synthesised(p, notes, bpm, seconds)
    else:
        y = mix.drums(strokes, kits.drum_set(rng)[1], bpm, seconds)
    row = Row(
        piece=f"odd-{n:04}",
        slice="loops",
        kind="loop",
        source=f"made: {groove.genre} {turn}",
        # a beat or two may be of any tempo
        bpm=None if turn == "short" else bpm,
        sound="bass" if turn == "repeated" else "drums",
        no_key=turn != "repeated",
        metre="4/4",
    )
    return Made(finish.worn(finish.fit(y, round(seconds * SR)), SR, rng), SR, row)


def _shot(
    n: int, sound: str, source: str, y: NDArray[np.floating], *, note: int | None = None, no_key: bool = False
) -> Made:
    stereo = np.asarray(y if y.ndim == 2 else np.repeat(y[:, None], 2, axis=1), np.float32)
    row = Row(
        piece=f"odd-{n:04}",
        slice="oneshots",
        kind="oneshot",
        source=source,
        sound=sound,
        note_midi=note,
        no_key=no_key,
        no_tempo=True,
    )
    return Made(finish.fade(stereo / max(1e-6, float(np.abs(stereo).max())), SR, 0.01), SR, row)


def _glide(n: int, rng: np.random.Generator) -> Made:
    """An 808: a low sine that begins above its note and falls onto it, driven, long."""
    note = int(rng.integers(24, 48))
    t = np.arange(int(SR * rng.uniform(0.5, 2.5))) / SR
    hz = 440 * 2 ** ((note - 69) / 12) * (1 + rng.uniform(0.5, 4) * np.exp(-t * rng.uniform(25, 70)))
    y = np.tanh(rng.uniform(1, 4) * np.sin(2 * np.pi * np.cumsum(hz) / SR)) * np.exp(-t * rng.uniform(0.8, 3))
    return _shot(n, "bass", "arithmetic", y, note=note)


def _long_note(n: int, rng: np.random.Generator) -> Made:
    """A pad's note, held for long."""
    note = int(rng.integers(36, 80))
    held = float(rng.uniform(3.5, 10))
    if rng.random() < 0.5:
        program = int(rng.choice([16, 19, 48, 49, 50, 52, 53, 88, 89, 90, 91, 92, 95]))
        y = fonts.render(Song([Part([Note(0, held * 2, note, 96)], program)], 120), fonts.pick(rng))
        return _shot(n, "vocal" if program in (52, 53) else "pad", "font", y[: int((held + 1.5) * SR)], note=note)
    tone = synth.tone(synth.patch("pad", rng), note, held)
    y = finish.room(np.repeat(tone[:, None], 2, axis=1).astype(np.float32), SR, rng)
    return _shot(n, "pad", "arithmetic", y, note=note)


def _far_note(n: int, rng: np.random.Generator) -> Made:
    """Any key of a keyboard, the lowest and highest too."""
    program, low, high = _WIDE[int(rng.integers(len(_WIDE)))]
    note = int(rng.integers(low, high + 1))
    held = float(rng.uniform(0.3, 3))
    y = fonts.render(Song([Part([Note(0, held * 2, note, int(rng.integers(70, 120)))], program)], 120), fonts.pick(rng))
    return _shot(n, "lead", "font", y[: int((held + 1) * SR)], note=note)


def _riser(n: int, rng: np.random.Generator) -> Made:
    """Rises and falls of noise and tone over many seconds, as they lead into a drop."""
    t = np.arange(int(SR * rng.uniform(3.5, 12))) / SR
    way = t / t[-1] if rng.random() < 0.6 else 1 - t / t[-1]
    hz = rng.uniform(60, 400) * 2 ** (way * rng.uniform(1, 5))
    tone = np.sign(np.sin(2 * np.pi * np.cumsum(hz) / SR)) * rng.uniform(0, 0.7)
    y = (tone + rng.uniform(0.3, 1) * rng.standard_normal(len(t))) * way ** rng.uniform(0.5, 3)
    return _shot(n, "fx", "arithmetic", y, no_key=True)
