"""Key: tuning, a chroma of what stands out, and 24 keys weighed by profiles learned from labelled music."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.analysis.learned import load, softmax
from workers.analysis.mono import SR, Mono
from workers.kernels.chroma import fold_peaks
from workers.kernels.decimate import halve
from workers.kernels.keys import score_keys
from workers.kernels.tonal import TonalPeaks, find_tonal_peaks
from workers.model import TONICS, Key, Mode, camelot

_SR = SR / 4
N_FFT = 4096
HOP = 1024
_TUNED_FROM_HZ = 100.0
_BASS_BELOW = 69 + 12 * np.log2(220 / 440)
_START = 0.15
"""Part of the file that counts as its start: music most often opens on its tonic."""

# Albrecht and Shanahan, "The use of large corpora to train a new type of key-finding algorithm", 2013.
MAJOR = np.array([0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081])
MINOR = np.array([0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052])

PARTS = ("whole", "bass", "start")

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Chroma:
    """Energy by pitch class, C first, and how far the tuning is from A4 = 440 Hz."""

    whole: Doubles
    """(12,), largest 1; the others likewise; all 0 where nothing has a pitch."""
    bass: Doubles
    start: Doubles
    tuning_cents: float | None
    tonalness: float
    """Share of the magnitude that lies in peaks that stand out, 0 to 1."""
    register: Doubles
    """Weight of the peaks by height: 12 bands of 8 semitones from A0 up, sum 1."""
    frames: NDArray[np.float32]
    """(12, n_frames)."""

    @property
    def empty(self) -> bool:
        return float(self.whole.max()) <= 0


_NOTHING = Chroma(np.zeros(12), np.zeros(12), np.zeros(12), None, 0.0, np.zeros(12), np.zeros((12, 1), np.float32))


def measure_chroma(mono: Mono) -> Chroma:
    """Chroma of spectral peaks, from the signal decimated to 5.5 kHz so that low notes are told apart."""
    if mono.silent or len(mono.y) < 64:
        return _NOTHING
    # twice to half the rate: what lies above 2.4 kHz is not looked at, so the first filter may be short
    y = halve(halve(mono.y, width=0.1).y, width=0.04).y
    peaks = find_tonal_peaks(y, _SR, n_fft=N_FFT)
    if not len(peaks.pitch):
        return _NOTHING
    tuning, sure = _tuning(peaks)
    n_frames = len(peaks.level)
    frames = fold_peaks(peaks.pitch, peaks.weight, peaks.frame, n_frames, tuning=tuning)
    low = peaks.pitch < _BASS_BELOW
    bass = fold_peaks(peaks.pitch[low], peaks.weight[low], peaks.frame[low], n_frames, tuning=tuning, decay=0.0)
    return Chroma(
        whole=_sum(frames),
        bass=_sum(bass),
        start=_sum(frames[:, : max(1, round(_START * n_frames))]),
        tuning_cents=round(100 * tuning, 1) if sure > 0.2 else None,
        tonalness=float(peaks.tonalness @ peaks.level / max(float(peaks.level.sum()), 1e-12)),
        register=_register(peaks),
        frames=frames,
    )


def _register(peaks: TonalPeaks) -> Doubles:
    counts, _ = np.histogram(peaks.pitch, bins=12, range=(21, 117), weights=peaks.weight.astype(np.float64))
    return np.asarray(counts / max(float(counts.sum()), 1e-12))


def _tuning(peaks: TonalPeaks) -> tuple[float, float]:
    """Semitones sharp of A4 = 440 Hz by circular mean, and how much the peaks agree (0 to 1)."""
    heard = peaks.pitch > 69 + 12 * np.log2(_TUNED_FROM_HZ / 440)
    weight = np.where(heard, peaks.weight, 0).astype(np.float64)
    total = float(weight.sum())
    if total <= 0:
        return 0.0, 0.0
    mean = np.sum(weight * np.exp(2j * np.pi * peaks.pitch.astype(np.float64))) / total
    return float(np.angle(mean)) / (2 * np.pi), float(np.abs(mean))


def _sum(frames: NDArray[np.float32]) -> Doubles:
    total = frames.sum(axis=1, dtype=np.float64)
    return np.asarray(total / max(float(total.max()), 1e-12))


def describe(chroma: Chroma) -> Doubles:
    """Each key's view of the chroma, tonic first: (24, 72), majors then minors, C first.

    The first 36 columns are for major keys, the last 36 for minor ones; a row of the other mode is 0 there. So one
    vector of weights holds both modes' profiles, and a transposed sound moves the tonic and nothing else.
    """
    views = [np.stack([np.roll(_standard(part), -k) for k in range(12)]) for part in _parts(chroma)]
    one = np.concatenate(views, axis=1) / 12
    none = np.zeros_like(one)
    return np.concatenate([np.concatenate([one, none], axis=1), np.concatenate([none, one], axis=1)])


def _parts(chroma: Chroma) -> tuple[Doubles, ...]:
    return chroma.whole, chroma.bass, chroma.start


def _standard(x: Doubles) -> Doubles:
    return np.asarray((x - x.mean()) / (x.std() + 1e-6))


def profile_fit(chroma: Chroma) -> float:
    """Correlation of the chroma with the best of 24 published profiles: high where there is a key at all."""
    return 0.0 if chroma.empty else float(score_keys(chroma.whole, MAJOR, MINOR).max())


def unknown(reason: str, tuning_cents: float | None = None) -> Key:
    """No key, and why."""
    return Key(None, None, None, None, 0.0, tuning_cents, reason)


def estimate_key(chroma: Chroma) -> Key:
    """The best of 24 keys."""
    model = load("key")
    probability = softmax(model.scores(describe(chroma)) / model.temperature)
    best = int(probability.argmax())
    tonic = TONICS[best % 12]
    mode: Mode = "major" if best < 12 else "minor"
    confidence = round(float(probability[best]), 3)
    return Key(tonic, mode, f"{tonic} {mode}", camelot(tonic, mode), confidence, chroma.tuning_cents, None)
