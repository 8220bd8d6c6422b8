"""Drums after the analogue machines: swept sines, metallic squares, shaped noise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cli.synth.dsp import (
    SR,
    Signal,
    bandpass,
    decay,
    drive,
    highpass,
    lowpass,
    room,
    seconds,
    seeded,
    sine,
    square,
    swept,
)

METAL = (205.3, 304.4, 369.6, 522.7, 540.0, 800.0)
"""The six oscillators of the classic machine's cymbals."""


def kick(variant: str = "punch") -> Signal:
    """A swept sine with a click: ``punch`` (dance), ``boom`` (long), ``dusty`` (sampled)."""
    top, low, fall, length, amount = {
        "punch": (320.0, 52.0, 0.09, 0.42, 2.2),
        "boom": (180.0, 46.0, 0.16, 0.85, 1.5),
        "dusty": (210.0, 62.0, 0.07, 0.30, 3.5),
    }[variant]
    t = seconds(length)
    body = sine(swept(low + (top - low) * np.exp(-t / (fall / 4)))) * decay(t, length)
    click = highpass(seeded("kick", variant).standard_normal(len(t)), 2500) * decay(t, 0.012)
    y = drive(body + 0.12 * click, amount)
    return lowpass(y, 5500) if variant == "dusty" else y


def boom_bass(freq: float, length_s: float = 1.4) -> Signal:
    """The long tuned kick that is played as a bass."""
    t = seconds(length_s)
    pitch = freq * (1 + 1.6 * np.exp(-t / 0.018))
    return drive(sine(swept(pitch)) * decay(t, length_s * 1.5), 2.4) * np.minimum(1.0, (length_s - t) / 0.05)


def snare(variant: str = "tight") -> Signal:
    """Two drum-head modes under rattling noise: ``tight``, ``fat`` (with a plate), ``brush``."""
    head, wires, length = {"tight": (0.12, 0.18, 0.25), "fat": (0.22, 0.34, 0.6), "brush": (0.05, 0.22, 0.3)}[variant]
    t = seconds(length)
    modes = sine(swept(185 + 60 * np.exp(-t / 0.012))) + 0.6 * sine(331 * t)
    noise = highpass(seeded("snare", variant).standard_normal(len(t)), 1400, 1) * decay(t, wires)
    y = drive(0.7 * modes * decay(t, head) + 0.5 * noise, 2.0)
    return room(y, 0.5, 0.25, "plate").mean(axis=1) if variant == "fat" else y


def clap() -> Signal:
    """Several hands, not quite together."""
    t = seconds(0.42)
    noise = bandpass(seeded("clap").standard_normal(len(t)), 750, 3800)
    hands = sum(
        (decay(np.maximum(0.0, t - late), 0.05) * (t >= late) for late in (0.0, 0.011, 0.021)), np.zeros(len(t))
    )
    return drive(noise * (hands + 0.7 * decay(np.maximum(0.0, t - 0.03), 0.3) * (t >= 0.03)), 2.5)


def hat(length_s: float = 0.07) -> Signal:
    """Six squares and noise, high-passed; long ones are open."""
    t = seconds(max(0.06, length_s * 1.2))
    metal = sum((square(swept(np.full(len(t), 2.0 * f))) for f in METAL), np.zeros(len(t)))
    noise = seeded("hat", length_s).standard_normal(len(t))
    return np.asarray(highpass(0.4 * metal + noise, 7200, 3) * decay(t, length_s) * 0.4)


def cowbell() -> Signal:
    """Two squares, band-passed."""
    t = seconds(0.4)
    return bandpass(square(540 * t) + square(800 * t), 500, 3500) * decay(t, 0.35)


def rim() -> Signal:
    """A short wooden knock."""
    t = seconds(0.09)
    return drive((sine(1720 * t) + 0.7 * sine(520 * t)) * decay(t, 0.05), 3.0)


def tom(freq: float = 110.0) -> Signal:
    """A swept sine with a skin."""
    t = seconds(0.55)
    skin = lowpass(seeded("tom", freq).standard_normal(len(t)), 2200) * decay(t, 0.06)
    return drive(sine(swept(freq * (1 + 0.5 * np.exp(-t / 0.05)))) * decay(t, 0.5) + 0.25 * skin, 1.8)


def crash() -> Signal:
    """A long metallic wash."""
    t = seconds(2.2)
    metal = sum((square(1.73 * f * t) for f in METAL), np.zeros(len(t)))
    noise = seeded("crash").standard_normal(len(t))
    return np.asarray(highpass(0.3 * metal + noise, 3600, 2) * decay(t, 2.0, 0.004) * 0.4)


def shaker() -> Signal:
    """Beads, going there and back."""
    t = seconds(0.11)
    return np.asarray(bandpass(seeded("shaker").standard_normal(len(t)), 4200, 11000) * np.sin(np.pi * t / 0.11) ** 3)


PARTS: dict[str, Callable[[], Signal]] = {
    "k": kick,
    "b": lambda: kick("boom"),
    "d": lambda: kick("dusty"),
    "s": snare,
    "f": lambda: snare("fat"),
    "c": clap,
    "h": lambda: hat(0.05),
    "o": lambda: hat(0.32),
    "r": rim,
    "t": tom,
    "m": shaker,
    "w": cowbell,
}
"""Letters of the patterns."""

LEVEL = {
    "k": 1.0,
    "b": 1.0,
    "d": 1.0,
    "s": 0.75,
    "f": 0.8,
    "c": 0.7,
    "h": 0.35,
    "o": 0.35,
    "r": 0.4,
    "t": 0.6,
    "m": 0.25,
}


def groove(
    rows: dict[str, str], bpm: float, beats: int, name: str, *, swing: float = 0.0, human_ms: float = 4.0
) -> Signal:
    """A drum loop of exactly `beats`: one string a drum, sixteenths from `.` (rest) over `x` to `X` (accent).

    What rings past the end comes in again at the start, as it would when looped.
    """
    frames = round(beats * 60 / bpm * SR)
    mix = np.zeros(frames)
    for letter, steps in rows.items():
        hit = PARTS[letter]()
        chance = seeded("groove", name, letter)
        for number in range(beats * 4):
            step = steps[number % len(steps)]
            if step == ".":
                continue
            late = swing / 3 if number % 2 else 0.0
            at = (number + late) * 15 / bpm + (chance.normal(0.0, human_ms / 1000) if number % 16 else 0.0)
            level = (
                LEVEL.get(letter, 0.5) * {"X": 1.0, "x": 0.72, "-": 0.4}[step] * (1 + 0.06 * chance.standard_normal())
            )
            place(mix, level * hit, round(at * SR))
    return mix


def place(mix: Signal, sound: Signal, at: int) -> None:
    """Add a sound at a frame; what does not fit goes round to the start."""
    while len(sound):
        start = at % len(mix)
        fits = min(len(sound), len(mix) - start)
        mix[start : start + fits] += sound[:fits]
        sound, at = sound[fits:], 0
