"""What is seen of a waveform in one walk over its samples, all channels at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from workers.kernels.arguments import Doubles, Float32, as_array, as_count, as_number
from workers.kernels.compiled import kernel, warms

BLOCK = 1024
"""Samples of each channel looked at together."""


class Mixed(NamedTuple):
    """What `mix_channels` returns."""

    mono: Float32
    """Mean of the channels, (n_samples,)."""
    sums: Doubles
    """Sum of each channel, (n_channels,)."""
    energies: Doubles
    """Sum of squares of each channel, (n_channels,)."""
    peak: float
    """Largest magnitude of any channel."""


class Ends(NamedTuple):
    """What `find_ends` returns."""

    first: int
    """Index of the first sample louder than the threshold in any channel; n_samples if there is none."""
    last: int
    """Index behind the last such sample; 0 if there is none."""
    runs: int
    """How many times a channel stays at the ceiling for at least so many samples."""
    first_run: int
    """Index at which the first of these begins; -1 if there is none."""


@kernel
def _mix(y: Float32, mono: Float32, sums: Doubles, energies: Doubles) -> float:
    n, channels = y.shape
    flat = y.reshape(n * channels)
    peak = np.float32(0)
    gain = np.float32(1.0 / channels)
    for begin in range(0, n, BLOCK):
        end = min(n, begin + BLOCK)
        for i in range(begin * channels, end * channels):
            peak = max(peak, abs(flat[i]))
        if channels == 2:
            # sums of one block in single precision: they fill vector registers, and a block is short
            left = right = left2 = right2 = np.float32(0)
            for i in range(begin, end):
                a = y[i, 0]
                b = y[i, 1]
                left += a
                right += b
                left2 += a * a
                right2 += b * b
                mono[i] = np.float32(0.5) * (a + b)
            sums[0] += left
            sums[1] += right
            energies[0] += left2
            energies[1] += right2
            continue
        for i in range(begin, end):
            mono[i] = 0
        for c in range(channels):
            total = squares = np.float32(0)
            for i in range(begin, end):
                x = y[i, c]
                total += x
                squares += x * x
                mono[i] += gain * x
            sums[c] += total
            energies[c] += squares
    return float(peak)


def mix_channels(y: ArrayLike) -> Mixed:
    """Mix channels to one, and measure each on the way.

    ``mono[t] = sum_c y[t, c] / n_channels``.

    Parameters
    ----------
    y : array of float32, shape (n_samples, n_channels)
        The signal.

    Returns
    -------
    mixed : Mixed
        The mix, each channel's sum and energy, the peak.

    Raises
    ------
    ParameterError
        If `y` is not a non-empty matrix.
    """
    signal: Float32 = as_array(y, "y", 2)
    n, channels = signal.shape
    mono = np.empty(n, np.float32)
    sums, energies = np.zeros(channels), np.zeros(channels)
    peak = _mix(signal, mono, sums, energies)
    return Mixed(mono, sums, energies, peak)


@kernel
def _ends(y: Float32, threshold: float, ceiling: float, run: int) -> tuple[int, int, int, int]:
    n, channels = y.shape
    loud = np.float32(threshold)
    first = n
    for i in range(n):
        above = False
        for c in range(channels):
            above |= abs(y[i, c]) > loud
        if above:
            first = i
            break
    last = 0
    for i in range(n - 1, -1, -1):
        above = False
        for c in range(channels):
            above |= abs(y[i, c]) > loud
        if above:
            last = i + 1
            break
    runs = 0
    first_run = -1
    if ceiling > 0:
        top = np.float32(ceiling)
        flat = y.reshape(n * channels)
        lengths = np.zeros(channels, np.int64)
        for begin in range(0, n, BLOCK):
            end = min(n, begin + BLOCK)
            highest = np.float32(0)
            for i in range(begin * channels, end * channels):
                highest = max(highest, abs(flat[i]))
            if highest < top:
                lengths[:] = 0
                continue
            for c in range(channels):
                length = lengths[c]
                for i in range(begin, end):
                    if abs(y[i, c]) < top:
                        length = 0
                        continue
                    if length > 0 and (y[i, c] > 0) != (y[i - 1, c] > 0):
                        length = 0
                    length += 1
                    if length == run:
                        runs += 1
                        if first_run < 0 or i - run + 1 < first_run:
                            first_run = i - run + 1
                lengths[c] = length
    return first, last, runs, first_run


def find_ends(y: ArrayLike, *, threshold: float, ceiling: float = 0.0, run: int = 3) -> Ends:
    """Find where sound begins and ends, and where it is cut off flat.

    Parameters
    ----------
    y : array of float32, shape (n_samples, n_channels)
        The signal.
    threshold : float >= 0
        Only what is louder counts as sound.
    ceiling : float
        The level at which samples of one sign, `run` in a row, count as clipped; 0 looks for none.
    run : int >= 2
        How many.

    Returns
    -------
    ends : Ends
        Where sound begins and ends, in samples; how many runs, and where the first begins.

    Raises
    ------
    ParameterError
        If `y` is not a non-empty matrix or a number is out of range.
    """
    signal: Float32 = as_array(y, "y", 2)
    threshold = as_number(threshold, "threshold", least=0.0)
    ceiling = as_number(ceiling, "ceiling", least=0.0)
    return Ends(*_ends(signal, threshold, ceiling, as_count(run, "run", least=2)))


@warms
def _warm() -> None:
    mix_channels(np.ones((2, 2), np.float32))
    find_ends(np.ones((4, 2), np.float32), threshold=0.5, ceiling=1.0)
