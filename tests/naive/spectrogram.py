"""Spectrograms by their definitions: one sum at a time, in Python's own floats."""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence

Matrix = list[list[float]]


def stft_power(y: Sequence[float], n_fft: int, hop_length: int, center: bool) -> Matrix:
    """Rows are bins. A discrete Fourier transform by its sum."""
    pad = n_fft // 2 if center else 0
    padded = [0.0] * pad + [float(value) for value in y] + [0.0] * pad
    frames = []
    start = 0
    while start + n_fft <= len(padded):
        frames.append([hann(k, n_fft) * padded[start + k] for k in range(n_fft)])
        start += hop_length
    return [[abs(fourier(frame, f)) ** 2 for frame in frames] for f in range(n_fft // 2 + 1)]


def hann(k: int, n: int) -> float:
    return math.sin(math.pi * k / n) ** 2


def fourier(frame: Sequence[float], f: int) -> complex:
    n = len(frame)
    return sum((value * cmath.exp(-2j * math.pi * f * k / n) for k, value in enumerate(frame)), 0j)


def hz_to_mel(hz: float) -> float:
    """Slaney: 15 mels to 1 kHz, and then 27 for each factor of 6.4."""
    return hz / 1000 * 15 if hz < 1000 else 15 + 27 * math.log(hz / 1000, 6.4)


def mel_to_hz(mel: float) -> float:
    return mel / 15 * 1000 if mel < 15 else 1000 * 6.4 ** ((mel - 15) / 27)


def mel_filterbank(sr: float, n_fft: int, n_mels: int, fmin: float, fmax: float) -> Matrix:
    low, high = hz_to_mel(fmin), hz_to_mel(fmax)
    corners = [mel_to_hz(low + (high - low) * m / (n_mels + 1)) for m in range(n_mels + 2)]
    bins = [f * sr / n_fft for f in range(n_fft // 2 + 1)]
    return [[triangle(hz, *corners[m : m + 3]) for hz in bins] for m in range(n_mels)]


def triangle(hz: float, a: float, b: float, c: float) -> float:
    """Height at `hz` of a triangle over a-b-c whose area is one."""
    if not a < hz < c:
        return 0.0
    height = 2 / (c - a)
    return height * (hz - a) / (b - a) if hz <= b else height * (c - hz) / (c - b)


def mel_spectrogram(S: Matrix, filterbank: Matrix) -> Matrix:
    n_frames = len(S[0])
    return [
        [sum(weight * S[f][t] for f, weight in enumerate(filter_)) for t in range(n_frames)] for filter_ in filterbank
    ]


def power_to_db(S: Matrix, ref: float, amin: float, top_db: float | None) -> Matrix:
    db = [[10 * math.log10(max(amin, value)) - 10 * math.log10(max(amin, ref)) for value in row] for row in S]
    floor = -math.inf if top_db is None else max(map(max, db)) - top_db
    return [[max(floor, value) for value in row] for row in db]


def mfcc(mel_db: Matrix, n_mfcc: int) -> Matrix:
    n = len(mel_db)
    return [
        [
            math.sqrt((1 if c == 0 else 2) / n)
            * sum(mel_db[m][t] * math.cos(math.pi * c * (2 * m + 1) / (2 * n)) for m in range(n))
            for t in range(len(mel_db[0]))
        ]
        for c in range(n_mfcc)
    ]
