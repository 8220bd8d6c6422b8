"""The root note of a sound with one pitch: YIN on the loudest stretch, agreed on by its frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.analysis.mono import SR, Mono
from workers.kernels.yin import yin_periods
from workers.model import TONICS, Pitch

F_MIN = 27.5
F_MAX = 4200.0
_WINDOW = 2048
_LONGEST = int(SR / F_MIN) + 2
_SHORTEST = int(SR / F_MAX)
_MAX_FRAMES = 20
_DIP = 0.15
_VOICED = 0.25
_LONGEST_LOOP_S = 16.0


@dataclass(frozen=True, slots=True)
class Track:
    """Pitch by frame: `hz`, its depth of dip (0 = perfectly periodic), and the frames' weights."""

    hz: NDArray[np.float64]
    aperiodicity: NDArray[np.float64]
    weight: NDArray[np.float64]


def unknown(reason: str, confidence: float = 0.0) -> Pitch:
    """No pitch, and why."""
    return Pitch(None, None, None, None, round(confidence, 3), reason)


def note_of(hz: float) -> tuple[str, int, float]:
    """Name, MIDI number and cents off of a frequency (A4 = 440 Hz)."""
    exact = 69.0 + 12.0 * np.log2(hz / 440.0)
    midi = int(np.floor(exact + 0.5))
    return f"{TONICS[midi % 12]}{midi // 12 - 1}", midi, float(100.0 * (exact - midi))


def pitch_track(mono: Mono) -> Track:
    """YIN on at most `_MAX_FRAMES` frames, evenly over the sound."""
    y = mono.y
    size = _WINDOW + _LONGEST
    if len(y) < size:
        y = np.concatenate([y, np.zeros(size - len(y), np.float32)])
    last = len(y) - size
    starts = np.unique(np.linspace(0, last, min(_MAX_FRAMES, 1 + last // 512)).astype(np.int64))
    found = yin_periods(y, starts, window=_WINDOW, min_lag=_SHORTEST, max_lag=_LONGEST, threshold=_DIP)
    lag, power = found.lag.astype(np.float64), found.power.astype(np.float64)
    hz = np.where(lag > 0, SR / np.maximum(lag, 1), 0.0)
    return Track(hz, found.depth.astype(np.float64), power / max(float(power.sum()), 1e-12))


def estimate_pitch(mono: Mono, *, rhythmic: bool) -> Pitch:
    """The one pitch of a sound, or why there is none. A `rhythmic` one must stay on it nearly all the time."""
    if mono.silent:
        return unknown("silence has no pitch")
    if mono.duration_s < 0.02:
        return unknown("too short for a pitch: it takes at least 20 ms")
    if rhythmic and mono.duration_s > _LONGEST_LOOP_S:
        return unknown("not a single pitched sound")
    track = pitch_track(mono)
    voiced = (track.aperiodicity < _VOICED) & (track.hz > 0)
    share = float(track.weight[voiced].sum())
    if share < (0.7 if rhythmic else 0.4):
        return unknown("no steady pitch: noise, drums, or several notes at once")
    midi = 69 + 12 * np.log2(track.hz[voiced] / 440)
    weight = track.weight[voiced] * (1 - track.aperiodicity[voiced])
    centre = _weighted_median(midi, weight)
    near = np.abs(midi - centre) < 0.6
    steady = float(weight[near].sum() / weight.sum())
    if steady < (0.9 if rhythmic else 0.6):
        return unknown("not a single pitched sound" if rhythmic else "the pitch moves: a glide or a melody")
    exact = float(np.average(midi[near], weights=weight[near]))
    hz = 440.0 * 2 ** ((exact - 69) / 12)
    note, number, cents = note_of(hz)
    clean = 1 - float(np.average(track.aperiodicity[voiced][near], weights=weight[near]))
    return Pitch(note, number, round(hz, 2), round(cents, 1), round(min(1.0, share * steady * clean), 3), None)


def _weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    order = np.argsort(values)
    running = np.cumsum(weights[order])
    return float(values[order][int(np.searchsorted(running, 0.5 * running[-1]))])
