"""Arrangements as pop and dance music has them: drums, bass, chords, tune, in sections, at a known tempo and key."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.material import finish, fonts, grooves, harmony, kits, mix, synth
from benchmarks.material.fonts import SR
from benchmarks.material.grooves import Groove
from benchmarks.material.made import Made
from benchmarks.material.midi import Note, Part, Song
from benchmarks.material.rows import Row
from workers.model import TONICS

Audio = NDArray[np.float32]
_BASS = {
    "house": ("offbeat", "eighths", "acid"),
    "techno": ("sixteenths", "acid", "offbeat"),
    "trance": ("offbeat", "sixteenths"),
    "dnb": ("held", "dotted"),
    "dubstep": ("held", "dotted"),
    "trap": ("held", "dotted"),
    "jazz": ("walking",),
    "shuffle": ("walking",),
    "reggaeton": ("dotted", "held"),
}
_MORE = ("eighths", "held", "dotted", "walking")
_ELECTRONIC = ("house", "techno", "trance", "dnb", "dubstep", "trap", "breakbeat", "disco", "reggaeton", "hip-hop")
_PROGRAMS = {
    "bass": (32, 33, 34, 35, 36, 38, 39),
    "chords": (0, 1, 4, 5, 16, 18, 21, 24, 25, 26, 27, 28, 29, 30, 48, 50, 61, 62, 81, 88, 90),
    "tune": (0, 11, 22, 26, 29, 30, 40, 53, 56, 61, 64, 65, 66, 71, 73, 75, 80, 81, 82, 85, 87),
    "pad": (48, 49, 50, 52, 88, 89, 90, 91, 94),
    "arp": (0, 5, 11, 12, 24, 45, 46, 80, 84, 88, 98),
}
_STYLES = {"held": 0.35, "offbeat": 0.15, "rhythm": 0.5}


def make(n: int, rng: np.random.Generator, seed: int) -> Made | None:
    """The n-th; genres take turns, and so do sampled and synthesised instruments."""
    return arranged(grooves.GROOVES[n % (len(grooves.GROOVES) - 1)], n, rng)


def arranged(groove: Groove, n: int, rng: np.random.Generator) -> Made:
    """A stretch of a piece of that genre."""
    bpm = round(float(rng.uniform(*groove.bpm)), int(rng.choice([0, 0, 1, 2])))
    seconds = float(rng.uniform(13, 30))
    bars = int(np.ceil(seconds * bpm / 60 / groove.beats)) + int(rng.integers(1, 6))
    h = _harmony(groove, rng)
    start, seconds = _excerpt(groove, bpm, bars, seconds, rng)
    cents = float(rng.uniform(-40, 40)) if rng.random() < 0.15 else 0.0
    electronic = groove.genre in _ELECTRONIC and rng.random() < 0.7
    whole = start + seconds
    y = (
        _synthesised(groove, h, bpm, bars, whole, cents, rng)
        if electronic
        else _played(groove, h, bpm, bars, cents, rng)
    )
    y = finish.fit(y, round(whole * SR))[round(start * SR) :]
    row = Row(
        piece=f"band-{n:04}",
        slice="edm" if electronic else "gm_midi",
        kind="edm_mix" if electronic else "gm_midi+drums",
        source=f"made: {groove.genre}",
        bpm=bpm,
        key=TONICS[h.tonic],
        mode=h.mode,
        metre=groove.metre,
        tuning_cents=cents,
        downbeat_s=-start % (groove.beats * 60 / bpm),
    )
    return Made(finish.worn(finish.fade(y, SR, 0.01), SR, rng), SR, row)


def _harmony(groove: Groove, rng: np.random.Generator) -> harmony.Harmony:
    # a bar, or two, for each chord; compound metres count their beats as quarters here and are stretched when played
    return harmony.harmony(rng, groove.beats * float(rng.choice([1, 1, 2])))


def _excerpt(groove: Groove, bpm: float, bars: int, seconds: float, rng: np.random.Generator) -> tuple[float, float]:
    """Where it is cut, in seconds, and how much: half at bars, half anywhere."""
    bar = groove.beats * 60 / bpm
    if rng.random() < 0.5:
        kept = max(2, round(seconds / bar))
        return float(rng.integers(0, max(1, bars - kept + 1))) * bar, kept * bar
    return float(rng.uniform(0, max(0.01, bars * bar - seconds))), seconds


def _strokes(groove: Groove, bars: int, bpm: float, rng: np.random.Generator) -> list[tuple[float, str, float]]:
    """Drums in sections of four bars: two patterns, fills, perhaps a break without kick."""
    loose = float(rng.choice([0, rng.uniform(1, 10)]))
    sections = [grooves.hits(groove, 4, rng, loose_ms=loose, bpm=bpm) for _ in range(2)]
    silent = int(rng.integers(0, 5))
    out = []
    for section in range((bars + 3) // 4):
        for at, drum, level in sections[int(rng.random() < 0.3)]:
            if section == silent and drum in ("kick", "snare") and rng.random() < 0.8:
                continue
            out.append((at + section * 4 * groove.beats, drum, level))
        out.append((section * 4.0 * groove.beats, "crash", 0.8))
    return sorted(stroke for stroke in out if stroke[0] < bars * groove.beats)


def _lines(groove: Groove, h: harmony.Harmony, bars: int, rng: np.random.Generator) -> dict[str, list[Note]]:
    """What each instrument plays, in beats; perhaps not all of them."""
    beats = float(bars * groove.beats)
    style = str(rng.choice(list(_STYLES), p=list(_STYLES.values())))
    lines = {
        "bass": harmony.bass(h, beats, rng, str(rng.choice(_BASS.get(groove.genre, _MORE)))),
        "chords": harmony.chords(h, beats, rng, style),
        "tune": harmony.melody(h, beats, rng, per_quarter=int(rng.choice([1, 2, 2, 4]))),
        "pad": harmony.chords(h, beats, rng, "held"),
        "arp": harmony.arpeggio(h, beats, rng, int(rng.choice([2, 4]))),
    }
    chance = {"bass": 0.92, "chords": 0.85, "tune": 0.75, "pad": 0.4, "arp": 0.3}
    kept = {name: notes for name, notes in lines.items() if rng.random() < chance[name]}
    return kept if "chords" in kept or "pad" in kept else {**kept, "chords": lines["chords"]}


def _played(groove: Groove, h: harmony.Harmony, bpm: float, bars: int, cents: float, rng: np.random.Generator) -> Audio:
    """By General MIDI instruments."""
    strokes = _strokes(groove, bars, bpm, rng)
    parts = [Part(grooves.drum_notes(strokes, rng, 1.0), int(rng.choice([0, 0, 0, 8, 16, 24, 25])), True)]
    parts[0] = Part(parts[0].notes, parts[0].program, True, volume=int(rng.integers(70, 120)))
    loose = float(rng.choice([0.0, rng.uniform(0, 0.02)]))
    for name, notes in _lines(groove, h, bars, rng).items():
        volume = int(rng.integers(60, 110)) - (15 if name in ("pad", "arp") else 0)
        late = [Note(max(0.0, n.at + float(rng.normal(0, loose))), n.length, n.pitch, n.velocity) for n in notes]
        parts.append(Part(late, int(rng.choice(_PROGRAMS[name])), volume=volume, pan=int(rng.integers(30, 98))))
    return fonts.render(Song(parts, bpm, cents), fonts.pick(rng), reverb=bool(rng.random() < 0.7))


def _synthesised(
    groove: Groove, h: harmony.Harmony, bpm: float, bars: int, seconds: float, cents: float, rng: np.random.Generator
) -> Audio:
    """By synthesisers and drum kits."""
    _, sounds = kits.drum_set(rng)
    tracks = [mix.level(mix.drums(_strokes(groove, bars, bpm, rng), sounds, bpm, seconds), -15)]
    roles = {"bass": "bass", "chords": "keys", "tune": "lead", "pad": "pad", "arp": "pluck"}
    pump = float(rng.uniform(0.2, 0.85)) if rng.random() < 0.6 else 0.0
    for name, notes in _lines(groove, h, bars, rng).items():
        patch = synth.patch(roles[name], rng)
        pan = 0.0 if name == "bass" else float(rng.uniform(-0.5, 0.5))
        y = mix.synthesised(patch, [n for n in notes if n.at * 60 / bpm < seconds], bpm, seconds, cents=cents, pan=pan)
        y = mix.pumped(y, bpm, pump) if pump else y
        tracks.append(mix.level(y, float(rng.uniform(-28, -19)) + (4 if name == "bass" else 0)))
    return mix.mixed(tracks, round(seconds * SR))
