"""Periods, partials and harmonics, one number at a time."""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence


def power_spectrum(y: Sequence[float], n_fft: int) -> list[float]:
    """``|X[f]|^2`` for f from 0 to n_fft / 2, of `y` with zeros behind it."""
    turns = [cmath.exp(-2j * math.pi * k / n_fft) for k in range(n_fft)]
    return [abs(sum(v * turns[f * k % n_fft] for k, v in enumerate(y))) ** 2 for f in range(n_fft // 2 + 1)]


def circular_autocorrelation(y: Sequence[float], n_fft: int, n_lags: int) -> list[float]:
    """Products of `y`, with zeros behind it, and itself turned by each lag."""
    padded = [*y, *[0.0] * (n_fft - len(y))]
    return [math.fsum(padded[k] * padded[(k + lag) % n_fft] for k in range(n_fft)) for lag in range(n_lags)]


def periodicity(y: Sequence[float], window: Sequence[float], n_fft: int, n_lags: int) -> list[float]:
    """How much `y` is like itself some samples later."""
    own = circular_autocorrelation(window, n_fft, n_lags)
    r = circular_autocorrelation([a * b for a, b in zip(y, window, strict=True)], n_fft, n_lags)
    return [r[k] / r[0] / max(own[k] / own[0], 0.05) if r[0] > 0 else 0.0 for k in range(n_lags)]


def partials(row: Sequence[float], bin_hz: float, most: int, fmin: float, fmax: float) -> list[tuple[float, float]]:
    """(Hz, level) of the strongest peaks, strongest first."""
    low, high = max(2, int(fmin / bin_hz)), min(len(row) - 2, int(fmax / bin_hz))
    top = max(row[low:high])
    if top <= 0:
        return []
    peaks = [
        f
        for f in range(low, high)
        if row[f] > 1e-6 * top and row[f] > max(row[f - 2], row[f - 1], row[f + 2]) and row[f] >= row[f + 1]
    ]
    peaks.sort(key=lambda f: (-row[f], f))
    found = []
    for f in peaks[:most]:
        a, b, c = (math.log(row[k] + 1e-30) for k in (f - 1, f, f + 1))
        bend = a - 2 * b + c
        shift = 0.0 if bend >= 0 else min(0.5, max(-0.5, 0.5 * (a - c) / bend))
        found.append(((f + shift) * bin_hz, (row[f] / top) ** 0.25))
    return found


def harmonic_levels(found: Sequence[tuple[float, float]], f0: float, tolerance: float) -> dict[int, float]:
    """Level of each harmonic of `f0` that is there."""
    levels: dict[int, float] = {}
    for hz, level in found:
        h = int(hz / f0 + 0.5)
        if not 1 <= h <= 60:
            continue
        off = abs(hz / (h * f0) - 1) / min(tolerance, 0.25 / h)
        if off < 2:
            levels[h] = max(levels.get(h, 0.0), level * min(1.0, 2 - off))
    return levels


def fundamentals(
    windows: Sequence[Sequence[tuple[float, float]]], periods: Sequence[float], low: float, high: float, apart: float
) -> list[float]:
    """Frequencies a fundamental may have, strongest first."""
    found: list[tuple[float, float]] = []
    for partials_of, hz in zip(windows, periods, strict=True):
        found += [(level / h, partial / h) for partial, level in partials_of[:6] for h in range(1, 7)]
        found += [(1.5, hz), (1.0, 2 * hz), (1.0, hz / 2)]
    kept: list[float] = []
    for _, hz in sorted(found, key=lambda pair: -pair[0]):
        if low <= hz <= high and all(abs(12 * math.log2(hz / other)) > apart for other in kept):
            kept.append(hz)
    return kept[:20]


def lowest_near(curve: Sequence[float], lag: float, off: float) -> float:
    """The least of `curve` near `lag`."""
    first, last = max(2, int(lag * (1 - off) - 0.5)), min(len(curve) - 1, int(lag * (1 + off) + 1.5))
    return min(1.5, *curve[first : last + 1]) if last > first else 1.0
