"""The root note of a sound with one pitch: candidates from partials and periods, weighed against there being none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workers.analysis.learned import load, softmax
from workers.analysis.mono import SR, Mono
from workers.kernels.candidates import weigh_candidates
from workers.kernels.harmonics import (
    Partials,
    find_fundamentals,
    own_periodicity,
    strongest_partials,
    windowed_periodicity,
)
from workers.kernels.notes import agreed_fundamental, compare_candidates, loud_part, shortest_periods
from workers.model import TONICS, Pitch

if TYPE_CHECKING:
    from workers.audio.hints import Hints

LOWEST, HIGHEST = 26.0, 4500.0
"""Fundamentals looked for, in Hz: A0 and C8 with a little room."""

N_FFT = 8192
_LENGTHS = (1, 64, 256, 512, 1024, 1536, 2048, 2560, 3072, 4096, 5120, 6144, N_FFT)
"""Lengths of windows, so that few shapes are made."""

_N_LAGS = 900
_SHORTEST_LAG = 4
_STEP = 256
_QUIET = 0.01
"""Below the loudest step by more than 20 dB is before or after the sound."""

_WINDOWS, _WINDOWS_OF_A_LOOP = 3, 8
_LONGEST_LOOP_S = 16.0
_SAME_THROUGHOUT = 0.85

CANDIDATE_INPUTS = (
    "explained",
    "filled",
    "odd",
    "not third",
    "first",
    "second",
    "last",
    "present",
    "aperiodic",
    "aperiodic above",
    "height",
    "height squared",
    "period agrees",
    "lowest",
    "strongest",
    "octave below",
    "twelfth below",
    "octave above",
    "filled, many",
)
"""What describes a candidate, in order: the columns of `weigh_candidates`."""
_EXPLAINED, _APERIODIC = CANDIDATE_INPUTS.index("explained"), CANDIDATE_INPUTS.index("aperiodic")

NONE_INPUTS = ("none", "none aperiodic", "none explained", "none filled", "none share", "none short", "none moves")
"""What describes there being no pitch, in order."""

INPUTS = CANDIDATE_INPUTS + NONE_INPUTS

_SURELY_DRUM = 0.65
"""From this probability of a drum on, its pitch is not called a note. Counted on four sets that nothing was learned
from: as many notes are kept as at 0.8, and 7 sounds of 307 get one that have none instead of 15; at 0.5 one note of
226 less is kept, and 4 get one."""

_WORTH_SAYING = 0.55
"""A note is said from this part of the chance that there is none on: out of fold it finds one note of 100 more, for
half a sound of 100 without one."""

_SAME_NOTE = 0.6
"""Candidates nearer than this many semitones are one note, measured twice: of a trembling or a detuned sound they share
what speaks for it."""

_NAMED, _NAMED_CLASS, _IN_CHUNK = 2.0, 1.0, 0.7
"""How much a written note speaks for the candidate that it names, in logits. Names give the class reliably and the
octave less so (C3 is 48 to some makers and 60 to others); chunks often hold a default. None makes a candidate."""

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Heard:
    """Windows of a sound, their partials and their periods."""

    partials: Partials
    weight: Doubles
    """(n_windows,), by amplitude; sum 1."""
    periodicity: NDArray[np.float32]
    """(n_windows, n_lags)."""
    periods: Doubles
    """Hz of the shortest period at which each window all but repeats; 0 where there is none."""
    duration_s: float


def unknown(reason: str, confidence: float = 0.0) -> Pitch:
    """No pitch, and why."""
    return Pitch(None, None, None, None, round(confidence, 3), reason)


def note_of(hz: float) -> tuple[str, int, float]:
    """Name, MIDI number and cents off of a frequency (A4 = 440 Hz)."""
    exact = 69.0 + 12.0 * np.log2(hz / 440.0)
    midi = int(np.floor(exact + 0.5))
    return f"{TONICS[midi % 12]}{midi // 12 - 1}", midi, float(100.0 * (exact - midi))


# -- listening


@lru_cache(maxsize=16)
def _window(length: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What a sound is looked at through, and how much that is like itself."""
    window = np.hanning(length + 2)[1:-1].astype(np.float32)
    return window, own_periodicity(window, n_fft=N_FFT, n_lags=_N_LAGS)


