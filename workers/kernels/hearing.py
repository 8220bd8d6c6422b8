"""A sound through windows: where they lie, and what is heard in them, each in one call."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workers.errors import ParameterError
from workers.kernels.arguments import Doubles, Float32, as_array, as_count, as_indices, as_number, as_vector
from workers.kernels.compiled import kernel, warms
from workers.kernels.harmonics import FLOOR, Partials, Windows, _partials
from workers.kernels.notes import _loud_part, _periods

_SHORTEST_WINDOW = 2048


@kernel
def _places(
    y: Float32, step: int, quiet: float, lengths: NDArray[np.int64], most: int, starts: NDArray[np.int64]
) -> tuple[int, int]:
    n = y.shape[0]
    longest = lengths[lengths.shape[0] - 1]
    first, end = _loud_part(y, step, quiet) if n >= step else (0, n)
    first = max(0, min(first, n - _SHORTEST_WINDOW))
    wanted = max(1, min(n, longest, max(_SHORTEST_WINDOW, int(0.6 * (end - first)))))
    length = lengths[0]
    for k in range(lengths.shape[0]):
        if lengths[k] <= wanted:
            length = lengths[k]
    first = max(0, min(first, n - length))
    last = max(first, end - length)
    count = max(1, min(most, 1 + math.ceil(2 * (last - first) / length)))
    apart = (last - first) / max(1, count - 1)
    told = 0
    for k in range(count):
        at = int(first + k * apart) if k < count - 1 else last if count > 1 else first
        if told == 0 or at > starts[told - 1]:
            starts[told] = at
            told += 1
    return told, length


def place_windows(
    y: ArrayLike, lengths: ArrayLike, most: int, *, step: int = 256, quiet: float = 0.01
) -> tuple[NDArray[np.int64], int]:
    """Find where to look at a sound, and how long: evenly over its loud part, half a window apart at most.

    A window is the longest of `lengths` that fits six tenths of what `workers.kernels.notes.loud_part` finds, or 2048
    samples if that is longer, and the sound.

    Parameters
    ----------
    y : array of float32, shape (n_samples,)
        The sound.
    lengths : array of int, shape (n,)
        What lengths there are, rising, the first of them 1.
    most : int >= 1
        Windows at most.
    step, quiet
        As in `loud_part`.

    Returns
    -------
    starts : ndarray of int, shape (n_windows,)
        First sample of each window, rising.
    length : int
        Of each window, in samples.

    Raises
    ------
    ParameterError
        If `y` is not a non-empty vector, the lengths do not rise from 1, or a number is out of range.
    """
    signal: Float32 = as_vector(y, "y")
    sizes = as_indices(lengths, "lengths")
    if not len(sizes) or sizes[0] != 1:
        raise ParameterError(f"Lengths of windows rise from 1, not {sizes}.")
    starts = np.empty(as_count(most, "most"), np.int64)
    told, length = _places(signal, as_count(step, "step"), as_number(quiet, "quiet", least=0.0), sizes, most, starts)
    return starts[:told], length


class Hearing(NamedTuple):
    """What `hear` returns; a row or an element for each window."""

    hz: Float32
    """The four of `workers.kernels.harmonics.Partials`."""
    level: Float32
    number: NDArray[np.int64]
    share: Float32
    weight: Doubles
    """How loud each window is, by amplitude; sum 1."""
    periods: Doubles
    """As `workers.kernels.notes.shortest_periods` has them."""

    @property
    def partials(self) -> Partials:
        """The strongest partials of each window."""
        return Partials(self.hz, self.level, self.number, self.share)


@kernel
def _hear(
    power: Float32, periodicity: Float32, bin_hz: float, sr: float, low: int, high: int, most: int, first: int
) -> tuple[Float32, Float32, NDArray[np.int64], Float32, Doubles, Doubles]:
    weight = np.empty(power.shape[0])
    whole = 0.0
    for t in range(power.shape[0]):
        energy = 0.0
        for f in range(power.shape[1]):
            energy += np.float64(power[t, f])
        weight[t] = math.sqrt(energy)
        whole += weight[t]
    whole = max(whole, 1e-12)
    for t in range(power.shape[0]):
        weight[t] /= whole
    hz, level, count, share = _partials(power, low, high, bin_hz, most, FLOOR)
    return hz, level, count, share, weight, _periods(periodicity, first, sr)


def hear(
    windows: Windows,
    sr: float,
    *,
    n_fft: int,
    most: int = 40,
    fmin: float = 24.0,
    fmax: float = 9000.0,
    first: int = 4,
) -> Hearing:
    """Find the partials, the period and the weight of each window of a sound, in one call.

    `strongest_partials` and `shortest_periods` of what `windowed_periodicity` found, and ``w_t = a_t / sum a`` with
    ``a_t = sqrt(sum_f P[t, f])``.

    Parameters
    ----------
    windows : Windows
        As `workers.kernels.harmonics.windowed_periodicity` returns them.
    sr : float > 0
        Samples a second.
    n_fft : int
        Samples of the transform.
    most, fmin, fmax
        As in `workers.kernels.harmonics.strongest_partials`.
    first : int >= 1
        The shortest lag that may be a period.

    Returns
    -------
    hearing : Hearing
        Deaf to gain.

    Raises
    ------
    ParameterError
        If the numbers of windows differ or a number is out of range.
    """
    power, rows = as_array(windows.power, "power", 2), as_array(windows.periodicity, "periodicity", 2)
    sr = as_number(sr, "sr", above=0.0)  # a whole number would be another type, and compiled for once more
    bin_hz = sr / as_count(n_fft, "n_fft")
    low, high = max(2, int(fmin / bin_hz)), min(power.shape[1] - 2, int(fmax / bin_hz))
    if len(power) != len(rows) or high <= low:
        raise ParameterError(f"Power of shape {power.shape} and periodicity of shape {rows.shape} do not fit.")
    return Hearing(*_hear(power, rows, bin_hz, sr, low, high, as_count(most, "most"), as_count(first, "first")))


@warms
def _warm() -> None:
    starts, _ = place_windows(np.ones(4, np.float32), [1], 1, step=2)
    rows = np.ones((len(starts), 8), np.float32)
    hear(Windows(rows, rows), 8.0, n_fft=8, fmax=8.0, fmin=0.0)
