"""Sounds of a few partials or of one: subs, 808s, kicks, beeps and glides. Packs are full of them, fonts are not.

A steady sine is no drum, however low; what glides from one end to the other has neither a note nor a key nor a tempo,
however long it takes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from benchmarks.material import finish
from benchmarks.material.fonts import SR
from benchmarks.material.made import Made
from benchmarks.material.one_shots import stereo
from benchmarks.material.rows import Row

_TURNS = ("sub", "glide", "beep", "kick", "sub", "glide", "808", "kick", "sub", "glide", "beep", "kick")
_INSTRUMENTS = 16
"""So many of each share a piece with others: they are on one side of every fold."""

Doubles = NDArray[np.float64]


def make(n: int, rng: np.random.Generator, seed: int) -> Made:
    """The n-th, the sorts in turn."""
    sort = _TURNS[n % len(_TURNS)]
    y, sound, note = _SORTS[sort](rng)
    row = Row(
        piece=f"plain-{sort}-{rng.integers(_INSTRUMENTS)}-{seed}",
        slice="oneshots",
        kind="oneshot",
        source="arithmetic, plain",
        sound=sound,
        note_midi=note,
        no_key=note is None,
        no_tempo=True,
    )
    return Made(finish.fade(stereo(y), SR, float(rng.uniform(0.002, 0.08))), SR, row)


def _seconds(rng: np.random.Generator, least: float, most: float) -> Doubles:
    return np.arange(int(SR * np.exp(rng.uniform(np.log(least), np.log(most))))) / SR


def _hz(midi: int, rng: np.random.Generator) -> float:
    return float(440 * 2 ** ((midi - 69 + rng.uniform(-0.3, 0.3)) / 12))


def _partials(phase: Doubles, rng: np.random.Generator) -> Doubles:
    """A sine, mostly; else a few partials above it, all or the odd ones."""
    sort = rng.random()
    if sort < 0.5:
        return np.sin(phase)
    steps = range(2, int(rng.integers(3, 7))) if sort < 0.8 else range(3, 10, 2)
    steep = rng.uniform(1.2, 3)
    return np.asarray(np.sin(phase) + sum(np.sin(h * phase) * h**-steep for h in steps))


def _held(t: Doubles, rng: np.random.Generator) -> Doubles:
    """How loud a played note is: it comes in, stays or dies away."""
    attack = np.minimum(1, t / np.exp(rng.uniform(np.log(0.001), np.log(0.03))))
    decay = float(rng.choice([0.0, 0.0, 0.5, 1.5, 3.0, 6.0])) * rng.uniform(0.6, 1.4)
    return np.asarray(attack * np.exp(-decay * t))


def _driven(y: Doubles, rng: np.random.Generator) -> Doubles:
    return np.tanh(rng.uniform(1, 4) * y) if rng.random() < 0.25 else y


def _sub(rng: np.random.Generator) -> tuple[Doubles, str, int]:
    t, midi = _seconds(rng, 0.3, 4), int(rng.integers(23, 55))
    return _driven(_partials(2 * np.pi * _hz(midi, rng) * t, rng) * _held(t, rng), rng), "bass", midi


def _long_kick(rng: np.random.Generator) -> tuple[Doubles, str, int]:
    """A bass drum held so long that it is played as a bass."""
    t, midi = _seconds(rng, 0.6, 3), int(rng.integers(24, 48))
    hz, tau = _hz(midi, rng), rng.uniform(0.004, 0.02)
    phase = 2 * np.pi * hz * (t + rng.uniform(1, 5) * tau * (1 - np.exp(-t / tau)))
    return _driven(np.sin(phase) * np.exp(-t / rng.uniform(0.5, 2)), rng), "bass", midi


def _kick(rng: np.random.Generator) -> tuple[Doubles, str, None]:
    """One that is over before a note could be heard: it falls, and is driven or begins with a click."""
    t = _seconds(rng, 0.12, 0.9)
    tau = np.exp(rng.uniform(np.log(0.008), np.log(0.12)))
    low, high = rng.uniform(36, 75), np.exp(rng.uniform(np.log(110), np.log(1200)))
    phase = 2 * np.pi * (low * t + (high - low) * tau * (1 - np.exp(-t / tau)))
    y = np.sin(phase) * np.exp(-t / np.exp(rng.uniform(np.log(0.04), np.log(0.28))))
    click = rng.standard_normal(len(t)) * np.exp(-t / rng.uniform(0.001, 0.01))
    return _driven(y, rng) + float(rng.choice([0, 0, 0.1, 0.4])) * click, "kick", None


def _beep(rng: np.random.Generator) -> tuple[Doubles, str, int]:
    t, midi = _seconds(rng, 0.12, 2.5), int(rng.integers(55, 109))
    return _partials(2 * np.pi * _hz(midi, rng) * t, rng) * _held(t, rng), "lead", midi


def _glide(rng: np.random.Generator) -> tuple[Doubles, str, None]:
    """From one end to the other, louder or softer on the way."""
    t = _seconds(rng, 0.8, 14)
    x = t / t[-1]
    bent = x ** np.exp(rng.uniform(-0.7, 0.7))
    octaves = bent * rng.uniform(1, 5) * rng.choice([-1, 1])
    hz = rng.uniform(30, 500) * 2 ** (octaves - min(0.0, float(octaves.min())))
    y = np.zeros(len(t))
    for detuned in rng.uniform(-0.01, 0.01, int(rng.choice([1, 1, 3]))):
        y += _partials(2 * np.pi * np.cumsum(np.minimum(hz * (1 + detuned), 12000)) / SR, rng)
    level = (x, 1 - x, np.sin(np.pi * x) ** 2, np.ones(len(x)), np.minimum(1, 4 * x))[int(rng.integers(5))]
    hiss = float(rng.choice([0, 0, 0.05, 0.3])) * rng.standard_normal(len(t))
    return (y / np.abs(y).max() + hiss) * level, "fx", None


_SORTS: dict[str, Callable[[np.random.Generator], tuple[Doubles, str, int | None]]] = {
    "sub": _sub,
    "808": _long_kick,
    "kick": _kick,
    "beep": _beep,
    "glide": _glide,
}
