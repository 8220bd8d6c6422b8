"""Key: tuning, a chroma of spectral peaks, profiles of major and minor compared in all 24 keys."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

from workers.analysis.mono import SR, Mono
from workers.kernels.spectrogram import stft_power
from workers.model import TONICS, Key, camelot

_SR = SR / 4
_N_FFT = 4096
_HOP = 1024
_LOW_HZ, _HIGH_HZ = 55.0, 2000.0
_MAJOR = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
_MINOR = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])


@dataclass(frozen=True, slots=True)
class Chroma:
    """Energy by pitch class, C first, and how far the tuning is from A4 = 440 Hz."""

    mean: NDArray[np.float64]
    bass: NDArray[np.float64]
    tuning_cents: float | None
    tonalness: float


def measure_chroma(mono: Mono) -> Chroma:
    """Chroma of the spectral peaks of the signal, decimated to 5.5 kHz so that low notes are told apart."""
    if mono.silent or mono.duration_s < 0.1:
        return Chroma(np.zeros(12), np.zeros(12), None, 0.0)
    y = soxr.resample(mono.y, SR, _SR, quality="HQ")
    S = np.sqrt(stft_power(y, n_fft=_N_FFT, hop_length=_HOP))
    low, high = int(_LOW_HZ * _N_FFT / _SR), int(_HIGH_HZ * _N_FFT / _SR)
    M = S[low : high + 1]
    middle = M[1:-1]
    is_peak = (middle > M[:-2]) & (middle >= M[2:]) & (middle > 0.01 * M.max(axis=0))
    rows, cols = np.nonzero(is_peak)
    if len(rows) == 0:
        return Chroma(np.zeros(12), np.zeros(12), None, 0.0)
    a, b, c = M[rows, cols], M[rows + 1, cols], M[rows + 2, cols]
    bend = a - 2 * b + c
    shift = np.where(bend < 0, 0.5 * (a - c) / np.where(bend < 0, bend, -1), 0)
    hz = (rows + 1 + low + shift) * _SR / _N_FFT
    weight = np.sqrt(b)
    pitch = 69 + 12 * np.log2(hz / 440)
    angle = np.angle(np.sum(weight * np.exp(2j * np.pi * pitch))) / (2 * np.pi)
    tuned = pitch - angle
    nearest = np.round(tuned)
    closeness = np.cos(np.pi * (tuned - nearest)) ** 2
    classes = nearest.astype(int) % 12
    mean = np.bincount(classes, weight * closeness, 12)
    is_bass = hz < 200
    bass = np.bincount(classes[is_bass], (weight * closeness)[is_bass], 12)
    return Chroma(_unit(mean), _unit(bass), round(100 * float(angle), 1), float(b.sum() / max(M.sum(), 1e-9)))


def _unit(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(x / max(float(x.max()), 1e-12))


def unknown(reason: str, tuning_cents: float | None = None) -> Key:
    """No key, and why."""
    return Key(None, None, None, None, 0.0, tuning_cents, reason)


def estimate_key(chroma: Chroma) -> Key:
    """The best of 24 keys, or why there is none."""
    x = chroma.mean
    if float(x.max()) == 0:
        return unknown("nothing with a pitch in it")
    if float(x.std() / max(x.mean(), 1e-9)) < 0.15:
        return unknown("no tonality: noise or drums", chroma.tuning_cents)
    scores = np.array([[np.corrcoef(np.roll(p, k), x)[0, 1] for k in range(12)] for p in (_MAJOR, _MINOR)])
    mode_index, tonic_index = np.unravel_index(int(scores.argmax()), scores.shape)
    ranked = np.sort(scores.ravel())
    tonic = TONICS[int(tonic_index)]
    mode = "major" if mode_index == 0 else "minor"
    confidence = float(np.clip(ranked[-1] * (0.5 + 3 * (ranked[-1] - ranked[-2])), 0, 1))
    return Key(tonic, mode, f"{tonic} {mode}", camelot(tonic, mode), round(confidence, 3), chroma.tuning_cents, None)
