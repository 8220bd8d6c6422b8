"""What moves without a beat: wind, waves, murmurs, knocks, held chords; and single sounds that wobble or shimmer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from benchmarks.material import finish, fonts, kits, one_shots, pulseless, synth
from benchmarks.material.fonts import SR
from benchmarks.material.made import Made
from benchmarks.material.midi import Note, Part, Song
from benchmarks.material.rows import Row

Doubles = NDArray[np.float64]
_TURNS = ("pad", "wobble", "wind", "shimmer", "knocks", "drone", "wobble", "crackle", "pad", "murmur", "shimmer")
_HELD = {"bass": (26, 50), "lead": (44, 80), "pad": (40, 76)}


def make(n: int, rng: np.random.Generator, seed: int) -> Made | None:
    """The n-th, the kinds in turn."""
    turn = _TURNS[n % len(_TURNS)]
    if turn in ("pad", "drone"):
        return pulseless.held(turn, n, rng)
    if turn in ("wobble", "shimmer"):
        return _single(turn, n, rng)
    t = np.arange(int(SR * rng.uniform(2, 18))) / SR
    y = _NOISES[turn](t, rng)
    stereo = np.stack([y, np.roll(y, int(rng.integers(0, 300)))], axis=1).astype(np.float32)
    stereo /= max(1e-6, float(np.abs(stereo).max()))
    row = Row(f"{turn}-{n:04}", "nothing", "noise", "arithmetic", sound="noise", no_key=True, no_tempo=True)
    return Made(finish.fade(finish.worn(stereo, SR, rng), SR, 0.02), SR, row)


def _single(turn: str, n: int, rng: np.random.Generator) -> Made:
    """One long note whose filter or level moves: still a single sound."""
    sound = str(rng.choice(list(_HELD), p=(0.45, 0.2, 0.35)))
    note, seconds = int(rng.integers(*_HELD[sound])), float(rng.uniform(1.5, 8))
    if rng.random() < 0.35:
        programs = {"bass": (38, 39, 87), "lead": (80, 81, 84, 86), "pad": (88, 89, 90, 93, 94, 95, 50)}[sound]
        part = Part([Note(0, seconds * 2, note, 100)], int(rng.choice(programs)))
        tone = fonts.render(Song([part], 120), fonts.pick(rng))[: int((seconds + 0.5) * SR)].mean(axis=1, dtype=float)
    else:
        tone = synth.tone(synth.patch(sound, rng), note, seconds)
    t = np.arange(len(tone)) / SR
    y = _wobbled(tone, t, rng) if turn == "wobble" else _shimmering(tone, rng)
    row = Row(
        piece=f"still-{n:04}",
        slice="oneshots",
        kind="oneshot",
        source=f"made: {turn}",
        sound=sound,
        note_midi=note,
        no_tempo=True,
    )
    return Made(finish.fade(finish.worn(one_shots.stereo(y), SR, rng), SR, 0.02), SR, row)


def _wobbled(tone: Doubles, t: Doubles, rng: np.random.Generator) -> Doubles:
    """A slow oscillator on the level or on the brightness; its rate may drift."""
    rate = rng.uniform(0.3, 7) * 2 ** (rng.uniform(-1, 1) * t / max(t[-1], 0.1) * (rng.random() < 0.5))
    turns = np.cumsum(rate) / SR + rng.random()
    moved = 0.5 - 0.5 * np.cos(2 * np.pi * turns)
    depth = rng.uniform(0.2, 0.9)
    if rng.random() < 0.5:
        return np.asarray(tone * (1 - depth * moved), np.float64)
    dull = np.convolve(tone, np.ones(24) / 24, "same")
    return np.asarray(dull + (tone - dull) * (1 - depth * moved), np.float64)


def _shimmering(tone: Doubles, rng: np.random.Generator) -> Doubles:
    """Voices out of tune with each other, each louder and softer as it likes."""
    out = np.zeros(len(tone))
    places = np.arange(len(tone), dtype=np.float64)
    for _ in range(int(rng.integers(2, 6))):
        shifted = np.interp(places * 2 ** (rng.uniform(-14, 14) / 1200), places, tone)
        knots = rng.uniform(0.1, 1, max(3, int(len(tone) / SR * rng.uniform(1, 5))))
        out += shifted * np.interp(places, np.linspace(0, len(tone), len(knots)), knots)
    return out


def _wind(t: Doubles, rng: np.random.Generator) -> Doubles:
    """Noise in a band that wanders, swelling as waves do."""
    white = rng.standard_normal(len(t))
    soft, softer = (np.convolve(white, np.ones(k) / np.sqrt(k), "same") for k in (8, 64))
    gains = [np.interp(t, np.linspace(0, t[-1], 5 + int(t[-1])), rng.uniform(0, 1, 5 + int(t[-1]))) for _ in range(3)]
    return np.asarray(gains[0] ** 2 * white * 0.4 + gains[1] * soft + gains[2] * softer, np.float64)


def _knocks(t: Doubles, rng: np.random.Generator) -> Doubles:
    """Some drum or other, at distances that never agree."""
    y = rng.choice([0.0, 0.002, 0.02]) * rng.standard_normal(len(t))
    sounds = [kits.made_drum(str(rng.choice(list(kits.CLASSES))), rng)[:, 0] for _ in range(int(rng.integers(1, 4)))]
    at, usual = rng.uniform(0, 0.5), rng.uniform(0.15, 1.2)
    while at < t[-1]:
        sound, start = sounds[int(rng.integers(len(sounds)))], int(at * SR)
        part = sound[: len(t) - start]
        y[start : start + len(part)] += part * rng.uniform(0.15, 1)
        at += usual * np.exp(rng.normal(0, rng.uniform(0.4, 0.9)))
    return np.asarray(y, np.float64)


def _crackle(t: Doubles, rng: np.random.Generator) -> Doubles:
    """A record's surface, a fire: clicks over hiss."""
    y = rng.uniform(0.001, 0.05) * rng.standard_normal(len(t))
    clicks = rng.integers(0, len(t), int(t[-1] * np.exp(rng.uniform(np.log(2), np.log(80)))))
    y[clicks] += rng.standard_normal(len(clicks)) ** 3
    return np.asarray(np.convolve(y, np.exp(-np.arange(200) / rng.uniform(3, 40)), "same"), np.float64)


def _murmur(t: Doubles, rng: np.random.Generator) -> Doubles:
    """Syllables of nobody: buzz in moving formants, in bursts, with pauses."""
    hz = rng.uniform(80, 260) * np.exp(
        np.interp(t, np.linspace(0, t[-1], 4 + 3 * int(t[-1])), rng.normal(0, 0.15, 4 + 3 * int(t[-1])))
    )
    phase = np.cumsum(hz) / SR
    buzz = 2 * (phase % 1) - 1 + 0.1 * rng.standard_normal(len(t))
    level = np.zeros(len(t))
    at = 0.0
    while at < t[-1]:
        length = rng.uniform(0.06, 0.35)
        level += np.exp(-(((t - at) / length) ** 2) * 4) * rng.uniform(0.3, 1)
        at += length + rng.exponential(0.15) + (rng.random() < 0.15) * rng.uniform(0.3, 1)
    colour = np.convolve(buzz, np.sin(np.arange(60) * rng.uniform(0.05, 0.4)) * np.exp(-np.arange(60) / 20), "same")
    return np.asarray(colour * level, np.float64)


_NOISES: dict[str, Callable[[Doubles, np.random.Generator], Doubles]] = {
    "wind": _wind,
    "knocks": _knocks,
    "crackle": _crackle,
    "murmur": _murmur,
}
