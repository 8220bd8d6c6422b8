"""How a sound goes on: its level from its start to its end, and how its bands and its brightness change."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from workers.errors import ParameterError
from workers.kernels.arguments import Doubles, Float32, as_array, as_count, as_number, as_vector
from workers.kernels.compiled import kernel, warms

PARTS = 8
"""Of the sound, of each of which the level is told."""


class Course(NamedTuple):
    """What `describe_course` returns. All but `top`, `mean` and `rms` are deaf to gain."""

    top: float
    """Highest value of the envelope; its mean and its root mean square."""
    mean: float
    rms: float
    above_tenth: float
    """Share of values above a tenth of the top; then above half of it."""
    above_half: float
    change: float
    """Mean change of level from one of at most 400 values to the next, in dB."""
    second_half: float
    """Share of the second half, of the envelope in steps; the next four likewise."""
    rise: float
    """How far it rises again, after its peak, from a lower point: a part of its top."""
    start: float
    """Mean of its first fiftieth, as a part of its top."""
    last_quarter: float
    """Mean of the last quarter against that of the first."""
    parts: Doubles
    """Mean level of each eighth, in dB below the top, (PARTS,)."""


@kernel
def _in_steps(e: Doubles, most: int) -> Doubles:
    """Means of as few values each as give at most twice `most` of them."""
    width = max(1, e.shape[0] // most)
    coarse = np.zeros(e.shape[0] // width)
    for s in range(coarse.shape[0]):
        for i in range(s * width, (s + 1) * width):
            coarse[s] += e[i]
        coarse[s] /= width
    return coarse


@kernel
def _mean(e: Doubles, begin: int, end: int) -> float:
    added = 0.0
    for i in range(begin, end):
        added += e[i]
    return added / (end - begin)


@kernel
def _rise(e: Doubles) -> float:
    """How far the envelope, smoothed over five values, rises after its peak from a lower point."""
    n = e.shape[0]
    if n < 20:
        return 0.0
    smooth = np.zeros(n)
    peak = 0
    for i in range(n):
        for k in range(max(0, i - 2), min(n, i + 3)):
            smooth[i] += e[k] / 5
        if smooth[i] > smooth[peak]:
            peak = i
    rise = 0.0
    least = smooth[peak]
    for i in range(peak, n):
        least = min(least, smooth[i])
        rise = max(rise, smooth[i] - least)
    return rise


@kernel
def _levels(e: Doubles, top: float, floor: float, level: Doubles) -> tuple[float, float]:
    """Fill `level`, in dB below the top; how many values lie above a tenth and above half of it."""
    tenth = 0
    half = 0
    scale = 1 / top
    for i in range(e.shape[0]):
        tenth += e[i] > 0.1 * top
        half += e[i] > 0.5 * top
        level[i] = max(20 * math.log10(max(e[i] * scale, 1e-6)), floor)
    return tenth / e.shape[0], half / e.shape[0]


@kernel
def _change(level: Doubles, every: int) -> float:
    count = 0
    added = 0.0
    for i in range(every, level.shape[0], every):
        added += abs(level[i] - level[i - every])
        count += 1
    return added / max(1, count)


@kernel
def _course(e: Doubles, most: int, floor: float, found: Doubles, parts: Doubles) -> None:
    n = e.shape[0]
    top = 0.0
    squares = 0.0
    for i in range(n):
        top = max(top, e[i])
        squares += e[i] * e[i]
    found[0] = top
    found[1] = _mean(e, 0, n)
    found[2] = math.sqrt(squares / n)
    level = np.empty(n)
    found[3], found[4] = _levels(e, max(top, 1e-9), floor, level)
    found[5] = _change(level, max(1, n // (most // 2)))
    coarse = _in_steps(e, most)
    count = coarse.shape[0]
    highest = 1e-9
    whole = 0.0
    for s in range(count):
        highest = max(highest, coarse[s])
        whole += coarse[s]
    quarter = max(1, count // 4)
    found[6] = _mean(coarse, count // 2, count) * (count - count // 2) / max(whole, 1e-9)
    found[7] = _rise(coarse) / highest
    found[8] = _mean(coarse, 0, max(1, count // 50)) / highest
    found[9] = _mean(coarse, count - quarter, count) / max(_mean(coarse, 0, quarter), 1e-9)
    for p in range(parts.shape[0]):
        begin = p * n // parts.shape[0]
        parts[p] = _mean(level, begin, max(begin + 1, (p + 1) * n // parts.shape[0]))


def describe_course(e: ArrayLike, *, most: int = 400, floor_db: float = -60.0) -> Course:
    """Describe how an amplitude envelope goes on from its start to its end.

    The level of a value is ``max(20 log10(e / max e), floor_db)``; the envelope in steps is made of means over
    ``max(1, n // most)`` values, what is left at its end not counted.

    Parameters
    ----------
    e : array of float64, shape (n,), not negative
        The envelope.
    most : int >= 2
        About how many steps it is looked at in.
    floor_db : float
        Lower levels count as this.

    Returns
    -------
    course : Course
        Of silence the levels are the floor and the shares 0.

    Raises
    ------
    ParameterError
        If `e` is not a non-empty vector or a number is out of range.
    """
    envelope = as_vector(e, "e", keep_double=True).astype(np.float64, copy=False)
    found, parts = np.empty(10), np.empty(PARTS)
    _course(envelope, as_count(most, "most", least=2), as_number(floor_db, "floor_db"), found, parts)
    return Course._make([*found.tolist(), parts])


class Bands(NamedTuple):
    """What `describe_bands` returns; one element for each band."""

    share: Doubles
    """Of the power of all."""
    start: Doubles
    """Share of the band's own power that lies in the first frames."""
    length: Doubles
    """Frames with more than a tenth of the power of the band's loudest."""


@kernel
def _bands(mel: Float32, bands: int, first: int, found: Doubles) -> None:
    n_mels, n_frames = mel.shape
    each = n_mels // bands
    whole = 0.0
    power = np.empty(n_frames)
    for b in range(bands):
        power[:] = 0
        for m in range(b * each, (b + 1) * each):
            for t in range(n_frames):
                power[t] += mel[m, t]
        total = 0.0
        start = 0.0
        top = 0.0
        for t in range(n_frames):
            total += power[t]
            start += power[t] if t < first else 0.0
            top = max(top, power[t])
        total = max(total, 1e-12)
        found[0, b] = total
        found[1, b] = start / total
        whole += total
        for t in range(n_frames):
            found[2, b] += power[t] > 0.1 * top
    for b in range(bands):
        found[0, b] /= whole


def describe_bands(mel: ArrayLike, bands: int, *, first: int = 5) -> Bands:
    """Describe how the power of each band of a spectrogram goes on.

    Parameters
    ----------
    mel : array of float32, shape (n_mels, n_frames)
        Power; the rows of a band lie side by side.
    bands : int >= 1
        Bands of as many rows each; must divide `n_mels`.
    first : int >= 1
        Frames that are its start.

    Returns
    -------
    bands : Bands
        Of silence the shares are equal, the starts 0 and the lengths 0.

    Raises
    ------
    ParameterError
        If `mel` is not a non-empty matrix or a number is out of range.
    """
    rows = as_array(mel, "mel", 2)
    if rows.shape[0] % as_count(bands, "bands"):
        raise ParameterError(f"{rows.shape[0]} rows cannot be shared out among {bands} bands.")
    found = np.zeros((3, bands))
    _bands(rows, bands, as_count(first, "first"), found)
    return Bands(*found)


@kernel
def _spread_of_octaves(hz: Float32, weight: Float32, least: float) -> float:
    mean = 0.0
    for t in range(hz.shape[0]):
        mean += math.log2(max(np.float64(hz[t]), least)) * weight[t]
    squares = 0.0
    for t in range(hz.shape[0]):
        squares += (math.log2(max(np.float64(hz[t]), least)) - mean) ** 2 * weight[t]
    return math.sqrt(squares)


def spread_of_octaves(hz: ArrayLike, weight: ArrayLike, *, least: float = 30.0) -> float:
    """How far a frequency wanders, in octaves: the standard deviation of ``log2 max(hz, least)``.

    Parameters
    ----------
    hz, weight : array of float32, shape (n_frames,)
        A frequency for each frame, and how much the frame counts; the weights sum to 1, or are all 0.
    least : float > 0
        Lower ones count as this, in Hz.

    Raises
    ------
    ParameterError
        If their lengths differ or one is no non-empty vector.
    """
    pitch, counts = as_vector(hz, "hz"), as_vector(weight, "weight")
    if len(pitch) != len(counts):
        raise ParameterError(f"{len(pitch)} frames, but {len(counts)} weights.")
    return _spread_of_octaves(pitch, counts, as_number(least, "least", above=0.0))


@warms
def _warm() -> None:
    describe_course(np.ones(4))
