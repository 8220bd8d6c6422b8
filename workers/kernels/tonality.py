"""From the peaks that carry pitch to tuning, chroma and chords, in one call."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workers.errors import ParameterError
from workers.kernels.arguments import Doubles, Float32, as_array, as_indices, as_number, as_vector
from workers.kernels.chroma import REGISTERS, _describe_peaks, _fold, _within, harmonics
from workers.kernels.compiled import kernel, warms
from workers.kernels.tonal import TonalPeaks
from workers.kernels.triads import _weigh


class Tonality(NamedTuple):
    """What `describe_tonality` returns."""

    tuning: float
    """The three of `workers.kernels.chroma.describe_peaks`."""
    agreement: float
    register: Doubles
    tonalness: float
    """Mean over frames by level."""
    whole: Doubles
    """Energy of each pitch class, C first, the largest being 1, (12,); all 0 where there is none."""
    frames: Float32
    """As `workers.kernels.chroma.fold_peaks` makes them, (12, n_frames); of low peaks alone, without harmonics."""
    bass: Float32
    chords: Float32
    """As `workers.kernels.triads.weigh_chords` makes them, (n_frames, n_chords)."""


@kernel
def _tonality(
    pitch: Float32,
    weight: Float32,
    frame: NDArray[np.int64],
    tonalness: Float32,
    level: Doubles,
    above: float,
    below: float,
    shifts: Float32,
    gains: Float32,
    shapes: Float32,
    near: Float32,
    root: float,
    sharp: float,
) -> tuple[float, float, Doubles, float, Doubles, Float32, Float32, Float32]:
    n_frames = level.shape[0]
    register = np.zeros(REGISTERS)
    tuning, agreement = _describe_peaks(pitch, weight, above, register)
    frames = _fold(pitch, weight, frame, tuning, n_frames, shifts, gains, np.inf)
    bass = _fold(pitch, weight, frame, tuning, n_frames, shifts[:1], gains[:1], below)
    chords = np.empty((n_frames, shapes.shape[0]), np.float32)
    _weigh(frames, bass, shapes, near, root, sharp, chords)
    whole = np.zeros(12)
    tonal = 0.0
    heard = 0.0
    for t in range(n_frames):
        for c in range(12):
            whole[c] += np.float64(frames[t, c])
        tonal += np.float64(tonalness[t]) * level[t]
        heard += level[t]
    top = max(whole.max(), 1e-12)
    for c in range(12):
        whole[c] /= top
    return tuning, agreement, register, tonal / max(heard, 1e-12), whole, frames, bass, chords


def describe_tonality(
    peaks: TonalPeaks,
    shapes: ArrayLike,
    weights: ArrayLike,
    *,
    tuned_above: float,
    bass_below: float,
    root: float,
    sharp: float,
    decay: float = 0.6,
) -> Tonality:
    """Describe what of a sound has a pitch: its tuning, its pitch classes and its chords.

    `describe_peaks`, `fold_peaks` of all peaks and of the low ones, and `weigh_chords` of these.

    Parameters
    ----------
    peaks : TonalPeaks
        As `workers.kernels.tonal.find_tonal_peaks` returns them; at least one.
    shapes, weights, root, sharp
        As in `workers.kernels.triads.weigh_chords`.
    tuned_above : float
        MIDI number; lower peaks lie too few bins apart to be tuned.
    bass_below : float
        MIDI number; only lower peaks are the bass, and they are folded without harmonics.
    decay : float, above 0 and at most 1
        What a harmonic counts against the one below it.

    Returns
    -------
    tonality : Tonality
        Deaf to gain.

    Raises
    ------
    ParameterError
        If there is no peak, shapes do not fit each other or a number is out of range.
    """
    pitch, weight = as_vector(peaks.pitch, "pitch"), as_vector(peaks.weight, "weight")
    frame, level = as_indices(peaks.frame, "frame"), as_vector(peaks.level, "level", keep_double=True)
    tonalness = as_vector(peaks.tonalness, "tonalness")
    known, near = as_array(shapes, "shapes", 2), as_vector(weights, "weights")
    if not len(pitch) == len(weight) == len(frame) or len(level) != len(tonalness) or not _within(frame, len(level)):
        raise ParameterError(f"{len(pitch)} peaks of {len(frame)} frames, and {len(level)} levels of frames.")
    if known.shape[1] != 12 or not len(near) % 2:
        raise ParameterError(f"Chords of shape {known.shape} and weights of {near.shape} do not fit chroma.")
    gain = as_number(decay, "decay", above=0.0)
    limits = as_number(tuned_above, "tuned_above"), as_number(bass_below, "bass_below")
    rest = as_number(root, "root"), as_number(sharp, "sharp", above=0.0)
    told = _tonality(
        pitch,
        weight,
        frame,
        tonalness,
        level.astype(np.float64, copy=False),
        *limits,
        *harmonics(gain),
        known,
        near,
        *rest,
    )
    return Tonality(*told[:5], told[5].T, told[6].T, told[7])


@warms
def _warm() -> None:
    one = np.ones(1, np.float32)
    peaks = TonalPeaks(one, one, np.zeros(1, np.int64), one, np.ones(1))
    describe_tonality(peaks, np.eye(12), one, tuned_above=0.0, bass_below=9.0, root=0.1, sharp=1.0)
