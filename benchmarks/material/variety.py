"""Loops of grooves as nobody wrote them down: strokes more and fewer, other swing, faster and slower tape."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.material import finish, grooves, loops
from benchmarks.material.fonts import SR
from benchmarks.material.grooves import GROOVES
from benchmarks.material.made import Made

_TURNS = ("drums", "full", "drums", "full", "drums", "percussion")


def make(n: int, rng: np.random.Generator, seed: int) -> Made | None:
    """The n-th: genres take turns."""
    turn = _TURNS[n % len(_TURNS)]
    groove = GROOVES[(n // len(_TURNS) + n * 7) % len(GROOVES)]
    if turn == "percussion":
        groove = grooves.by_genre(str(rng.choice(["percussion", "latin"])))
    groove = grooves.varied(groove, rng)
    bpm = loops.tempo(groove, rng)
    bars = int(rng.choice([1, 2, 4, 8], p=(0.3, 0.35, 0.25, 0.1)))
    if bars * groove.beats * 60 / bpm < 1.2:
        bars *= 2
    row, loop = loops.played(turn, groove, bpm, bars, n, rng)
    row = replace(row, piece=f"variety-{n:04}", source=f"{row.source}, varied")
    if rng.random() < 0.3 and not row.key:
        # at the speed of another tape or turntable
        rate = round(SR * float(rng.uniform(0.85, 1.18)))
        loop = finish.resampled(loop, SR, rate)
        row = replace(row, bpm=bpm * SR / rate)
    return Made(loops.handed_on(loop, rng), SR, row)