def listen(mono: Mono, most: int = _WINDOWS) -> Heard:
    """Look at a sound through up to `most` windows, over where it is loud."""
    starts, length = _places(mono.y, most)
    window, own = _window(length)
    seen = windowed_periodicity(mono.y, starts, window, n_fft=N_FFT, n_lags=_N_LAGS, own=own)
    weight = np.sqrt(seen.power.sum(axis=1, dtype=np.float64))
    return Heard(
        partials=strongest_partials(seen.power, SR / N_FFT),
        weight=weight / max(float(weight.sum()), 1e-12),
        periodicity=seen.periodicity,
        periods=shortest_periods(seen.periodicity, SR, first=_SHORTEST_LAG),
        duration_s=mono.duration_s,
    )


def _places(y: NDArray[np.float32], most: int) -> tuple[NDArray[np.int64], int]:
    """Where windows start, and how long they are: two or more of them wherever the sound allows it."""
    n = len(y)
    first, end = loud_part(y, _STEP, quiet=_QUIET) if n >= _STEP else (0, n)
    first = max(0, min(first, n - 2048))
    wanted = max(1, min(n, N_FFT, max(2048, int(0.6 * (end - first)))))
    length = max(size for size in _LENGTHS if size <= wanted)
    first = max(0, min(first, n - length))
    last = max(first, end - length)
    count = max(1, min(most, 1 + math.ceil(2 * (last - first) / length)))
    apart = (last - first) / max(1, count - 1)
    return np.array(sorted({*(int(first + k * apart) for k in range(count - 1)), last if count > 1 else first})), length


# -- weighing


def candidates(heard: Heard) -> Doubles:
    """Fundamentals worth a closer look, in Hz: the strongest partials as harmonics 1 to 6, and the periods."""
    return find_fundamentals(heard.partials, heard.periods, low=LOWEST, high=HIGHEST)


def describe(heard: Heard, f0: Doubles) -> Doubles:
    """Each candidate, and in the last row that there is none: (len(f0) + 1, len(INPUTS))."""
    n, width = len(f0), len(CANDIDATE_INPUTS)
    X = np.zeros((n + 1, len(INPUTS)))
    X[n, width] = 1.0
    X[n, width + 4 :] = float(heard.weight @ heard.partials.share), -math.log2(heard.duration_s + 0.02), _moves(heard)
    if not n:
        X[n, width + 1] = 1.0
        return X
    found = weigh_candidates(heard.partials, heard.weight, heard.periods, heard.periodicity, f0, SR)
    X[:n, :width] = found
    aperiodic, explained = found[:, _APERIODIC], found[:, _EXPLAINED]
    X[n, width + 1 : width + 4] = float(aperiodic.min()), float(explained.max()), float(X[:n, width - 1].max())
    return X


def _moves(heard: Heard) -> float:
    """Octaves between the periods of the windows, by weight; 1 at most."""
    there = [(math.log2(hz), w) for hz, w in zip(heard.periods.tolist(), heard.weight.tolist(), strict=True) if hz > 0]
    whole = sum(weight for _, weight in there)
    if whole <= 0:
        return 1.0
    mean = sum(octaves * weight for octaves, weight in there) / whole
    return min(1.0, math.sqrt(sum((octaves - mean) ** 2 * weight for octaves, weight in there) / whole))


def _agreement(heard: Heard, f0: float) -> float:
    """Weight of the windows whose period is that of `f0`."""
    height = np.array([math.log2(f0 / 220)])
    return float(compare_candidates(heard.partials, heard.weight, heard.periods, height).agreement[0])


