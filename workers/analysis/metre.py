"""What speaks for and against a tempo: how a piece is built around each candidate's beat.

The pulse is easily found; which of its multiples people tap is the hard part. What tells them apart is the metre: what
repeats after 1, 2, 3, 4 beats and what a half or a third of a beat later, whether kick and snare alternate, how long
notes, bass notes and chords last in beats, and where the tempo lies among the tempi of music.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workers.analysis.onsets import RATE, Onsets
from workers.analysis.periodicity import Periodicity, at
from workers.kernels.metre import fold_envelopes

if TYPE_CHECKING:
    from workers.analysis.key import Chroma

Doubles = NDArray[np.float64]

_ENVELOPES = ("full", "low", "mid", "high", "energy")
_MULTIPLES = np.array([1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 1, 4 / 3, 3 / 2, 2, 3, 4, 6, 8])
_CENTRES = np.array([45, 60, 80, 100, 120, 140, 170, 205, 240])
_GROUPS = {"power": (4, 8, 16, 32, 64), "few": (1, 2), "triple": (3, 6, 12, 24, 48)}
_LENGTH_WIDTH = 0.01

_BEATS, _STEPS = 12, 12
_RATES = {
    "1/4": 3,
    "1/3": 4,
    "1/2": 6,
    "2/3": 8,
    "3/4": 9,
    "1": 12,
    "4/3": 16,
    "3/2": 18,
    "2": 24,
    "3": 36,
    "4": 48,
    "6": 72,
}
"""Times a beat, and where that lies in the transform of twelve beats."""

_AGAINST = (3, 6, 12, 24)
_DOUBLINGS = ((6, 12), (12, 24), (24, 48))
_TRIPLINGS = ((12, 36), (4, 12))

_LENGTHS = np.array([1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 1, 4 / 3, 3 / 2, 2, 3, 4])
"""Of notes, in beats."""
_HARMONY = np.array([1 / 2, 1, 3 / 2, 2, 3, 4, 6, 8, 12, 16])
_GRID = np.arange(-6.0, 5.0, 0.02)
"""Octaves of a second."""
_BLUR = np.exp(-0.5 * (np.arange(-20, 21) * 0.02 / 0.1) ** 2)

INPUTS = (
    *(f"{envelope} repeats after {multiple:.2f}" for envelope in _ENVELOPES for multiple in _MULTIPLES),
    "strength",
    *(f"near {bpm}" for bpm in _CENTRES),
    "octaves from 120",
    "octaves squared",
    *(f"{group} {size}" for group in _GROUPS for size in ("short", "long")),
    "whole short",
    *(f"{what}{form}" for what in ("onsets a beat", "bass onsets a beat") for form in ("", " squared")),
    *(f"{envelope} at rate {rate}" for envelope in _ENVELOPES for rate in _RATES),
    *(f"low with {other} at {k}/12" for k in _AGAINST for other in ("mid", "high")),
    *(f"{e} {a} and {b} in phase" for e in _ENVELOPES[:4] for a, b in (*_DOUBLINGS, *_TRIPLINGS)),
    *(f"{notes} of {length:.2f}" for notes in ("notes", "strong notes", "bass notes") for length in _LENGTHS),
    *(f"harmony after {beats:g}" for beats in _HARMONY),
    "duration",
    "onset rate",
    "tonalness",
    "short",
)
"""Names of what describes a candidate, in order."""

LENGTH_INPUTS = [i for i, name in enumerate(INPUTS) if name.split()[0] in (*_GROUPS, "whole")]
"""Which of them speak of the length of the file."""


def describe(p: Periodicity, onsets: Onsets, chroma: Chroma, bpm: Doubles, duration_s: float) -> Doubles:
    """What speaks for and against each candidate, (len(bpm), len(INPUTS))."""
    beat_s = 60 / bpm
    octaves = np.log2(bpm / 120)
    strength = p.strength(bpm)
    density = _densities(onsets, duration_s)
    columns = [
        _repeats(p, beat_s),
        strength[:, None] / max(float(strength.max()), 1e-6),
        np.exp(-0.5 * ((octaves[:, None] - np.log2(_CENTRES / 120)) / 0.18) ** 2),
        np.stack([octaves, octaves**2, *_length_columns(duration_s / beat_s, duration_s)], axis=1),
        *(np.stack([x, x**2], axis=1) for x in (np.log2(rate * beat_s + 0.1) for rate in density)),
        *_rates(onsets, beat_s),
        *(_note_lengths(times, beat_s) for times in _notes(onsets)),
        _harmony(chroma, beat_s, duration_s),
        np.tile(
            [np.log2(max(duration_s, 0.1)), np.log2(0.1 + density[0]), chroma.tonalness, duration_s < 40], (len(bpm), 1)
        ),
    ]
    return np.concatenate(columns, axis=1)


def _repeats(p: Periodicity, beat_s: Doubles) -> Doubles:
    """Autocorrelation of each envelope at multiples of the beat; 0 where too little of the file is left."""
    lag = RATE * beat_s[:, None] * _MULTIPLES
    known = lag < 0.8 * p.n_frames
    return np.concatenate([np.where(known, at(r, lag), 0.0) for r in p.by_envelope], axis=1)


def _length_columns(beats: Doubles, duration_s: float) -> list[Doubles]:
    """Whether the file is a musical number of beats long: telling for short ones, a coincidence for long ones."""
    short = float(1 / (1 + np.exp((duration_s - 11) / 1.5)))
    columns = []
    for group in _GROUPS.values():
        off = np.min([np.abs(beats / number - 1) for number in group], axis=0)
        fit = np.exp(-((off / _LENGTH_WIDTH) ** 2))
        columns += [fit * short, fit * (1 - short)]
    whole = np.maximum(1, np.round(beats))
    columns.append(np.exp(-(((beats - whole) / whole / _LENGTH_WIDTH) ** 2)) * (beats < 20) * short)
    return columns


def _densities(onsets: Onsets, duration_s: float) -> list[float]:
    """Onsets a second, of all and of the bass."""
    return [len(_peaks(e, share)) / duration_s for e, share in ((onsets.full, 0.15), (onsets.low, 0.2))]


def _peaks(e: Doubles, share: float) -> NDArray[np.int64]:
    """Peaks of an envelope above a share of its highest."""
    inner = e[1:-1]
    return np.flatnonzero((inner > e[:-2]) & (inner >= e[2:]) & (inner > share * float(e.max()))) + 1


def _rates(onsets: Onsets, beat_s: Doubles) -> list[Doubles]:
    """How much of each envelope comes at each multiple of the beat's rate, and how these and the bands are in phase."""
    envelopes = onsets.envelopes.astype(np.float32)
    folded = fold_envelopes(envelopes, RATE * beat_s, beats=_BEATS, steps=_STEPS)
    F = np.fft.rfft(folded, axis=-1) / np.maximum(envelopes.sum(axis=1), 1e-9)[:, None]
    low, mid, high = F[:, 1], F[:, 2], F[:, 3]
    against = [_in_phase(low[:, k], other[:, k]) for k in _AGAINST for other in (mid, high)]
    phases = []
    for e in range(4):
        phases += [_locked(F[:, e, a], F[:, e, b], 2) for a, b in _DOUBLINGS]
        phases += [_locked(F[:, e, a], F[:, e, b], 3) for a, b in _TRIPLINGS]
    sizes = np.abs(F[:, :, list(_RATES.values())])
    return [sizes.reshape(len(beat_s), -1), np.stack(against + phases, axis=1)]


