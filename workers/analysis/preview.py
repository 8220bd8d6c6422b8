"""Small pictures of a sound: its waveform and its mel spectrogram."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workers.analysis.mono import Mono
from workers.kernels.frames import DEEPEST_DB
from workers.kernels.pictures import draw_columns, draw_peaks
from workers.model import MEL_COLUMNS, MEL_ROWS, PEAKS, Preview


def draw(mono: Mono, mel_db: NDArray[np.float32]) -> Preview:
    """The pictures of a signal whose mel spectrogram (MEL_ROWS, n_frames) is in dB below its loudest cell."""
    return Preview(_peaks(mono.y), _mel(mel_db))


def _peaks(y: NDArray[np.float32]) -> bytes:
    if not len(y):
        return bytes(2 * PEAKS)
    return draw_peaks(y, PEAKS).tobytes()


def _mel(mel_db: NDArray[np.float32]) -> bytes:
    columns = draw_columns(mel_db, MEL_COLUMNS, DEEPEST_DB)
    assert columns.shape == (MEL_ROWS, MEL_COLUMNS)
    return columns.tobytes()
