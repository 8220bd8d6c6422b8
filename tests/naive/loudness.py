"""BS.1770-4 step by step: filter everything, then cut into blocks, then gate."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tests.naive.spectrogram import Matrix

SHELF_48K = ([1.53512485958697, -2.69169618940638, 1.19839281085285], [1.0, -1.69065929318241, 0.73248077421585])
HIGH_PASS_48K = ([1.0, -2.0, 1.0], [1.0, -1.99004745483398, 0.99007225036621])
"""The tables of the recommendation, for 48 kHz."""


def biquad(x: Sequence[float], b: Sequence[float], a: Sequence[float]) -> list[float]:
    y: list[float] = []
    for n in range(len(x)):
        value = sum(b[k] * x[n - k] for k in range(3) if n >= k)
        y.append(value - sum(a[k] * y[n - k] for k in (1, 2) if n >= k))
    return y


def k_weighted(x: Sequence[float]) -> list[float]:
    """At 48 kHz."""
    return biquad(biquad(x, *SHELF_48K), *HIGH_PASS_48K)


def lufs(power: float) -> float:
    return -0.691 + 10 * math.log10(power) if power > 0 else -math.inf


def integrated_loudness_48k(channels: Matrix, weights: Sequence[float]) -> float:
    filtered = [k_weighted(channel) for channel in channels]
    powers = []
    start = 0
    while start + 19_200 <= len(channels[0]):
        block = [channel[start : start + 19_200] for channel in filtered]
        powers.append(sum(g * sum(v * v for v in c) / 19_200 for g, c in zip(weights, block, strict=True)))
        start += 4_800
    passed = [power for power in powers if lufs(power) > -70]
    if not passed:
        return math.nan
    threshold = lufs(sum(passed) / len(passed)) - 10
    gated = [power for power in passed if lufs(power) > threshold]
    return lufs(sum(gated) / len(gated))


def true_peak(x: Sequence[float], phases: Matrix) -> float:
    """Zeros between the samples, then the interpolating filter; `phases` as the recommendation lists them."""
    n_taps = len(phases[0])
    highest = max(map(abs, x))
    for n in range(len(x) + n_taps - 1):
        for phase in phases:
            value = sum(phase[k] * x[n - k] for k in range(n_taps) if 0 <= n - k < len(x))
            highest = max(highest, abs(value))
    return highest