def _in_phase(a: NDArray[np.complex128], b: NDArray[np.complex128]) -> Doubles:
    """Geometric mean of the sizes by the cosine between the phases."""
    return np.asarray((a * b.conj()).real / np.sqrt(np.abs(a) * np.abs(b) + 1e-9))


def _locked(slow: NDArray[np.complex128], fast: NDArray[np.complex128], times: int) -> Doubles:
    """Size of the fast rate by the cosine between its phase and that of the slow one, counted so many times."""
    return np.asarray((slow**times * fast.conj()).real / (np.abs(slow) ** times + 1e-6))


def _notes(onsets: Onsets) -> tuple[Doubles, Doubles, Doubles]:
    """Seconds of all onsets, of the stronger half, of those in the bass."""
    times, strengths = onsets.times, onsets.strengths
    strong = times[strengths > np.median(strengths)] if len(times) > 3 else times
    return times, strong, _peaks(onsets.low, 0.25) / RATE


def _note_lengths(times: Doubles, beat_s: Doubles) -> Doubles:
    """Share of the notes that last so many beats until the next."""
    apart = np.diff(times)
    apart = apart[apart > 0.03]
    if not len(apart):
        return np.zeros((len(beat_s), len(_LENGTHS)))
    counts = np.bincount(
        np.clip((np.log2(apart) - _GRID[0]) / 0.02 + 0.5, 0, len(_GRID) - 1).astype(np.int64), minlength=len(_GRID)
    )
    shares = np.convolve(counts, _BLUR, mode="same") / len(apart)
    return np.asarray(np.interp(np.log2(beat_s[:, None] * _LENGTHS), _GRID, shares))


def _harmony(chroma: Chroma, beat_s: Doubles, duration_s: float) -> Doubles:
    """How alike the harmony is so many beats later, by how tonal the sound is."""
    c = chroma.frames.astype(np.float64)
    c /= np.maximum(np.sqrt((c**2).sum(axis=0)), 1e-9)
    c -= c.mean(axis=1, keepdims=True)
    n = c.shape[1]
    power = (np.abs(np.fft.rfft(c, 1 << (2 * n).bit_length())) ** 2).sum(axis=0)
    r = np.fft.irfft(power)[:n] / (n - np.arange(n))
    frame = beat_s[:, None] * _HARMONY * (n - 1) / duration_s
    alike = np.where(frame < 0.8 * n, at(r, frame), 0.0)
    return np.asarray(alike / max(float(r[0]), 1e-9) * chroma.tonalness)
