"""From spectra to pitch classes: the peaks that stand out, and how they fold into an octave."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workers.errors import ParameterError
from workers.kernels.arguments import Doubles, Float32, as_count, as_frames, as_number, as_vector
from workers.kernels.compiled import kernel, warms

NEIGHBOURHOOD = 20
"""Bins on either side that a peak must stand out from. Drums are broad: they raise their own surroundings."""

STANDS_OUT = 5.0
"""A peak this many times its surroundings counts fully, one no higher than them not at all."""

LEAST = 0.003
"""Peaks lower than this part of their frame's highest are sidelobes and noise."""


OCTAVES = np.int64(12 * 1000)
"""Added to pitches before they are divided by 12, so that none is negative."""

SERIES = tuple(
    np.float32((0.5 if k else 1.0) * (-1) ** k * (2 * math.pi) ** (2 * k) / math.factorial(2 * k)) for k in range(9)
)
"""``cos^2(pi d)`` in powers of ``d^2``, to 1e-6 for ``|d| <= 1/2``."""


LOWEST, REGISTER, REGISTERS = 21, 8, 12
"""MIDI number of A0; semitones of each band of `Tuned.register`, and how many there are."""


class Peaks(NamedTuple):
    """What `tonal_peaks` returns: one element for each peak, in the order of frames, but the last."""

    pitch: Float32
    """MIDI numbers, A4 = 440 Hz = 69, with their fractions."""
    weight: Float32
    frame: Float32
    """Index of the peak's frame."""
    tonalness: Float32
    """For each frame the share of its magnitude that lies in the bins of peaks that stand out."""


