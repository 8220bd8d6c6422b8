"""Where the beats are, once the tempo is known: beats, bars and swing, as far as they can be heard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workers.analysis.onsets import RATE, Onsets
from workers.analysis.periodicity import Periodicity
from workers.kernels.metre import track_beats
from workers.model import Descriptors, Tempo

if TYPE_CHECKING:
    from workers.analysis.overview import Overview

Doubles = NDArray[np.float64]

_TIGHTNESS = 100.0
_LATE_S = 0.012
"""Onset envelopes compare two frames and are smoothed: they peak that long after a sound begins."""

_BARS = {3: (3, 9), 4: (4, 8)}
"""Lengths of bars, in beats, and after how many beats music in such bars is like itself and other music is not."""
_LEAST_BARS = 2
_ENERGY = 4
"""Row of the periodicity in which a loud beat counts more than a soft one."""
_CLEARLY_THREE, _CLEARLY_FOUR = 0.08, 0.04
"""How much better bars of one length must repeat than of the other, to be named: most music has four beats."""
_CHANGE = 1.0
"""Weight of a change of harmony against the bass."""
_ACCENT = 0.15
"""How far the accent of a downbeat must stand out of a bar, in spreads of all beats, to be named."""

_BETWEEN = (0.4, 0.78)
"""Where in a beat its second note may lie: straight at a half, swung up to three quarters."""
_LEAST_SWUNG = 4
_ON_THE_BEAT = 0.15
"""Nearer to a beat, as a part of it, a note is meant to be on it."""


@dataclass(frozen=True, slots=True)
class Beats:
    """What was found."""

    times: Doubles
    """Seconds of each beat."""
    per_bar: int | None = None
    downbeat: int | None = None
    """Which beat begins the first whole bar."""
    swing: float | None = None
    """Length of the first half of a beat against the second: 1 straight, 2 triplets."""

    @property
    def described(self) -> Descriptors:
        """As the analysis says it."""
        return {
            "first_beat_s": round(float(self.times[0]), 3),
            "beats_per_bar": self.per_bar,
            "first_downbeat_s": None if self.downbeat is None else round(float(self.times[self.downbeat]), 3),
            "swing_ratio": self.swing,
        }


NONE: Descriptors = {"first_beat_s": None, "beats_per_bar": None, "first_downbeat_s": None, "swing_ratio": None}
"""What is said where there is no tempo."""


def find_beats(seen: Overview, tempo: Tempo, duration_s: float) -> Beats | None:
    """Beats at about a tempo, the bars they form and how they swing; ``None`` without a tempo.

    A loop that is a musical number of beats long begins on its downbeat and has them at equal distances: that is what
    it was cut for. Elsewhere they are tracked.
    """
    if tempo.bpm is None:
        return None
    onsets, period = seen.onsets, 60 * RATE / tempo.bpm
    if tempo.beats is not None:
        times = np.arange(tempo.beats) * duration_s / tempo.beats
        per_bar = _bar(seen.periodicity, period, tempo.beats)
        return Beats(times, per_bar, 0, _swing(onsets, times + _LATE_S))
    spread = float(onsets.full.std())
    frames = track_beats(onsets.full / max(spread, 1e-9), period, tightness=_TIGHTNESS)
    times = np.maximum(0.0, frames / RATE - _LATE_S)
    per_bar = _bar(seen.periodicity, period, len(frames))
    downbeat = None if per_bar is None else _downbeat(seen, frames, per_bar, duration_s)
    return Beats(times, per_bar, downbeat, _swing(onsets, frames / RATE))


def _bar(p: Periodicity, period: float, n_beats: int) -> int | None:
    """Three or four beats: after which the music is more like itself."""
    r = 0.5 * (p.mix + p.by_envelope[_ENERGY])
    like = {}
    for beats, after in _BARS.items():
        if n_beats < _LEAST_BARS * beats:
            return None
        lags = np.array(after) * period
        known = lags < min(len(r) - 1, 0.8 * p.n_frames)
        if not known.any():
            return None
        like[beats] = float(np.interp(lags[known], np.arange(len(r)), r).mean())
    if like[3] - like[4] >= _CLEARLY_THREE:
        return 3
    return 4 if like[4] - like[3] >= _CLEARLY_FOUR else None


def _downbeat(seen: Overview, frames: NDArray[np.int64], per_bar: int, duration_s: float) -> int | None:
    """The beat of the bar with the heaviest bass and on which the harmony changes, if one stands out."""
    changes = _harmony_changes(seen.chroma.frames, frames / RATE, duration_s)
    accents = _near(seen.onsets.low, frames) + _CHANGE * changes / max(float(changes.std()), 1e-9)
    spread = float(accents.std())
    if spread <= 0:
        return None
    means = np.array([accents[k::per_bar].mean() for k in range(per_bar)]) / spread
    best = int(means.argmax())
    others = np.delete(means, best)
    return best if means[best] - others.max() >= _ACCENT else None


def _harmony_changes(chroma: NDArray[np.float32], beats: Doubles, duration_s: float) -> Doubles:
    """How unlike the harmonies of the beats before and after each are, 0 to 1."""
    n = chroma.shape[1]
    edges = np.concatenate([beats, [duration_s]]) * ((n - 1) / duration_s)
    at = np.clip(np.round(edges).astype(np.int64), 0, n)
    sums = np.concatenate([np.zeros((12, 1)), np.cumsum(chroma, axis=1, dtype=np.float64)], axis=1)
    inside = sums[:, np.maximum(at[1:], np.minimum(at[:-1] + 1, n))] - sums[:, at[:-1]]
    inside /= np.maximum(np.sqrt((inside**2).sum(axis=0)), 1e-9)
    alike = (inside[:, 1:] * inside[:, :-1]).sum(axis=0)
    return np.concatenate([[0.0], 1 - alike])


def _near(e: Doubles, frames: NDArray[np.int64]) -> Doubles:
    """The highest of an envelope within two frames of each beat."""
    around = np.clip(frames[:, None] + np.arange(-2, 3), 0, len(e) - 1)
    return np.asarray(e[around].max(axis=1) / max(float(e.std()), 1e-9))


def _swing(onsets: Onsets, beats: Doubles) -> float | None:
    """Where the notes between two beats lie, if there are enough and they agree."""
    if len(beats) < 3:
        return None
    index = np.searchsorted(beats, onsets.times, side="right") - 1
    inside = (index >= 0) & (index < len(beats) - 1)
    index, times = index[inside], onsets.times[inside]
    place = (times - beats[index]) / (beats[index + 1] - beats[index])
    # onsets peak a little after a sound begins, and loops are cut a little off: what is on the beat says by how much
    on_it = np.where(place > 0.5, place - 1, place)
    on_it = on_it[np.abs(on_it) < _ON_THE_BEAT]
    place = place - (float(np.median(on_it)) if len(on_it) else 0.0)
    between = place[(place > _BETWEEN[0]) & (place < _BETWEEN[1])]
    if len(between) < max(_LEAST_SWUNG, len(beats) // 4) or float(between.std()) > 0.07:
        return None
    middle = float(np.median(between))
    return round(middle / (1 - middle), 2)
