"""The numbers that the pictures show, one for each column of pixels: an hour is as fast as a second."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.analysis.beats import find_beats
from workers.analysis.mono import SR, to_mono
from workers.analysis.onsets import RATE
from workers.analysis.overview import measure
from workers.model import Tempo

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

LOWEST_HZ, HIGHEST_HZ = 40.0, SR / 2
SLOWEST, FASTEST = 40.0, 240.0
_ROWS = 160
_RANGE_DB = 70.0
_N_FFT, _CHROMA_FFT = 2048, 8192
_TEMPO_WINDOW_S = 8.0
_CLEAR = 0.6
"""Autocorrelation of a clear pulse."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is drawn. Pictures have low frequencies, C and slow tempi in row 0, and values from 0 to 1."""

    duration_s: float
    low: Floats
    """The lowest sample of each column, (columns,)."""
    high: Floats
    spectrogram: Doubles
    chroma: Doubles
    """(12, columns)."""
    tempogram: Doubles
    onsets: Doubles
    """Seconds."""
    beats: Doubles
    """Seconds; none where there is no tempo."""
    downbeats: Doubles
    """Those of the beats that begin a bar, where bars were found."""


def see(y: Floats, sr: int, tempo: Tempo, tuning_cents: float | None, columns: int) -> Seen:
    """Measure a decoded sound, (frames, channels), of which tempo and tuning are known, for pictures `columns` wide."""
    mono = to_mono(y, sr)
    duration_s = len(y) / sr
    overview = measure(mono, duration_s)
    onsets, beats = overview.onsets, find_beats(overview, tempo, duration_s)
    bars = beats is not None and beats.per_bar is not None and beats.downbeat is not None
    low, high = _outline(mono.y, columns)
    return Seen(
        duration_s=duration_s,
        low=low,
        high=high,
        spectrogram=_spectrogram(mono.y, columns),
        chroma=_chromagram(mono.y, columns, tuning_cents or 0.0),
        tempogram=_tempogram(onsets.full, columns),
        onsets=onsets.times,
        beats=np.zeros(0) if beats is None else beats.times,
        downbeats=beats.times[beats.downbeat :: beats.per_bar] if beats is not None and bars else np.zeros(0),
    )


def _outline(y: Floats, columns: int) -> tuple[Floats, Floats]:
    edges = np.minimum(np.linspace(0, len(y), columns + 1).astype(np.int64)[:-1], len(y) - 1)
    if len(y) < columns:
        return y[edges], y[edges]
    return np.minimum.reduceat(y, edges), np.maximum.reduceat(y, edges)


def _frames(y: Floats, n_fft: int, columns: int) -> Floats:
    """A window around the middle of each column, (columns, n_fft)."""
    padded = np.concatenate([np.zeros(n_fft // 2, np.float32), y, np.zeros(n_fft // 2, np.float32)])
    starts = ((np.arange(columns) + 0.5) * len(y) / columns).astype(np.int64)
    return np.asarray(padded[starts[:, None] + np.arange(n_fft)] * np.hanning(n_fft).astype(np.float32))


def _power(y: Floats, n_fft: int, columns: int) -> Doubles:
    """(bins, columns), in blocks: an hour needs no more memory than a second."""
    blocks = [
        np.abs(np.fft.rfft(block, axis=1)) ** 2
        for block in np.array_split(_frames(y, n_fft, columns), max(1, columns // 256))
    ]
    return np.asarray(np.concatenate(blocks).T)


def _spectrogram(y: Floats, columns: int) -> Doubles:
    """Decibels below the loudest, by octaves."""
    S = _power(y, _N_FFT, columns)
    hz = np.geomspace(LOWEST_HZ, HIGHEST_HZ, _ROWS + 1)
    bins = hz * _N_FFT / SR
    sums = np.concatenate([np.zeros((1, columns)), np.cumsum(S, axis=0)])
    whole = np.arange(len(sums))
    # the mean over each row's bins, between bins where a row is narrower than one
    mean = np.stack([np.interp(bins + 0.5, whole, sums[:, n]) for n in range(columns)], axis=1)
    power = np.diff(mean, axis=0) / np.diff(bins)[:, None]
    top = max(float(power.max()), 1e-12)
    return np.asarray(np.clip(1 + 10 * np.log10(np.maximum(power / top, 1e-12)) / _RANGE_DB, 0, 1))


def _chromagram(y: Floats, columns: int, tuning_cents: float) -> Doubles:
    """Magnitude by pitch class between 60 and 2,000 Hz, each column's largest 1, fainter where the sound is faint."""
    S = np.sqrt(_power(y, _CHROMA_FFT, columns))
    hz = np.fft.rfftfreq(_CHROMA_FFT, 1 / SR)
    heard = (hz > 60) & (hz < 2000)
    midi = 69 + 12 * np.log2(hz[heard] / 440) - tuning_cents / 100
    near = np.clip(1 - 2 * np.abs(midi - np.round(midi)), 0, 1)
    chroma = np.zeros((12, columns))
    np.add.at(chroma, np.round(midi).astype(int) % 12, S[heard] * near[:, None])
    chroma -= chroma.min(axis=0)
    level = chroma.max(axis=0)
    heard_at = np.minimum(1, level / max(0.05 * float(level.max()), 1e-9))
    return np.asarray(chroma / np.maximum(level, 1e-9) * heard_at)


def _tempogram(envelope: Doubles, columns: int) -> Doubles:
    """Autocorrelation of the onset envelope around each moment, by tempo."""
    width = min(int(_TEMPO_WINDOW_S * RATE), max(8, len(envelope)))
    steps = min(columns // 4, max(1, 16 * len(envelope) // width))
    padded = np.concatenate([np.zeros(width // 2), envelope, np.zeros(width)])
    lags = 60 * RATE / np.geomspace(SLOWEST, FASTEST, _ROWS)
    rows = np.zeros((_ROWS, steps))
    for n in range(steps):
        start = int((n + 0.5) * len(envelope) / steps)
        e = padded[start : start + width] * np.hanning(width)
        e = e - e.mean()
        r = np.fft.irfft(np.abs(np.fft.rfft(e, 2 * width)) ** 2)[:width]
        if r[0] > 0:
            rows[:, n] = np.interp(lags, np.arange(width), r / r[0], right=0.0)
    rows = np.maximum(rows, 0)
    spread = np.interp(np.linspace(0, steps - 1, columns), np.arange(steps), np.arange(steps))
    # where nothing repeats well, nothing is to look as if it did
    return rows[:, np.round(spread).astype(int)] / max(float(rows.max()), _CLEAR)