@kernel
def _tonal_peaks(
    frames: Float32, low: int, high: int, bin_hz: float, reach: int, full: float, least: float, power: float
) -> tuple[Float32, Float32]:
    n_frames = frames.shape[0]
    n = high - low
    magnitude = np.empty((n_frames, n), np.float32)
    tops = np.zeros(n_frames, np.float32)
    highest = np.float32(0)
    for t in range(n_frames):
        for f in range(n):
            magnitude[t, f] = math.sqrt(frames[t, low + f])
        for f in range(1, n - 1):
            tops[t] = max(tops[t], magnitude[t, f])
        highest = max(highest, tops[t])
    found = np.empty((n_frames * (n // 2 + 1), 3), np.float32)
    tonalness = np.zeros(n_frames, np.float32)
    count = 0
    for t in range(n_frames):
        top = tops[t]
        if not top > 0:
            continue
        row = magnitude[t]
        running = 0.0
        for f in range(min(n, reach + 1)):
            running += row[f]
        whole = 0.0
        in_peaks = 0.0
        for f in range(n):
            whole += row[f]
        level = math.sqrt(math.sqrt(top / highest))
        for f in range(1, n - 1):
            if f + reach < n:
                running += row[f + reach]
            if f - reach - 1 >= 0:
                running -= row[f - reach - 1]
            b = row[f]
            if not (b > row[f - 1] and b >= row[f + 1] and b > least * top):
                continue
            around = max(running, 1e-30) / (2 * reach + 1)
            out = min(1.0, max(0.0, (b / around - 1) / (full - 1)))
            if out == 0:
                continue
            in_peaks += out * (row[f - 1] + b + row[f + 1])
            left = math.log(row[f - 1] + 1e-12)
            middle = math.log(b + 1e-12)
            right = math.log(row[f + 1] + 1e-12)
            bend = left - 2 * middle + right
            shift = 0.0 if bend >= 0 else min(0.5, max(-0.5, 0.5 * (left - right) / bend))
            found[count, 0] = 69 + 12 * math.log2((low + f + shift) * bin_hz / 440)
            found[count, 1] = (b / top) ** power * level * out
            found[count, 2] = t
            count += 1
        tonalness[t] = min(1.0, in_peaks / whole)
    return found[:count].copy(), tonalness


def tonal_peaks(S: ArrayLike, bin_hz: float, *, fmin: float = 50.0, fmax: float = 2200.0) -> Peaks:
    """Find the spectral peaks that carry pitch.

    A bin is a peak where its magnitude ``m = sqrt(S)`` is higher than its neighbours'. It weighs
    ``(m / m_max[t])^0.75 (m_max[t] / m_max)^0.25 s``, where ``s`` rises from 0 to 1 as the peak grows from once to
    `STANDS_OUT` times the mean of the `NEIGHBOURHOOD` [1]_: compressed, so that quiet notes count, and blind to what is
    broad. Its frequency is the top of a parabola through three logarithms.

    Parameters
    ----------
    S : array of float32, shape (n_bins, n_frames)
        Power spectrogram.
    bin_hz : float > 0
        Distance between two bins, in Hz.
    fmin, fmax : float
        Lowest and highest frequency looked at, in Hz.

    Returns
    -------
    peaks : Peaks
        Pitch, weight and frame of each peak; the tonalness of each frame, 0 to 1. Deaf to gain.

    Raises
    ------
    ParameterError
        If `S` is not a non-empty matrix, or fewer than 3 bins lie between `fmin` and `fmax`.

    References
    ----------
    .. [1] E. Gómez, "Tonal description of music audio signals", PhD thesis, UPF, 2006.
    """
    frames = as_frames(S)
    bin_hz = as_number(bin_hz, "bin_hz", above=0.0)
    low = max(1, math.ceil(as_number(fmin, "fmin", above=0.0) / bin_hz) - 1)
    high = min(frames.shape[1], math.floor(as_number(fmax, "fmax", above=0.0) / bin_hz) + 2)
    if high - low < 3:
        raise ParameterError(f"Fewer than 3 bins of {bin_hz:g} Hz lie between {fmin:g} and {fmax:g} Hz.")
    found, tonalness = _tonal_peaks(frames, low, high, bin_hz, NEIGHBOURHOOD, STANDS_OUT, LEAST, 0.75)
    return Peaks(found[:, 0].copy(), found[:, 1].copy(), found[:, 2].copy(), tonalness)


class Tuned(NamedTuple):
    """What `describe_peaks` returns."""

    tuning: float
    """Semitones sharp of A4 = 440 Hz, -1/2 to 1/2."""
    agreement: float
    """How much the peaks agree on it, 0 to 1."""
    register: Doubles
    """Share of the weight by height: `REGISTERS` bands of `REGISTER` semitones from A0, MIDI 21, up."""


@kernel
def _describe_peaks(pitch: Float32, weight: Float32, above: float, register: Doubles) -> tuple[float, float]:
    cosines = 0.0
    sines = 0.0
    heard = 0.0
    whole = 0.0
    lowest = np.float32(LOWEST)
    for i in range(pitch.shape[0]):
        p = np.float64(pitch[i])
        w = np.float64(weight[i])
        if pitch[i] >= lowest and p < LOWEST + REGISTER * REGISTERS:
            register[np.int64((p - LOWEST) / REGISTER)] += w
            whole += w
        if p > above:
            heard += w
            cosines += w * math.cos(2 * math.pi * p)
            sines += w * math.sin(2 * math.pi * p)
    for band in range(REGISTERS):
        register[band] /= max(whole, 1e-12)
    if heard <= 0:
        return 0.0, 0.0
    return math.atan2(sines, cosines) / (2 * math.pi), math.sqrt(cosines**2 + sines**2) / heard


def describe_peaks(pitch: ArrayLike, weight: ArrayLike, *, above: float) -> Tuned:
    """Find how far peaks are off the tempered notes, and how high they lie.

    The tuning is ``arg(z) / 2 pi`` and the agreement ``|z|``, where ``z = sum w exp(2 pi i p) / sum w`` over the peaks
    higher than `above`: the circular mean, so that a quarter tone sharp and one flat are neighbours.

    Parameters
    ----------
    pitch, weight : arrays of float32, shape (n_peaks,)
        As `tonal_peaks` returns them; at least one.
    above : float
        MIDI number; lower peaks lie too few bins apart to be tuned.

    Returns
    -------
    tuned : Tuned
        0 and 0 where no peak is high enough.

    Raises
    ------
    ParameterError
        If the arrays' lengths differ or one is no vector.
    """
    p, w = as_vector(pitch, "pitch"), as_vector(weight, "weight")
    if len(p) != len(w):
        raise ParameterError(f"pitch and weight have {len(p)} and {len(w)} elements.")
    register = np.zeros(REGISTERS)
    return Tuned(*_describe_peaks(p, w, as_number(above, "above"), register), register)


@kernel
def _fold(
    pitch: Float32,
    weight: Float32,
    frame: NDArray[np.int64],
    tuning: float,
    n_frames: int,
    shifts: Float32,
    gains: Float32,
    below: float,
) -> Float32:
    chroma = np.zeros((n_frames, 12), np.float32)
    for i in range(pitch.shape[0]):
        if not np.float64(pitch[i]) < below:
            continue
        row = chroma[frame[i]]
        for h in range(shifts.shape[0]):
            at = np.float32(pitch[i] - np.float32(tuning)) - shifts[h]
            nearest = math.floor(at + np.float32(0.5))
            d = at - np.float32(nearest)
            x = d * d
            # cos^2(pi d) by its series in d^2: a cosine for each harmonic took most of the time
            near = SERIES[8]
            for k in range(7, -1, -1):
                near = near * x + SERIES[k]
            row[(np.int64(nearest) + OCTAVES) % 12] += weight[i] * gains[h] * near
    return chroma


def fold_peaks(
    pitch: ArrayLike,
    weight: ArrayLike,
    frame: ArrayLike,
    n_frames: int,
    *,
    tuning: float = 0.0,
    decay: float = 0.6,
    below: float = math.inf,
) -> Float32:
    """Fold peaks into twelve pitch classes, each also as a harmonic of lower notes.

    ``C[c, t] = sum_i w_i sum_{h=1..5} decay^(h-1) cos^2(pi (p_ih - n_ih))`` over the peaks ``i`` of frame ``t`` with
    ``n_ih = round(p_ih)`` in class ``c``, where ``p_ih = p_i - tuning - 12 log2 h`` [1]_.

    Parameters
    ----------
    pitch, weight, frame : arrays of float32, shape (n_peaks,)
        As `tonal_peaks` returns them; `n_peaks` may be 0.
    n_frames : int >= 1
        Frames of the result.
    tuning : float
        How far all pitches are sharp of A4 = 440 Hz, in semitones.
    decay : float, 0 to 1
        What a harmonic counts against the one below it; 0 folds the peaks alone.
    below : float
        MIDI number; only lower peaks are folded.

    Returns
    -------
    chroma : ndarray of float32, shape (12, n_frames), Fortran order
        Weight by pitch class, C first. Never negative if the weights are not.

    Raises
    ------
    ParameterError
        If the arrays' lengths differ, a frame is out of range or `decay` is.

    References
    ----------
    .. [1] E. Gómez, "Tonal description of polyphonic audio for music content processing", INFORMS J. Computing, 2006.
    """
    n_frames = as_count(n_frames, "n_frames")
    decay = as_number(decay, "decay", least=0.0)
    tuning = as_number(tuning, "tuning")
    if decay > 1:
        raise ParameterError(f"decay is {decay:g}, more than 1.")
    t = np.require(frame, np.int64, ("C", "W"))
    if t.size == 0 == np.size(pitch) == np.size(weight):
        return np.zeros((n_frames, 12), np.float32).T
    p, w = as_vector(pitch, "pitch"), as_vector(weight, "weight")
    if not len(p) == len(w) == t.size or t.ndim != 1:
        raise ParameterError(f"pitch, weight and frame have {len(p)}, {len(w)} and {t.size} elements.")
    if not _within(t, n_frames):
        raise ParameterError(f"A frame is not one of {n_frames}.")
    chroma: Float32 = _fold(p, w, t, tuning, n_frames, *harmonics(decay), float(below))
    return chroma.T


@kernel
def _within(frame: NDArray[np.int64], n_frames: int) -> bool:
    outside = 0
    for i in range(frame.shape[0]):
        outside += (frame[i] < 0) | (frame[i] >= n_frames)
    return outside == 0


@lru_cache(maxsize=8)
def harmonics(decay: float) -> tuple[Float32, Float32]:
    """How far each harmonic lies above the note, in semitones, and what it counts."""
    numbers = np.arange(1, 6 if decay > 0 else 2)
    return (12 * np.log2(numbers)).astype(np.float32), (decay ** (numbers - 1.0)).astype(np.float32)


@warms
def _warm() -> None:
    peaks = tonal_peaks(np.ones((16, 2), np.float32), 100.0)
    assert len(peaks.tonalness) == 2
