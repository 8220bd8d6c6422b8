"""Sounds without a pulse, without a key, or without both: noise, rain, drones, pads; and drums alone, at length."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.material import finish, fonts, grooves, harmony, kits, mix, synth
from benchmarks.material.fonts import SR
from benchmarks.material.made import Made
from benchmarks.material.midi import Note, Part, Song
from benchmarks.material.rows import Row

Doubles = NDArray[np.float64]
_TURNS = ("drums", "noise", "pad", "drums", "rain", "drone", "drums", "noise", "pad", "clatter")


def make(n: int, rng: np.random.Generator, seed: int) -> Made | None:
    """The n-th, the kinds in turn."""
    kind = _TURNS[n % len(_TURNS)]
    if kind == "drums":
        return _drums(n, rng)
    if kind in ("pad", "drone"):
        return held(kind, n, rng)
    t = np.arange(int(SR * rng.uniform(1.5, 20))) / SR
    y = {"noise": _noise, "rain": _rain, "clatter": _clatter}[kind](t, rng)
    stereo = np.stack([y, np.roll(y, int(rng.integers(0, 400)))], axis=1).astype(np.float32)
    row = Row(f"{kind}-{n:04}", "nothing", "noise", "arithmetic", sound="noise", no_key=True, no_tempo=True)
    return Made(finish.fade(stereo, SR, 0.01), SR, row)


def _noise(t: Doubles, rng: np.random.Generator) -> Doubles:
    """Coloured noise, still or swelling slowly."""
    size = 1 << (len(t) - 1).bit_length()
    spectrum = np.fft.rfft(rng.standard_normal(size))
    hz = np.maximum(np.fft.rfftfreq(size, 1 / SR), 20)
    spectrum *= hz ** rng.uniform(-1.2, 0.4)
    if rng.random() < 0.4:
        centre, width = rng.uniform(200, 5000), rng.uniform(0.5, 2)
        spectrum *= np.exp(-((np.log2(hz / centre) / width) ** 2))
    y = np.fft.irfft(spectrum, size)[: len(t)]
    if rng.random() < 0.5:
        knots = rng.uniform(0.2, 1, max(3, int(t[-1] / 2)))
        y = y * np.interp(t, np.linspace(0, t[-1], len(knots)), knots)
    return np.asarray(y, np.float64)


def _rain(t: Doubles, rng: np.random.Generator) -> Doubles:
    """Drops at random over hiss."""
    y = _noise(t, rng)
    y /= np.abs(y).max() * rng.uniform(4, 20)
    for _ in range(int(t[-1] * rng.uniform(8, 90))):
        n = int(SR * rng.uniform(0.003, 0.03))
        start = int(rng.integers(0, max(1, len(t) - n)))
        drop = np.sin(2 * np.pi * rng.uniform(1500, 8000) * t[:n]) + rng.standard_normal(n)
        drop *= rng.uniform(0.05, 1) ** 2 * np.exp(-6 * np.arange(n) / n)
        y[start : start + n] += drop[: len(y) - start]
    return y


def _clatter(t: Doubles, rng: np.random.Generator) -> Doubles:
    """Knocks and rattles with no order in time."""
    y = 0.002 * rng.standard_normal(len(t))
    roles = list(kits.CLASSES)
    for _ in range(max(3, int(t[-1] * rng.uniform(1, 7)))):
        sound = kits.made_drum(str(rng.choice(roles)), rng)[:, 0]
        start = int(rng.integers(0, len(t)))
        part = sound[: len(t) - start]
        y[start : start + len(part)] += part * rng.uniform(0.1, 1)
    return y


def held(kind: str, n: int, rng: np.random.Generator) -> Made:
    """A chord or a note that stays, or changes slowly and never in time."""
    seconds = float(rng.uniform(5, 24))
    h = harmony.harmony(rng, 4)
    notes: list[Note] = []
    at = 0.0
    while at < seconds:
        length = seconds if kind == "drone" else float(rng.uniform(2.5, 7))
        tones = [36 + h.tonic % 12, 48 + h.tonic % 12] if kind == "drone" else harmony.voiced(h.chord(len(notes)), 58)
        notes += [Note(at, length + 0.5, p, 80) for p in tones]
        at += length
    if rng.random() < 0.45:
        program = int(rng.choice([16, 19, 48, 49, 50, 52, 88, 89, 90, 91, 92, 93, 94, 95]))
        y = fonts.render(Song([Part(notes, program)], 60), fonts.pick(rng))
    else:
        y = mix.synthesised(synth.patch("pad", rng), notes, 60, seconds)
    y = finish.fade(finish.room(finish.fit(y, int(seconds * SR)), SR, rng), SR, 0.3)
    row = Row(f"{kind}-{n:04}", "nothing", kind, "made", sound="pad", no_tempo=True)
    return Made(y, SR, row)


def _drums(n: int, rng: np.random.Generator) -> Made:
    """Drums alone, for as long as a track."""
    groove = grooves.GROOVES[int(rng.integers(len(grooves.GROOVES)))]
    bpm, seconds = float(rng.uniform(*groove.bpm)), float(rng.uniform(10, 26))
    bars = int(seconds * bpm / 60 / groove.beats) + 1
    strokes = grooves.hits(groove, bars, rng, loose_ms=float(rng.uniform(0, 10)), bpm=bpm)
    strokes = [s for s in strokes if rng.random() > 0.04]
    if rng.random() < 0.35:
        y = fonts.render(Song([Part(grooves.drum_notes(strokes, rng, 1.0), 0, True)], bpm), fonts.pick(rng))
    else:
        y = mix.drums(strokes, kits.drum_set(rng)[1], bpm, seconds)
    y = finish.worn(finish.fit(y, int(seconds * SR)), SR, rng)
    row = Row(
        f"drums-{n:04}", "drums", "drums", f"made: {groove.genre}", bpm, sound="drums", no_key=True, metre=groove.metre
    )
    return Made(finish.fade(y, SR, 0.02), SR, row)
