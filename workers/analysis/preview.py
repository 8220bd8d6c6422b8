"""Small pictures of a sound: its waveform and its mel spectrogram."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workers.analysis.mono import Mono
from workers.model import MEL_COLUMNS, MEL_ROWS, PEAKS, Preview


def draw(mono: Mono, mel_db: NDArray[np.float32]) -> Preview:
    """The pictures of a signal whose mel spectrogram (MEL_ROWS, n_frames) is in dB below its loudest cell."""
    return Preview(_peaks(mono.y), _mel(mel_db))


def _spans(n: int, parts: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each of `parts` slices of `n` begins and ends; each has at least one element."""
    edges = np.linspace(0, n, parts + 1)
    low = np.minimum(np.floor(edges[:-1]).astype(np.int64), n - 1)
    return low, np.maximum(np.floor(edges[1:]).astype(np.int64), low + 1)


def _peaks(y: NDArray[np.float32]) -> bytes:
    if not len(y):
        return bytes(2 * PEAKS)
    low, _ = _spans(len(y), PEAKS)
    if len(y) >= PEAKS:
        least, most = np.minimum.reduceat(y, low), np.maximum.reduceat(y, low)
    else:
        least = most = y[low]
    pairs = np.stack([least, most], axis=1)
    return np.clip(np.round(pairs * 127), -127, 127).astype(np.int8).tobytes()


def _mel(mel_db: NDArray[np.float32]) -> bytes:
    low, high = _spans(mel_db.shape[1], MEL_COLUMNS)
    columns = np.stack([mel_db[:, a:b].max(axis=1) for a, b in zip(low, high, strict=True)], axis=1)
    assert columns.shape == (MEL_ROWS, MEL_COLUMNS)
    return np.clip(np.round((columns + 80.0) * (255 / 80.0)), 0, 255).astype(np.uint8).tobytes()