def refine(heard: Heard, f0: float) -> float:
    """The fundamental that the first eight harmonics of `f0` agree on, in Hz."""
    return agreed_fundamental(heard.partials, heard.weight, f0)


# -- deciding


def settled(heard: Pitch, drum: float) -> Pitch:
    """What is said in the end: of a sound without a note nothing is sure, and a drum's pitch is not a note.

    `heard` is from `estimate_pitch`, whose confidence in a sound without a note is the chance that it has one all the
    same; `drum` is how likely it is a drum.
    """
    if heard.midi is None:
        return Pitch(None, None, None, None, 0.0, heard.reason)
    if drum < _SURELY_DRUM:
        return heard
    return unknown(f"a drum, tuned to about {heard.note}")


def estimate_pitch(mono: Mono, *, rhythmic: bool, hints: Hints | None = None) -> Pitch:
    """The one pitch of a sound, or why there is none. A `rhythmic` one must stay on it nearly all the time."""
    if mono.silent:
        return unknown("silence has no pitch")
    if mono.duration_s < 0.02:
        return unknown("too short for a pitch: it takes at least 20 ms")
    if rhythmic and mono.duration_s > _LONGEST_LOOP_S:
        return unknown("not a single pitched sound")
    heard = listen(mono, _WINDOWS_OF_A_LOOP if rhythmic else _WINDOWS)
    f0 = candidates(heard)
    model = load("pitch")
    scores = model.scores(describe(heard, f0)) / model.temperature
    if hints is not None:
        scores[:-1] += _written(hints, f0)
    probability = softmax(scores)
    best, confidence = choose(probability, f0, worth_saying=1.0 if rhythmic else _WORTH_SAYING)
    if best is None:
        return unknown(_why_none(heard), 1 - float(probability[-1]))
    if rhythmic and _agreement(heard, float(f0[best])) < _SAME_THROUGHOUT:
        return unknown("not a single pitched sound")
    hz = refine(heard, float(f0[best]))
    note, number, cents = note_of(hz)
    return Pitch(note, number, round(hz, 2), round(cents, 1), round(confidence, 3), None)


def choose(probability: Doubles, f0: Doubles, *, worth_saying: float = _WORTH_SAYING) -> tuple[int | None, float]:
    """The likeliest candidate of the likeliest note and that note's probability; ``None`` where none is much likelier.

    `probability` is of each fundamental of `f0`, in Hz, and last of there being no note.
    """
    none = float(probability[-1])
    if not len(f0):
        return None, none
    height = 12 * np.log2(f0)
    near = np.abs(height[:, None] - height) < _SAME_NOTE
    note = int((near @ probability[:-1]).argmax())
    best = int(np.where(near[note], probability[:-1], -1.0).argmax())
    likely = float(min(1.0, probability[:-1][near[best]].sum()))
    return (best, likely) if likely >= worth_saying * none else (None, none)


def _written(hints: Hints, f0: Doubles) -> Doubles:
    """What the name and the chunks add to each candidate's score."""
    midi = 69 + 12 * np.log2(f0 / 440)
    bonus = np.zeros(len(f0))
    if hints.name_midi is not None:
        off = np.abs(midi - hints.name_midi)
        bonus += np.where(off < 0.6, _NAMED, np.where(np.abs(off - 12 * np.round(off / 12)) < 0.6, _NAMED_CLASS, 0.0))
    for root in {hints.smpl_root_midi, hints.acid_root_midi} - {None, 60}:
        bonus += np.where(np.abs(midi - root) < 0.6, _IN_CHUNK, 0.0)
    return bonus


def _why_none(heard: Heard) -> str:
    repeats = float(heard.weight @ np.array([r[_SHORTEST_LAG * 4 :].max() for r in heard.periodicity]))
    if repeats < 0.6:
        return "no steady pitch: noise or drums"
    if _moves(heard) > 0.05:
        return "no one note stays: it glides, falls as a drum does, or there are several"
    return "no one note stands out: a chord, a drum or an effect"
