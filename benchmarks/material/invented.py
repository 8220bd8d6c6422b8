"""Loops of grooves of no genre: where the beat is felt, what marks it and what plays around it are drawn one by one.

The genres of `grooves` tie a pattern to a tempo, and a model learns them by heart; here nothing but the metre holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from benchmarks.material import finish, loops
from benchmarks.material.fonts import SR
from benchmarks.material.grooves import Groove
from benchmarks.material.made import Made

_TURNS = ("drums", "full", "drums", "bass", "drums", "full", "melody", "drums", "chords", "arp")
_METRES = ((16, 4, 0.74), (12, 3, 0.1), (12, 4, 0.1), (6, 3, 0.06))
"""Steps a bar, steps a beat, how often."""
_FEELS = (
    ("even beats", 0.5, 114, 0.3),
    ("middle of the bar", 0.13, 134, 0.18),
    ("every beat", 0.1, 116, 0.2),
    ("after each beat", 0.1, 104, 0.2),
    ("no backbeat", 0.17, 112, 0.3),
)
"""What is marked by a snare, a clap or a rim; how often; the usual tempo, and its spread in octaves."""
_SLOWEST, _FASTEST = 54.0, 190.0
_HATS = ("beats", "halves", "off", "all", "some", "none")
_HANDS = ("conga", "bongo", "cowbell", "clave", "tambourine", "shaker", "tom", "ride")
_SIXTEENTHS_UP_TO = 140.0


def make(n: int, rng: np.random.Generator, seed: int) -> Made | None:
    """The n-th: parts take turns."""
    groove, bpm = invented(rng)
    turn = _TURNS[n % len(_TURNS)]
    if turn not in ("drums", "full") and groove.steps != 16:
        turn = "drums"
    bars = int(rng.choice([1, 2, 4, 8], p=(0.2, 0.4, 0.3, 0.1)))
    if bars * groove.beats * 60 / bpm < 1.5:
        bars *= 2
    row, loop = loops.played(turn, groove, bpm, bars, n, rng)
    row = replace(row, piece=f"invented-{n:04}")
    if rng.random() < 0.25 and not row.key:
        rate = round(SR * float(rng.uniform(0.87, 1.15)))
        loop = finish.resampled(loop, SR, rate)
        row = replace(row, bpm=bpm * SR / rate)
    return Made(loops.handed_on(loop, rng), SR, row)


def invented(rng: np.random.Generator) -> tuple[Groove, float]:
    """A groove and a tempo for it."""
    steps, per_beat, _ = _METRES[rng.choice(len(_METRES), p=[share for *_, share in _METRES])]
    feel, _, usual, spread = _FEELS[rng.choice(len(_FEELS), p=[share for _, share, *_ in _FEELS])]
    bpm = float(np.clip(usual * 2 ** (spread * rng.standard_normal()), _SLOWEST, _FASTEST))
    if per_beat == 3:
        bpm = max(_SLOWEST, 0.8 * bpm)
    bpm = float(round(bpm)) if rng.random() < 0.5 else round(bpm, 2)
    pattern: dict[str, str] = {}
    if rng.random() < 0.92:
        pattern["kick"] = _kick(steps, per_beat, feel, rng)
    if (backbeat := _backbeat(steps, per_beat, feel, rng)) is not None:
        pattern[str(rng.choice(["snare", "snare", "snare", "clap", "rim"]))] = backbeat
    pattern.update(_hats(steps, per_beat, bpm, rng))
    for hand in rng.choice(_HANDS, int(rng.choice([0, 1, 2], p=(0.6, 0.28, 0.12))), replace=False):
        pattern[str(hand)] = _spread(steps, per_beat, rng)
    if len(pattern) < 2 or not any("x" in line for line in pattern.values()):
        pattern |= {"kick": _line(steps, range(0, steps, per_beat)), "hat": _line(steps, range(0, steps, 2))}
    swing = (0.0, 0.4) if per_beat == 4 and rng.random() < 0.25 else (0.0, 0.0)
    return Groove(f"invented, {feel}", (bpm, bpm), (_loosened(pattern, rng),), steps, per_beat, swing), bpm


def _kick(steps: int, per_beat: int, feel: str, rng: np.random.Generator) -> str:
    """On every beat, on strong ones, on the first alone, or that and some off the beat."""
    way, bar = rng.random(), range(0, steps, per_beat)
    if way < 0.25:
        return _line(steps, bar)
    if way < 0.45 or feel == "after each beat":
        return _line(steps, bar[:: 2 if len(bar) > 3 else 3])
    if way < 0.55:
        return _line(steps, [0])
    off = rng.choice(steps, int(rng.integers(1, 4)), replace=False, p=_weights(steps, per_beat))
    return _line(steps, [0, *off.tolist()])


def _backbeat(steps: int, per_beat: int, feel: str, rng: np.random.Generator) -> str | None:
    beats = steps // per_beat
    if feel == "no backbeat":
        return None if rng.random() < 0.5 else _spread(steps, per_beat, rng)
    if feel == "every beat":
        return _line(steps, range(0, steps, per_beat))
    if feel == "after each beat":
        return _line(steps, range(per_beat - per_beat // 2, steps, per_beat))
    if feel == "middle of the bar" and beats == 4:
        return _line(steps, [2 * per_beat])
    marked = range(1, beats, 2) if beats != 3 else (range(1, 3) if rng.random() < 0.6 else range(2, 3))
    return _line(steps, [beat * per_beat for beat in marked])


def _hats(steps: int, per_beat: int, bpm: float, rng: np.random.Generator) -> Mapping[str, str]:
    drum = str(rng.choice(["hat", "hat", "hat", "open", "ride", "shaker"]))
    way = str(rng.choice(_HATS, p=(0.12, 0.32, 0.14, 0.17, 0.15, 0.1)))
    if way == "all" and per_beat == 4 and bpm > _SIXTEENTHS_UP_TO:
        way = "halves"
    half = per_beat if per_beat == 3 else 2
    places = {
        "beats": range(0, steps, per_beat),
        "halves": range(0, steps, 1 if per_beat == 3 else half),
        "off": range(per_beat - per_beat // 2, steps, per_beat),
        "all": range(steps),
    }
    if way == "none":
        return {}
    return {drum: _spread(steps, per_beat, rng) if way == "some" else _line(steps, places[way])}


def _spread(steps: int, per_beat: int, rng: np.random.Generator) -> str:
    """Strokes as even as they can be, turned, or drawn by how strong each step is."""
    count = int(rng.integers(max(2, steps // 6), max(3, steps // 2) + 1))
    if rng.random() < 0.5:
        turned = int(rng.integers(steps))
        return _line(steps, [(k * steps // count + turned) % steps for k in range(count)])
    return _line(steps, rng.choice(steps, count, replace=False, p=_weights(steps, per_beat)).tolist())


def _weights(steps: int, per_beat: int) -> np.ndarray:
    at = np.arange(steps)
    weight = np.where(at % per_beat == 0, 3.0, np.where((per_beat == 4) & (at % 2 == 0), 2.0, 1.0))
    return np.asarray(weight / weight.sum())


def _line(steps: int, places: Iterable[int]) -> str:
    there = set(places)
    return "".join("x" if at in there else "." for at in range(steps))


def _loosened(pattern: Mapping[str, str], rng: np.random.Generator) -> dict[str, str]:
    """Now and then a stroke more or fewer, some soft; the backbeat stays."""
    density = rng.uniform(0, 0.15)
    marks = {"x": (".", "o"), ".": ("?", "o")}
    return {
        drum: line
        if drum in ("snare", "clap", "rim")
        else "".join(
            str(rng.choice(marks[mark])) if at and rng.random() < density * (1 if mark == "x" else 0.4) else mark
            for at, mark in enumerate(line)
        )
        for drum, line in pattern.items()
    }
