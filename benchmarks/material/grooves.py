"""Drum patterns by genre: on which sixteenths of a bar each drum falls, and how fast such music is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.material.midi import Note

GM_DRUMS = {
    "kick": (36, 35),
    "snare": (38, 40),
    "rim": (37,),
    "clap": (39,),
    "hat": (42, 44),
    "open": (46,),
    "ride": (51, 59),
    "crash": (49, 57),
    "tom": (45, 47, 48, 50, 41, 43),
    "shaker": (70, 82),
    "tambourine": (54,),
    "cowbell": (56,),
    "conga": (62, 63, 64),
    "bongo": (60, 61),
    "clave": (75, 76, 77),
}
"""Which General MIDI notes play a role; fonts differ in the rarer ones."""


@dataclass(frozen=True, slots=True)
class Groove:
    """A genre's tempo, metre and patterns; each pattern is a line for a drum, one character a step.

    ``x`` always, ``o`` softly, ``?`` now and then, anything else never.
    """

    genre: str
    bpm: tuple[float, float]
    patterns: Sequence[Mapping[str, str]]
    steps: int = 16
    """Steps a bar."""
    per_beat: int = 4
    """Steps a beat: 3 for compound metres."""
    swing: tuple[float, float] = (0.0, 0.0)
    """How much later every second step comes, in steps."""

    @property
    def beats(self) -> int:
        """Beats a bar."""
        return self.steps // self.per_beat

    @property
    def metre(self) -> str:
        """As it would be written."""
        return f"{self.steps}/8" if self.per_beat == 3 else f"{min(4, self.beats)}/4"


def _g(genre: str, low: float, high: float, *patterns: Mapping[str, str], **more: Any) -> Groove:
    return Groove(genre, (low, high), patterns, **more)


GROOVES: tuple[Groove, ...] = (
    _g(
        "hip-hop", 70, 98,
        {"kick": "x..?..x...x..?..", "snare": "....x.......x..?", "hat": "x.x.x.x.x.x.x.x.",
         "open": "..............?."},
        {"kick": "x.....x..?x.....", "clap": "....x.......x...", "hat": "x.xxx.x.x.xxx.x."},
        {"kick": "x..x......x.....", "snare": "....x..o.o..x...", "shaker": "xoxoxoxoxoxoxoxo"},
        swing=(0.0, 0.33),
    ),
    _g(
        "house", 118, 128,
        {"kick": "x...x...x...x...", "clap": "....x.......x...", "open": "..x...x...x...x.",
         "shaker": "o?o?o?o?o?o?o?o?"},
        {"kick": "x...x...x...x...", "snare": "....x.......x...", "hat": "x.x.x.x.x.x.x.x.",
         "open": "..x...x...x...x."},
        {"kick": "x...x...x...x..?", "hat": "..x...x...x...xx", "conga": "...x..x....x..x.",
         "clap": "....x.......x..."},
        swing=(0.0, 0.2),
    ),
    _g(
        "techno", 125, 142,
        {"kick": "x...x...x...x...", "hat": "..x...x...x...x.", "rim": "?..?..?...?..?.."},
        {"kick": "x...x...x...x...", "open": "..x...x...x...x.", "hat": "xxxxxxxxxxxxxxxx", "clap": "....x.......x..."},
        {"kick": "x...x...x...x.x.", "ride": "x.x.x.x.x.x.x.x.", "tom": "...x..?...x..x.."},
    ),
    _g(
        "trance", 132, 142,
        {"kick": "x...x...x...x...", "open": "..x...x...x...x.", "clap": "....x.......x...", "hat": "xoxoxoxoxoxoxoxo"},
    ),
    _g(
        "dnb", 164, 178,
        {"kick": "x.........x.....", "snare": "....x.......x...", "hat": "x.x.x.x.x.x.x.x."},
        {"kick": "x.x.......x.....", "snare": "....x..o.o..x..o", "hat": "x.x.x.x.x.x.x.x.",
         "ride": "x...x...x...x..."},
        {"kick": "x.........xx....", "snare": "....x..?.?..x...", "shaker": "xxxxxxxxxxxxxxxx"},
    ),
    _g(
        "breakbeat", 110, 145,
        {"kick": "x.x.......xx....", "snare": "....x..x.x..x..x", "hat": "x.x.x.x.x.x.x.x."},
        {"kick": "x..x..x...x.....", "snare": "....x..o.o..x...", "hat": "x.x.x.x.x.x.x.x.",
         "open": "..............x."},
        {"kick": "x.........x..x..", "snare": "....x.......x.?.", "ride": "x.x.x.x.x.x.x.x.",
         "tom": "..............xx"},
    ),
    _g(
        "dubstep", 138, 144,
        {"kick": "x..........?....", "snare": "........x.......", "hat": "x.x?x.x.x.xxx.x."},
        {"kick": "x.....x......x..", "snare": "........x.......", "hat": "x..x..x.x..x..x.", "rim": "..?...........?."},
    ),
    _g(
        "trap", 130, 152,
        {"kick": "x......x..x.....", "snare": "........x.......", "hat": "x.x.x.x.x.x.xxxx"},
        {"kick": "x..x......x..x..", "clap": "........x.......", "hat": "xxxxx.x.xxxxxxx.", "open": "......x........."},
    ),
    _g(
        "reggaeton", 88, 102,
        {"kick": "x...x...x...x...", "snare": "...x..x....x..x.", "hat": "x.x.x.x.x.x.x.x."},
        {"kick": "x...x...x...x...", "rim": "...x..x....x..x.", "shaker": "xoxoxoxoxoxoxoxo"},
    ),
    _g(
        "rock", 90, 165,
        {"kick": "x.......x.x.....", "snare": "....x.......x...", "hat": "x.x.x.x.x.x.x.x.",
         "crash": "?..............."},
        {"kick": "x..x....x.......", "snare": "....x.......x...", "ride": "x.x.x.x.x.x.x.x."},
        {"kick": "x.......xx......", "snare": "....x.......x..?", "hat": "x...x...x...x..."},
    ),
    _g(
        "pop", 84, 130,
        {"kick": "x.......x.......", "snare": "....x.......x...", "hat": "x.x.x.x.x.x.x.x.",
         "tambourine": "....x.......x..."},
        {"kick": "x...x...x...x...", "clap": "....x.......x...", "hat": "..x...x...x...x."},
    ),
    _g(
        "ballad", 60, 84,
        {"kick": "x.......x.......", "rim": "....x.......x...", "hat": "x.x.x.x.x.x.x.x."},
        {"kick": "x.....x.x.......", "snare": "....x.......x...", "ride": "x.x.x.x.x.x.x.x."},
    ),
    _g(
        "funk", 94, 122,
        {"kick": "x.x...x...x..?..", "snare": "....x..o.o..x..o", "hat": "xxxxxxxxxxxxxxxx"},
        {"kick": "x..x..x...x.....", "snare": "....x..o.o.ox...", "hat": "x.xxx.xxx.xxx.xx",
         "cowbell": "x...x...x...x..."},
        swing=(0.0, 0.15),
    ),
    _g(
        "disco", 112, 128,
        {"kick": "x...x...x...x...", "snare": "....x.......x...", "open": "..x...x...x...x.",
         "hat": "x...x...x...x..."},
    ),
    _g(
        "reggae", 66, 88,
        {"kick": "........x.......", "rim": "........x.......", "hat": "x.x.x.x.x.x.x.x."},
        {"kick": "x...x...x...x...", "snare": "........x.......", "hat": "x.xxx.xxx.xxx.xx"},
        swing=(0.0, 0.3),
    ),
    _g(
        "latin", 90, 128,
        {"clave": "x..x..x...x.x...", "conga": "..x...xx..x...xx", "shaker": "xoxoxoxoxoxoxoxo",
         "kick": "x..x..x.x..x..x."},
        {"bongo": "x.xxx.x.x.xxx.x.", "cowbell": "x.x.x.xxx.x.x.xx", "conga": "..x...xx..x...xx"},
    ),
    _g(
        "bossa", 110, 150,
        {"kick": "x..xx..xx..xx..x", "rim": "x..x..x...x..x..", "hat": "xxxxxxxxxxxxxxxx"},
        per_beat=2,
    ),
    _g(
        "jazz", 100, 190,
        {"ride": "x..x.xx..x.x", "hat": "...x.....x..", "kick": "?....?......", "snare": "..?..?..?..?"},
        steps=12, per_beat=3,
    ),
    _g(
        "shuffle", 84, 140,
        {"kick": "x.....x..?..", "snare": "...x.....x..", "hat": "x.xx.xx.xx.x"},
        steps=12, per_beat=3,
    ),
    _g(
        "blues 12/8", 50, 84,
        {"kick": "x.....x....?", "snare": "...x.....x..", "hat": "xxxxxxxxxxxx"},
        {"kick": "x....xx.....", "snare": "...x.....x..", "ride": "xxxxxxxxxxxx"},
        steps=12, per_beat=3,
    ),
    _g(
        "waltz", 84, 170,
        {"kick": "x...........", "snare": "....x...x...", "hat": "x.x.x.x.x.x."},
        {"kick": "x...........", "hat": "....x...x...", "ride": "x...x...x..."},
        steps=12, per_beat=4,
    ),
    _g(
        "six-eight", 56, 126,
        {"kick": "x.....", "snare": "...x..", "hat": "xxxxxx"},
        {"kick": "x..x..", "tambourine": "..x..x", "shaker": "xoxxox"},
        steps=6, per_beat=3,
    ),
    _g(
        "percussion", 84, 140,
        {"conga": "x.x..xx.x.x.xx..", "bongo": "..xx...x..xx...x", "shaker": "xoxoxoxoxoxoxoxo"},
        {"tom": "x..x..x.x..x..xx", "clave": "x...x...x...x...", "tambourine": "..x...x...x...x."},
    ),
)  # fmt: skip


def by_genre(name: str) -> Groove:
    """The groove of a genre."""
    return next(groove for groove in GROOVES if groove.genre == name)


def varied(groove: Groove, rng: np.random.Generator) -> Groove:
    """The groove as another drummer plays it: strokes more and fewer, a drum left out, at times hardly any.

    What holds the beat stays: the first line's first stroke, and every clap, snare and rim shot.
    """
    pattern = dict(groove.patterns[int(rng.integers(len(groove.patterns)))])
    density, sparse = rng.uniform(0, 0.3), rng.random() < 0.15
    for drum, line in list(pattern.items()):
        steps = list(line)
        backbeat = drum in ("snare", "clap", "rim")
        for at, mark in enumerate(steps):
            strong = at % groove.per_beat == 0
            if mark == "." and rng.random() < density * (0.15 if backbeat else 0.5) and (not strong or drum == "kick"):
                steps[at] = "o" if backbeat else str(rng.choice(["x", "?", "o"]))
            elif mark == "x" and not backbeat and at and rng.random() < density * 0.6:
                steps[at] = str(rng.choice([".", "o"]))
        pattern[drum] = "".join(steps)
        if sparse and len(pattern) > 2 and drum not in ("kick", "snare", "clap"):
            del pattern[drum]
    low, high = groove.bpm
    swing = (0.0, 0.4) if rng.random() < 0.15 and groove.per_beat == 4 else groove.swing
    return replace(groove, patterns=(pattern,), bpm=(low * 0.94, high * 1.06), swing=swing)


def hits(
    groove: Groove, bars: int, rng: np.random.Generator, *, loose_ms: float = 0.0, bpm: float = 120.0
) -> list[tuple[float, str, float]]:
    """The strokes of so many bars: when (beats), which drum, how hard (0 to 1)."""
    pattern = groove.patterns[int(rng.integers(len(groove.patterns)))]
    swing = rng.uniform(*groove.swing)
    dropped = {drum for drum in pattern if rng.random() < 0.12} if len(pattern) > 2 else set()
    accents = rng.uniform(0.75, 1, groove.steps)
    out = []
    for bar in range(bars):
        for drum, line in pattern.items():
            if drum in dropped:
                continue
            for step in range(groove.steps):
                mark = line[step] if step < len(line) else "."
                if mark not in "xo?" or (mark == "?" and rng.random() < 0.6):
                    continue
                late = swing * (step % 2) + rng.normal(0, 1) * loose_ms / 1000 * bpm / 60 * groove.per_beat
                level = {"x": 1.0, "o": 0.4, "?": 0.7}[mark] * accents[step] * rng.uniform(0.85, 1)
                at = (bar * groove.steps + step + late) / groove.per_beat
                out.append((max(0.0, at), drum, float(level)))
    return sorted(out)


def drum_notes(strokes: Sequence[tuple[float, str, float]], rng: np.random.Generator, quarters: float) -> list[Note]:
    """The strokes for General MIDI drums; `quarters` is a beat's length in quarter notes."""
    chosen = {drum: int(rng.choice(notes)) for drum, notes in GM_DRUMS.items()}
    return [
        Note(at * quarters, 0.2, int(rng.choice(GM_DRUMS["tom"])) if drum == "tom" else chosen[drum], int(30 + 95 * v))
        for at, drum, v in strokes
    ]
