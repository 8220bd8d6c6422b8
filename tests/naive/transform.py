"""Fourier transforms and half-band filters by their sums."""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence

from tests.naive.spectrogram import Matrix


def power_frames(y: Sequence[float], n_fft: int) -> Matrix:
    """``S[f][t]`` of frames of `n_fft`, a quarter apart, centred, under a Hann window."""
    hop = n_fft // 4
    window = [0.5 - 0.5 * math.cos(2 * math.pi * k / n_fft) for k in range(n_fft)]
    powers = []
    for t in range(1 + len(y) // hop):
        at = t * hop - n_fft // 2
        frame = [window[k] * (y[at + k] if 0 <= at + k < len(y) else 0.0) for k in range(n_fft)]
        row = []
        for f in range(n_fft // 2 + 1):
            turn = -2j * math.pi * f / n_fft
            row.append(abs(sum(x * cmath.exp(turn * k) for k, x in enumerate(frame))) ** 2)
        powers.append(row)
    return [list(row) for row in zip(*powers, strict=True)]


def halve(y: Sequence[float], offset: float, side: Sequence[float]) -> list[float]:
    """Every second sample of a filtered signal; `side` are the filter's odd taps to one side."""

    def at(i: int) -> float:
        return y[i] - offset if 0 <= i < len(y) else 0.0

    return [
        0.5 * at(2 * t) + sum(h * (at(2 * t + 2 * j + 1) + at(2 * t - 2 * j - 1)) for j, h in enumerate(side))
        for t in range((len(y) + 1) // 2)
    ]
