"""The root note of a sound with one pitch: candidates from partials and periods, weighed against there being none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workers.analysis.learned import load
from workers.analysis.mono import SR, Mono
from workers.kernels.harmonics import find_fundamentals, own_periodicity, windowed_periodicity
from workers.kernels.hearing import Hearing, hear, place_windows
from workers.kernels.notes import agreed_fundamental
from workers.kernels.verdict import Note, choose_note, describe_candidates, find_note
from workers.model import TONICS, Pitch

if TYPE_CHECKING:
    from workers.audio.hints import Hints

LOWEST, HIGHEST = 26.0, 4500.0
"""Fundamentals looked for, in Hz: A0 and C8 with a little room."""

N_FFT = 8192
_LENGTHS = np.array([1, 64, 256, 512, 1024, 1536, 2048, 2560, 3072, 4096, 5120, 6144, N_FFT])
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
_GAINS = np.array([_NAMED, _NAMED_CLASS, _IN_CHUNK])
_NOTHING_WRITTEN = np.full(1, math.nan)

_APART = 0.4
"""Semitones between two candidates."""
_BOUNDS = np.array([LOWEST, HIGHEST, _APART, _SAME_NOTE])

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Heard:
    """Windows of a sound, their partials and their periods."""

    windows: Hearing
    periodicity: NDArray[np.float32]
    """(n_windows, n_lags)."""
    duration_s: float


def unknown(reason: str, confidence: float = 0.0) -> Pitch:
    """No pitch, and why."""
    return Pitch(None, None, None, None, round(confidence, 3), reason)


def note_of(hz: float) -> tuple[str, int, float]:
    """Name, MIDI number and cents off of a frequency (A4 = 440 Hz)."""
    exact = 69.0 + 12.0 * math.log2(hz / 440.0)
    midi = math.floor(exact + 0.5)
    return f"{TONICS[midi % 12]}{midi // 12 - 1}", midi, 100.0 * (exact - midi)


# -- listening


@lru_cache(maxsize=16)
def _window(length: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What a sound is looked at through, and how much that is like itself."""
    window = np.hanning(length + 2)[1:-1].astype(np.float32)
    return window, own_periodicity(window, n_fft=N_FFT, n_lags=_N_LAGS)


def listen(mono: Mono, most: int = _WINDOWS) -> Heard:
    """Look at a sound through up to `most` windows, over where it is loud."""
    starts, length = place_windows(mono.y, _LENGTHS, most, step=_STEP, quiet=_QUIET)
    window, own = _window(length)
    seen = windowed_periodicity(mono.y, starts, window, n_fft=N_FFT, n_lags=_N_LAGS, own=own)
    return Heard(hear(seen, SR, n_fft=N_FFT, first=_SHORTEST_LAG), seen.periodicity, mono.duration_s)


# -- weighing


def candidates(heard: Heard) -> Doubles:
    """Fundamentals worth a closer look, in Hz: the strongest partials as harmonics 1 to 6, and the periods."""
    return find_fundamentals(heard.windows.partials, heard.windows.periods, low=LOWEST, high=HIGHEST, apart=_APART)


def describe(heard: Heard, f0: Doubles) -> Doubles:
    """Each candidate, and in the last row that there is none: (len(f0) + 1, len(INPUTS))."""
    return describe_candidates(heard.windows, heard.periodicity, f0, SR, heard.duration_s)


def refine(heard: Heard, f0: float) -> float:
    """The fundamental that the first eight harmonics of `f0` agree on, in Hz."""
    return agreed_fundamental(heard.windows.partials, heard.windows.weight, f0)


@lru_cache(maxsize=1)
def _model() -> Doubles:
    """What `find_note` weighs candidates by."""
    model = load("pitch")
    rest = np.zeros(len(INPUTS))
    rest[:2] = model.bias, model.temperature
    return np.stack([model.mean, model.spread, model.weights, rest])


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
    found = find_note(
        heard.windows,
        heard.periodicity,
        SR,
        mono.duration_s,
        model=_model(),
        written=_NOTHING_WRITTEN if hints is None else _written(hints),
        gains=_GAINS,
        bounds=_BOUNDS,
        first=4 * _SHORTEST_LAG,
    )
    if not _worth(found.likely, found.none, 1.0 if rhythmic else _WORTH_SAYING):
        return unknown(_why_none(found), 1 - found.none)
    if rhythmic and found.agreement < _SAME_THROUGHOUT:
        return unknown("not a single pitched sound")
    note, number, cents = note_of(found.hz)
    return Pitch(note, number, round(found.hz, 2), round(cents, 1), round(found.likely, 3), None)


def _worth(likely: float, none: float, worth_saying: float) -> bool:
    """Whether a note is said that is so likely, where none is so likely."""
    return likely > 0 and likely >= worth_saying * none


def choose(probability: Doubles, f0: Doubles, *, worth_saying: float = _WORTH_SAYING) -> tuple[int | None, float]:
    """The likeliest candidate of the likeliest note and that note's probability; ``None`` where none is much likelier.

    `probability` is of each fundamental of `f0`, in Hz, and last of there being no note.
    """
    none = float(probability[-1])
    if not len(f0):
        return None, none
    best, likely = choose_note(probability[:-1], f0, near=_SAME_NOTE)
    return (best, likely) if _worth(likely, none, worth_saying) else (None, none)


def _written(hints: Hints) -> Doubles:
    """The notes that the name and the chunks say; chunks often hold middle C as a default."""
    if hints.name_midi is hints.smpl_root_midi is hints.acid_root_midi is None:
        return _NOTHING_WRITTEN
    roots = {hints.smpl_root_midi, hints.acid_root_midi} - {None, 60}
    found = [math.nan if note is None else float(note) for note in (hints.name_midi, *roots)]
    return np.array(found)


def _why_none(found: Note) -> str:
    if found.repeats < 0.6:
        return "no steady pitch: noise or drums"
    if found.moves > 0.05:
        return "no one note stays: it glides, falls as a drum does, or there are several"
    return "no one note stands out: a chord, a drum or an effect"
