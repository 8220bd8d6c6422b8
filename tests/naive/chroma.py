"""Tonal peaks and their folding, as their docstrings say, one peak at a time."""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence

from tests.naive.spectrogram import Matrix


def tonal_peaks(S: Matrix, bin_hz: float, low: int, high: int) -> list[tuple[float, float, int]]:
    """(pitch, weight, frame) of each peak between bins `low` and `high` of ``S[f][t]``."""
    n_frames = len(S[0])
    frames = [[math.sqrt(S[f][t]) for f in range(low, high)] for t in range(n_frames)]
    tops = [max(frame[1:-1]) for frame in frames]
    highest = max(tops)
    found = []
    for t, m in enumerate(frames):
        if tops[t] <= 0:
            continue
        for f in range(1, len(m) - 1):
            if not (m[f] > m[f - 1] and m[f] >= m[f + 1] and m[f] > 0.003 * tops[t]):
                continue
            around = math.fsum(m[max(0, f - 20) : f + 21]) / 41
            out = min(1.0, max(0.0, (m[f] / around - 1) / 4))
            if out == 0:
                continue
            a, b, c = (math.log(x + 1e-12) for x in m[f - 1 : f + 2])
            bend = a - 2 * b + c
            shift = 0.0 if bend >= 0 else min(0.5, max(-0.5, 0.5 * (a - c) / bend))
            pitch = 69 + 12 * math.log2((low + f + shift) * bin_hz / 440)
            found.append((pitch, (m[f] / tops[t]) ** 0.75 * (tops[t] / highest) ** 0.25 * out, t))
    return found


def fold(peaks: Sequence[tuple[float, float, int]], n_frames: int, tuning: float, decay: float) -> Matrix:
    """Chroma ``C[c][t]``."""
    chroma = [[0.0] * n_frames for _ in range(12)]
    for pitch, weight, t in peaks:
        for h in range(1, 6):
            at = pitch - tuning - 12 * math.log2(h)
            nearest = math.floor(at + 0.5)
            chroma[nearest % 12][t] += weight * decay ** (h - 1) * math.cos(math.pi * (at - nearest)) ** 2
    return chroma


def tuning(peaks: Sequence[tuple[float, float]], above: float) -> tuple[float, float]:
    """Semitones sharp, and how much the (pitch, weight) higher than `above` agree."""
    heard = [(pitch, weight) for pitch, weight in peaks if pitch > above]
    total = math.fsum(weight for _, weight in heard)
    if total <= 0:
        return 0.0, 0.0
    mean = sum(weight * cmath.exp(2j * math.pi * pitch) for pitch, weight in heard) / total
    return cmath.phase(mean) / (2 * math.pi), abs(mean)


def register(peaks: Sequence[tuple[float, float]]) -> list[float]:
    """Share of the weight in each eight semitones from MIDI 21 up."""
    bands = [math.fsum(weight for pitch, weight in peaks if 21 + 8 * k <= pitch < 29 + 8 * k) for k in range(12)]
    return [band / max(math.fsum(bands), 1e-12) for band in bands]
