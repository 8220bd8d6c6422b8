"""Small pictures of a sound: its waveform and its mel spectrogram."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workers.analysis.mono import Mono
from workers.model import MEL_COLUMNS, MEL_ROWS, PEAKS, Preview


def draw(mono: Mono, mel_db: NDArray[np.float32]) -> Preview:
    """The pictures of a signal whose mel spectrogram (MEL_ROWS, n_frames) is in dB below its loudest cell."""
    return Preview(_peaks(mono.y), _mel(mel_db))


def _begins(n: int, parts: int) -> NDArray[np.int64]:
    """Where each of `parts` slices of `n` begins; where there are fewer elements than parts, some begin together."""
    return np.arange(parts) * n // parts


def _peaks(y: NDArray[np.float32]) -> bytes:
    if not len(y):
        return bytes(2 * PEAKS)
    low = _begins(len(y), PEAKS)
    if len(y) >= PEAKS:
        least, most = np.minimum.reduceat(y, low), np.maximum.reduceat(y, low)
    else:
        least = most = y[low]
    pairs = np.stack([least, most], axis=1)
    return np.clip(np.round(pairs * 127), -127, 127).astype(np.int8).tobytes()


def _mel(mel_db: NDArray[np.float32]) -> bytes:
    low = _begins(mel_db.shape[1], MEL_COLUMNS)
    # of two slices that begin together the first is one column, which is what reduceat makes of it
    columns = np.maximum.reduceat(mel_db, low, axis=1)
    assert columns.shape == (MEL_ROWS, MEL_COLUMNS)
    return np.clip(np.round((columns + 80.0) * (255 / 80.0)), 0, 255).astype(np.uint8).tobytes()
