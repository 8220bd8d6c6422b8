"""Tones: band-limited wavetables whose brightness moves, and instruments made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from cli.synth.drums import place
from cli.synth.dsp import SR, Signal, adsr, decay, drive, seconds, seeded, sine, swept

NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_SIZE = 2048
_SHADES = 6


def hertz(midi: float) -> float:
    """The tempered frequency of a MIDI note."""
    return float(440.0 * 2 ** ((midi - 69) / 12))


def note_name(midi: int) -> str:
    """``A4`` for 69."""
    return f"{NAMES[midi % 12]}{midi // 12 - 1}"


@lru_cache(maxsize=256)
def _tables(shape: str, harmonics: int) -> Signal:
    """(shades, size): one cycle, from dark to bright, without a partial above `harmonics`."""
    k = np.arange(1, harmonics + 1)
    base = {"saw": 1.0 / k, "square": (k % 2) / k, "soft": 1.0 / k**2, "organ": np.isin(k, (1, 2, 3, 4, 6, 8)) / k**0.7}
    tables = np.empty((_SHADES, _SIZE))
    for shade in range(_SHADES):
        cutoff = 1.2 * 2.2**shade
        spectrum = np.zeros(_SIZE // 2 + 1, dtype=complex)
        spectrum[1 : harmonics + 1] = -0.5j * _SIZE * base[shape] / np.sqrt(1 + (k / cutoff) ** 4)
        tables[shade] = np.fft.irfft(spectrum, _SIZE)
    return tables


def wave(shape: str, phase: Signal, freq: float, brightness: Signal | float) -> Signal:
    """A tone of this phase (in cycles); `brightness` from 0 (nearly a sine) to 1."""
    tables = _tables(shape, int(max(1, min(400, 18000 // freq))))
    shade = np.clip(brightness, 0.0, 1.0) * (_SHADES - 1.001) + np.zeros(len(phase))
    low = shade.astype(int)
    at = (phase % 1.0 * _SIZE).astype(int)
    part = shade - low
    return np.asarray((1 - part) * tables[low, at] + part * tables[low + 1, at])


def bass(midi: int, held_s: float) -> Signal:
    """A round electric bass: a plucked saw over its own sine."""
    t, f = seconds(held_s + 0.12), hertz(midi)
    body = wave("saw", f * t, f, 0.15 + 0.45 * np.exp(-t / 0.12))
    return drive((0.7 * body + 0.6 * sine(f * t)) * adsr(t, held_s, 0.004, 0.5, 0.65, 0.08), 1.6)


def acid(midi: int, held_s: float) -> Signal:
    """A square through a filter that squeals."""
    t, f = seconds(held_s + 0.05), hertz(midi)
    body = wave("square", f * t, f, 0.2 + 0.75 * np.exp(-t / 0.09))
    return drive(body * adsr(t, held_s, 0.003, 0.3, 0.7, 0.03), 4.0)


def pluck(midi: int, held_s: float) -> Signal:
    """A bright attack that darkens: guitar, kalimba, synth pluck."""
    t, f = seconds(held_s + 0.5), hertz(midi)
    detuned = wave("saw", f * 1.0015 * t, f, 0.75 * np.exp(-t / 0.14)) + wave("saw", f * t, f, 0.7 * np.exp(-t / 0.1))
    return np.asarray(detuned * decay(t, held_s + 0.7, 0.002))


def keys(midi: int, held_s: float) -> Signal:
    """An electric piano: a sine bent by its fourteenth, as in the FM machines."""
    t, f = seconds(held_s + 0.35), hertz(midi)
    tine = 0.9 * np.exp(-t / 0.18) * sine(14 * f * t) if 14 * f < 15000 else 0.0
    bent = sine(f * t + (0.24 * np.exp(-t / 0.6) * sine(f * t)) + 0.02 * tine)
    return np.asarray(bent * adsr(t, held_s, 0.003, 1.6, 0.25, 0.25))


def pad(midi: int, held_s: float) -> Signal:
    """Three slowly beating saws that open and close."""
    t, f = seconds(held_s + 0.9), hertz(midi)
    glow = 0.25 + 0.25 * np.sin(np.pi * np.minimum(1.0, t / (held_s + 0.9))) ** 2
    start = seeded("pad", midi).random(3)
    saws = sum((wave("saw", f * d * t + p, f, glow) for d, p in zip((0.9985, 1.0, 1.0015), start, strict=True)), t * 0)
    return np.asarray(saws * adsr(t, held_s, 0.18, 1.0, 0.85, 0.5) / 3)


def organ(midi: int, held_s: float) -> Signal:
    """Drawbars."""
    t, f = seconds(held_s + 0.08), hertz(midi)
    return wave("organ", f * t, f, 0.9) * adsr(t, held_s, 0.01, 0.2, 0.95, 0.05)


def bell(midi: int, held_s: float) -> Signal:
    """Partials of a struck bar, the high ones gone first."""
    t, f = seconds(held_s + 1.6), hertz(midi)
    partials = ((1.0, 1.0, 1.8), (2.0, 0.35, 1.1), (3.01, 0.25, 0.7), (5.4, 0.12, 0.35), (8.9, 0.06, 0.2))
    ring = sum((a * sine(f * r * t) * decay(t, fall + held_s / 3) for r, a, fall in partials if r * f < 18000), t * 0)
    return np.asarray(ring)


def lead(midi: int, held_s: float) -> Signal:
    """A saw with a late vibrato."""
    t, f = seconds(held_s + 0.15), hertz(midi)
    vibrato = f * (1 + 0.006 * np.sin(2 * np.pi * 5.4 * t) * np.clip((t - 0.2) / 0.3, 0, 1))
    return wave("saw", swept(vibrato), f, 0.55) * adsr(t, held_s, 0.015, 0.4, 0.75, 0.1)


Instrument = Callable[[int, float], Signal]


def stab(instrument: Instrument, notes: Sequence[int], held_s: float) -> Signal:
    """Several notes at once."""
    sounds = [instrument(note, held_s) for note in notes]
    mix = np.zeros(max(len(sound) for sound in sounds))
    for sound in sounds:
        mix[: len(sound)] += sound
    return mix / len(sounds)


Event = tuple[float, float, Sequence[int]]
"""Start and length in beats, and the notes."""


def line(instrument: Instrument, events: Sequence[Event], bpm: float, beats: int, name: str) -> Signal:
    """A part of exactly `beats`, played almost in time; what rings on comes round to the start."""
    mix = np.zeros(round(beats * 60 / bpm * SR))
    chance = seeded("line", name)
    for start, length, notes in events:
        sound = stab(instrument, notes, length * 60 / bpm * 0.92) * (1 + 0.05 * chance.standard_normal())
        late = chance.normal(0.0, 0.003) if start else 0.0
        place(mix, sound, round((start * 60 / bpm + late) * SR))
    return mix
