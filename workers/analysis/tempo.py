"""Tempo: several onset envelopes, an autocorrelation tempogram, and what length, file name and chunks say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workers.analysis.onsets import RATE, Onsets
from workers.model import Evidence, Tempo

if TYPE_CHECKING:
    from workers.audio.hints import Hints

SLOWEST, FASTEST = 40.0, 240.0
_LOOP_BEATS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)


def unknown(reason: str) -> Tempo:
    """No tempo, and why."""
    return Tempo(None, 0.0, None, (), reason)


def autocorrelation(envelope: NDArray[np.float32], lags: int) -> NDArray[np.float64]:
    """Autocorrelation without the mean, each lag divided by its overlap, 1 at lag 0."""
    e = envelope.astype(np.float64) - envelope.mean()
    n_fft = 1 << int(np.ceil(np.log2(len(e) + lags + 1)))
    power = np.abs(np.fft.rfft(e, n_fft)) ** 2
    r = np.fft.irfft(power)[: lags + 1]
    r /= np.maximum(len(e) - np.arange(lags + 1), 1) / len(e)
    return np.asarray(r / max(float(r[0]), 1e-12))


def estimate_tempo(onsets: Onsets, duration_s: float, hints: Hints) -> Tempo:
    """Beats a minute, or why there are none."""
    if duration_s < 0.5 or len(onsets.times) < 3:
        return unknown("too few onsets for a pulse")
    lags = min(len(onsets.full) - 2, int(RATE * 8))
    if lags < 20:
        return unknown("too short for a tempo")
    r = sum(autocorrelation(e, lags) for e in (onsets.full, onsets.low, onsets.high)) / 3
    bpm = 60 * RATE / np.arange(1, lags + 1)
    inside = (bpm >= SLOWEST) & (bpm <= FASTEST)
    if not inside.any():
        return unknown("too short for a tempo")
    prior = np.exp(-0.5 * (np.log2(bpm / 120) / 0.9) ** 2)
    score = np.where(inside, np.maximum(r[1:], 0) * prior, 0)
    best = int(score.argmax()) + 1
    if r[best] < 0.1:
        return unknown("no steady pulse")
    shift = 0.0
    if best + 1 < len(r):
        a, b, c = r[best - 1 : best + 2]
        bend = a - 2 * b + c
        shift = float(np.clip(0.5 * (a - c) / bend, -0.5, 0.5)) if bend < 0 else 0.0
    found = 60 * RATE / (best + shift)
    evidence = [Evidence("pulse", round(found, 2), 0.5)]
    beats = None
    for n in _LOOP_BEATS:
        exact = 60 * n / duration_s
        if abs(exact / found - 1) < 0.02:
            evidence.append(Evidence("length", round(exact, 2), 0.5))
            found, beats = exact, n
            break
    return Tempo(round(found, 2), round(float(min(1, max(0, r[best]))), 3), beats, tuple(evidence), None)
