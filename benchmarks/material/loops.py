"""Loops cut at exact bars: drums, bass, chords, arpeggios and whole grooves, by genre."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.material import finish, fonts, grooves, harmony, kits, mix, synth
from benchmarks.material.fonts import SR
from benchmarks.material.grooves import GROOVES, Groove
from benchmarks.material.made import Made
from benchmarks.material.midi import Note, Part, Song
from benchmarks.material.rows import Row
from workers.model import TONICS

Audio = NDArray[np.float32]
_TURNS = ("drums", "full", "bass", "drums", "arp", "full", "chords", "drums", "melody", "percussion")
_BASS = ("held", "eighths", "offbeat", "dotted", "dotted", "sixteenths", "acid", "acid")
_PROGRAMS = {
    "bass": (32, 33, 34, 35, 36, 38, 39, 87),
    "chords": (0, 4, 5, 16, 18, 24, 25, 27, 28, 48, 50, 61, 62, 81, 90),
    "arp": (0, 5, 11, 12, 24, 25, 45, 46, 80, 81, 84, 88, 98, 105),
    "melody": (0, 4, 11, 13, 25, 27, 40, 56, 65, 71, 73, 75, 78, 80, 81, 104),
}
_ROLES = {"bass": "bass", "chords": "keys", "arp": "pluck", "melody": "lead"}


def make(n: int, rng: np.random.Generator, seed: int) -> Made | None:
    """The n-th: what it is and its genre take turns."""
    turn = _TURNS[n % len(_TURNS)]
    # a prime step goes through all the genres for every turn
    groove = GROOVES[(n // len(_TURNS) + n * 7) % len(GROOVES)]
    if turn == "percussion":
        groove = grooves.by_genre(str(rng.choice(["percussion", "latin"])))
    if turn not in ("drums", "full", "percussion") and groove.steps != 16:
        groove = grooves.by_genre("pop")
    bpm = tempo(groove, rng)
    bars = int(rng.choice([1, 2, 4, 8], p=(0.2, 0.35, 0.33, 0.12)))
    if bars * groove.beats * 60 / bpm < 1.2:
        bars *= 2
    row, loop = played(turn, groove, bpm, bars, n, rng)
    return Made(handed_on(loop, rng), SR, row)


def tempo(groove: Groove, rng: np.random.Generator) -> float:
    """Some tempo of the genre, a whole number half of the time."""
    bpm = float(rng.uniform(*groove.bpm))
    return float(round(bpm)) if rng.random() < 0.5 else round(bpm, 2)


def played(turn: str, groove: Groove, bpm: float, bars: int, n: int, rng: np.random.Generator) -> tuple[Row, Audio]:
    """A loop of so many bars of a groove, and what is true of it."""
    beats = bars * groove.beats
    seconds = beats * 60 / bpm
    # twice: the second time has the first one's tails, as a loop that was bounced round has
    again = bool(rng.random() < 0.5)
    length = seconds * 2 if again else seconds
    tonal = turn not in ("drums", "percussion")
    h = harmony.harmony(rng, float(rng.choice([2, 4, 4])), still=bars == 1 or rng.random() < 0.2)
    cents = float(rng.uniform(-40, 40)) if tonal and rng.random() < 0.15 else 0.0
    tracks = []
    if turn in ("drums", "percussion", "full"):
        tracks.append(mix.level(_drums(groove, beats // groove.beats, again, bpm, length, rng), -16))
    if turn == "full" and groove.steps == 16:
        for part in ("bass", str(rng.choice(["chords", "arp", "melody"]))):
            notes = _part(part, h, beats, again, rng)
            tracks.append(mix.level(_instrument(part, notes, bpm, length, cents, rng), float(rng.uniform(-26, -17))))
    elif tonal and turn != "full":
        tracks.append(_instrument(turn, _part(turn, h, beats, again, rng), bpm, length, cents, rng))
    frames = round(seconds * SR)
    loop = mix.mixed(tracks, round(length * SR))[-frames:] if again else mix.mixed(tracks, frames)
    # a line alone may be in more than one key
    keyed = turn in ("chords", "arp") or (turn == "full" and len(tracks) > 1)
    row = Row(
        piece=f"loop-{n:04}",
        slice="loops",
        kind="loop",
        source=f"made: {groove.genre} {turn}",
        bpm=bpm,
        key=TONICS[h.tonic] if keyed else "",
        mode=h.mode if keyed else "",
        sound=turn,
        no_key=len(tracks) == 1 and not keyed and turn not in ("bass", "melody"),
        metre=groove.metre,
        tuning_cents=cents,
    )
    return row, loop


def _drums(groove: Groove, bars: int, again: bool, bpm: float, seconds: float, rng: np.random.Generator) -> Audio:
    loose = float(rng.choice([0, rng.uniform(1, 12)]))
    strokes = grooves.hits(groove, bars, rng, loose_ms=loose, bpm=bpm)
    if again:
        strokes += [(at + bars * groove.beats, drum, level) for at, drum, level in strokes]
    if rng.random() < 0.2:
        song = Song([Part(grooves.drum_notes(strokes, rng, 1.0), int(rng.choice([0, 0, 8, 16, 24, 25])), True)], bpm)
        return fonts.render(song, fonts.pick(rng), reverb=bool(rng.random() < 0.5))
    _, sounds = kits.drum_set(rng)
    y = mix.drums(strokes, sounds, bpm, seconds + 0.01)
    return finish.room(y, SR, rng) if rng.random() < 0.25 else y


def _part(kind: str, h: harmony.Harmony, beats: int, again: bool, rng: np.random.Generator) -> list[Note]:
    # what is held over a bar or two is a single sound, not a loop
    short = beats < 2 * h.beats
    if kind == "bass":
        notes = harmony.bass(h, beats, rng, str(rng.choice(_BASS[short:])))
    elif kind == "chords":
        notes = harmony.chords(h, beats, rng, str(rng.choice(["held", "offbeat", "rhythm", "rhythm"][short:])))
    elif kind == "arp":
        notes = harmony.arpeggio(h, beats, rng, int(rng.choice([2, 4, 4, 3])))
    else:
        notes = harmony.melody(h, beats, rng, per_quarter=int(rng.choice([2, 4])))
    if again:
        notes = notes + [Note(n.at + beats, n.length, n.pitch, n.velocity) for n in notes]
    return notes


def _instrument(
    kind: str, notes: list[Note], bpm: float, seconds: float, cents: float, rng: np.random.Generator
) -> Audio:
    if rng.random() < 0.4:
        song = Song([Part(notes, int(rng.choice(_PROGRAMS[kind])))], bpm, cents)
        return fonts.render(song, fonts.pick(rng), reverb=bool(rng.random() < 0.5))
    role = "pad" if kind == "chords" and rng.random() < 0.3 else _ROLES[kind]
    y = mix.synthesised(synth.patch(role, rng), notes, bpm, seconds, cents=cents)
    if kind != "bass" and rng.random() < 0.25:
        y = mix.pumped(y, bpm, float(rng.uniform(0.3, 0.9)))
    return y


def handed_on(y: Audio, rng: np.random.Generator) -> Audio:
    """As loops are handed on: a few with their tail after the bar, or silence at their start."""
    y = finish.worn(y, SR, rng)
    way = rng.random()
    if way < 0.06:
        tail = finish.room(finish.fit(y, len(y) + int(rng.uniform(0.2, 1.2) * SR)), SR, rng)
        return finish.fade(tail, SR, 0.05)
    if way < 0.1:
        return np.concatenate([np.zeros((int(rng.uniform(0.005, 0.06) * SR), 2), np.float32), y])
    return y
