"""Which periods an onset envelope repeats at, and which tempi are worth a closer look."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.analysis.onsets import RATE, Onsets
from workers.kernels.repeats import autocorrelation, comb_strength

SLOWEST, FASTEST = 36.0, 260.0
LOOP_BEATS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
"""Numbers of beats that loops are cut to."""

LONGEST_LOOP_S = 40.0
_LONGEST_LAG = int(RATE * 16)
_STEPS = np.exp(np.arange(np.log(SLOWEST), np.log(FASTEST), 0.005))
_OVERLAPS = 0.8
"""Longer lags, as a part of the file, leave so little in common that chance decides."""

_MOST_PEAKS = 12
COMB = np.array([1.0, 2.0, 4.0]), np.array([1.0, 0.5, 0.25])
"""Beats, and what each counts."""

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Periodicity:
    """Autocorrelation of each envelope, 1 at lag 0, at lags of onset frames."""

    by_envelope: Doubles
    """(5, n_lags), in the order of `Onsets.envelopes`."""
    mix: Doubles
    """Mean of the four flux envelopes', (n_lags,)."""
    n_frames: int

    def strength(self, bpm: Doubles) -> Doubles:
        """How well one, two and four beats of each tempo repeat."""
        return comb_strength(self.mix, 60 * RATE / bpm, *COMB)


def at(r: Doubles, lag: Doubles) -> Doubles:
    """`r` between its lags, linearly; the last value beyond the end."""
    return np.asarray(np.interp(lag, np.arange(len(r)), r))


def measure_periodicity(onsets: Onsets) -> Periodicity:
    """Autocorrelation without the mean, each lag divided by its overlap."""
    by_envelope = autocorrelation(onsets.envelopes, _LONGEST_LAG + 1, overlap=1 - _OVERLAPS)
    return Periodicity(by_envelope, by_envelope[:4].mean(axis=0), onsets.envelopes.shape[1])


def candidates(p: Periodicity, duration_s: float, hinted: tuple[float, ...]) -> Doubles:
    """Tempi worth a closer look: peaks of the comb, exact lengths, and what was hinted; no two within 0.6 %."""
    strength = p.strength(_STEPS)
    inner = strength[1:-1]
    peaks = np.flatnonzero((inner >= strength[:-2]) & (inner > strength[2:])) + 1
    peaks = peaks[np.argsort(-strength[peaks], kind="stable")][:_MOST_PEAKS]
    found = [refine(p, float(bpm)) for bpm in _STEPS[peaks]]
    if duration_s < LONGEST_LOOP_S:
        exact = [60 * beats / duration_s for beats in LOOP_BEATS]
        tolerance = snap_tolerance(p)
        found = [_snapped(bpm, exact, tolerance) for bpm in found]
        found.extend(bpm for bpm in exact if 40 <= bpm <= 240)
    found.extend(hinted)
    kept: list[float] = []
    for bpm in found:
        if SLOWEST <= bpm <= FASTEST and all(abs(bpm / other - 1) >= 0.006 for other in kept):
            kept.append(bpm)
    return np.array(kept)


def snap_tolerance(p: Periodicity) -> float:
    """How far an exact length may be from the measured tempo: one frame over the longest lag that was measured."""
    return float(min(0.012, max(0.0008, 1.0 / max(1.0, min(0.7 * p.n_frames, _LONGEST_LAG)))))


def _snapped(bpm: float, exact: list[float], tolerance: float) -> float:
    nearest = min(exact, key=lambda other: abs(other / bpm - 1))
    return nearest if abs(nearest / bpm - 1) <= tolerance else bpm


def refine(p: Periodicity, bpm: float) -> float:
    """Follow a period to the longest lag at which it still repeats: the longer, the finer.

    From 1 to 2, 4, 8, 16 beats the highest point near the expected lag is looked for; where it lies on the border of
    the search, the chain ends.
    """
    lag = 60 * RATE / bpm
    end = min(len(p.mix) - 3, int(p.n_frames * 0.7))
    for beats in (1, 2, 4, 8, 16, 32):
        centre = round(lag * beats)
        if centre + 4 > end:
            break
        window = p.mix[centre - 3 : centre + 4]
        top = int(window.argmax())
        if top in (0, 6):
            if beats == 1:
                continue
            break
        a, b, c = window[top - 1 : top + 2]
        bend = a - 2 * b + c
        shift = 0.5 * (a - c) / bend if bend < 0 else 0.0
        lag = (centre - 3 + top + shift) / beats
    return float(60 * RATE / lag)
