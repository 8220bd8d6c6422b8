"""What is seen of a waveform in one walk over its samples, all channels at once: mix, levels, peaks, ends."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from workers.errors import ParameterError
from workers.kernels.arguments import Doubles, Float32, as_array, as_count, as_number
from workers.kernels.compiled import kernel, warms
from workers.kernels.decimate import MOST_TAPS, filter_pairs, half_band
from workers.kernels.lanes import (
    higher,
    highest,
    load,
    load_even,
    load_odd,
    magnitude,
    splat,
    store,
    total,
    where_less,
)
from workers.kernels.vectors import LANES
from workers.kernels.weighting import (
    BEFORE,
    CHUNK,
    between_samples,
    channel_weights,
    k_blocks,
    k_energy,
    k_energy_of_two,
    k_weighting,
    oversampler,
)

TILE = 1024
"""Samples of each channel looked at together: in the first-level cache. Whole chunks."""

NOTHING = 1e-12
"""Samples below it count as 0: -240 dB, and such small numbers are many times as slow to calculate with."""


class Survey(NamedTuple):
    """What `survey_waveform` returns."""

    mono: Float32
    """Mean of the channels, (n_samples,), or of (ceil(n_samples / 2),) at half the rate."""
    halved: bool
    """Which of the two."""
    n_samples: int
    sums: Doubles
    """Sum of each channel, (n_channels,)."""
    energies: Doubles
    """Sum of squares of each channel, (n_channels,)."""
    peaks: Float32
    """Largest magnitude of any channel in each `CHUNK` samples."""
    powers: Doubles
    """Energy of each `step` samples behind the K-weighting, summed over channels by their weights."""
    step: int
    """100 ms in samples."""
    true_peak: float
    """Largest magnitude of the oversampled signal, never less than `peak`."""
    mono_energy: float
    """Sum of squares of `mono`."""

    @property
    def peak(self) -> float:
        """Largest magnitude of any channel."""
        return float(self.peaks.max())


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
def _separate(flat: Float32, begin: int, size: int, planes: Float32) -> None:
    """One tile of every channel into a row of its own, behind what is left of the tile before; zeros to its end."""
    channels = planes.shape[0]
    done = 0
    if channels == 2:
        left = planes[0]
        right = planes[1]
        while done + LANES <= size:
            store(left, BEFORE + done, load_even(flat, 2 * (begin + done)))
            store(right, BEFORE + done, load_odd(flat, 2 * (begin + done)))
            done += LANES
    elif channels == 1:
        while done + LANES <= size:
            store(planes[0], BEFORE + done, load(flat, begin + done))
            done += LANES
    zero = splat(np.float32(0))
    least = splat(np.float32(NOTHING))
    for c in range(channels):
        plane = planes[c]
        for i in range(done, size):
            plane[BEFORE + i] = flat[(begin + i) * channels + c]
        for i in range(size, TILE):
            plane[BEFORE + i] = 0
        for i in range(BEFORE, BEFORE + TILE, LANES):
            v = load(plane, i)
            store(plane, i, where_less(magnitude(v), least, zero, v))


@kernel
def _look(planes: Float32, begin: int, size: int, sums: Doubles, energies: Doubles, tops: Float32) -> None:
    """Sum, energy and largest magnitude of a tile, by chunk; the first of `tops` is the last of the tile before."""
    for c in range(planes.shape[0]):
        plane = planes[c]
        tops[c, 0] = tops[c, TILE // CHUNK]
        for chunk in range((size + CHUNK - 1) // CHUNK):
            added = splat(np.float32(0))
            squares = splat(np.float32(0))
            top = splat(np.float32(0))
            for i in range(BEFORE + chunk * CHUNK, BEFORE + (chunk + 1) * CHUNK, LANES):
                v = load(plane, i)
                added += v
                squares += v * v
                top = higher(top, magnitude(v))
            sums[c] += total(added)
            energies[c] += total(squares)
            tops[c, chunk + 1] = highest(top)
        for chunk in range((size + CHUNK - 1) // CHUNK, TILE // CHUNK):
            tops[c, chunk + 1] = 0


@kernel
def _mix(planes: Float32, size: int, mixed_tile: Float32) -> float:
    """One tile of the mix, zeros behind its end, and its energy."""
    channels = planes.shape[0]
    share = np.float32(1.0 / channels)
    squares = splat(np.float32(0))
    for i in range(0, TILE, LANES):
        mixed = load(planes[0], BEFORE + i)
        for c in range(1, channels):
            mixed = mixed + load(planes[c], BEFORE + i)
        mixed = mixed * share
        squares += mixed * mixed
        store(mixed_tile, i, mixed)
    return float(total(squares))


@kernel
def _halve_tile(tile: Float32, even: Float32, odd: Float32, side: Float32, made: Float32) -> None:
    """`TILE` samples more into `even` and `odd`, and half as many values out of them, `side` values late."""
    half = TILE // 2
    reach = side.shape[0]
    for i in range(reach):
        even[i] = even[half + i]
    for i in range(2 * reach):
        odd[i] = odd[half + i]
    for i in range(0, half, LANES):
        store(even, reach + i, load_even(tile, 2 * i))
        store(odd, 2 * reach + i, load_odd(tile, 2 * i))
    filter_pairs(even, odd, side, half, made)


@kernel
def _weigh(
    wide: Doubles,
    begin: int,
    size: int,
    step: int,
    weights: Doubles,
    k: tuple[Doubles, Doubles],
    state: Doubles,
    powers: Doubles,
) -> None:
    """Add the weighted energy of a tile of every channel to the steps it lies in."""
    channels = wide.shape[0]
    start = 0
    while start < size:
        block = (begin + start) // step
        stop = min(size, (block + 1) * step - begin)
        for c in range(0, channels - 1, 2):
            one, two = k_energy_of_two(wide[c], wide[c + 1], start, stop, k[0], k[1], state[c], state[c + 1])
            powers[block] += weights[c] * one + weights[c + 1] * two
        if channels % 2:
            c = channels - 1
            powers[block] += weights[c] * k_energy(wide[c], start, stop, k[0], k[1], state[c])
        start = stop


class _Walk(NamedTuple):
    """What is remembered of a signal between two stretches of it."""

    sums: Doubles
    energies: Doubles
    state: Doubles
    """Of the K-weighting, for each channel."""
    wide: Doubles
    tile: Float32
    made: Float32
    even: Float32
    odd: Float32
    planes: Float32
    tops: Float32
    marks: Doubles
    """True peak so far, energy of the mix."""


def _walk(channels: int) -> _Walk:
    return _Walk(
        sums=np.zeros(channels),
        energies=np.zeros(channels),
        state=np.zeros((channels, 8)),
        wide=np.empty((channels, TILE)),
        tile=np.zeros(TILE + LANES, np.float32),
        made=np.zeros(TILE, np.float32),
        even=np.zeros(TILE + 2 * MOST_TAPS, np.float32),
        odd=np.zeros(TILE + 2 * MOST_TAPS, np.float32),
        planes=np.zeros((channels, BEFORE + TILE), np.float32),
        tops=np.zeros((channels, 1 + TILE // CHUNK), np.float32),
        marks=np.zeros(2),
    )


@kernel
def _survey(
    y: Float32,
    end: int,
    phase: int,
    lead: int,
    step: int,
    weights: Doubles,
    k: tuple[Doubles, Doubles],
    filters: Float32,
    side: Float32,
    walk: _Walk,
    mono: Float32,
    peaks: Float32,
    powers: Doubles,
) -> None:
    """Walk over a stretch, and on to `end`: behind the last one, until the filters are empty.

    It begins `phase` samples behind the start of a step; the first `lead` values of the mix were made before.
    """
    n, channels = y.shape
    flat = y.reshape(n * channels)
    sums, energies, state, wide, tile, made, even, odd, planes, tops, marks = walk
    taps = side.shape[0]
    reach = np.float32(0)
    for p in range(filters.shape[0]):
        reach = max(reach, np.float32(np.abs(filters[p]).sum() * 1.00001))
    true_peak: float = np.float32(marks[0])  # type: ignore[assignment]
    mono_energy = marks[1]
    for begin in range(0, end, TILE):
        size = max(0, min(TILE, n - begin))
        _separate(flat, begin, size, planes)
        _look(planes, begin, size, sums, energies, tops)
        mono_energy += _mix(planes, size, tile)
        if taps == 0:
            for i in range(size):
                mono[begin + i] = tile[i]
        else:
            _halve_tile(tile, even, odd, side, made)
            first = begin // 2 - lead
            for i in range(max(0, -first), min(TILE // 2, mono.shape[0] - first)):
                mono[first + i] = made[i]
        for c in range(channels):
            for chunk in range(TILE // CHUNK):
                at = begin // CHUNK + chunk
                top = tops[c, chunk + 1]
                true_peak = max(true_peak, top)
                if at < peaks.shape[0]:
                    peaks[at] = max(peaks[at], top)
                # not even the worst case is higher than what was found
                if reach * max(top, tops[c, chunk]) > true_peak:
                    true_peak = max(true_peak, between_samples(planes[c], BEFORE + chunk * CHUNK, filters))
        for c in range(channels):
            for i in range(size):
                wide[c, i] = planes[c, BEFORE + i]
            for i in range(BEFORE):
                planes[c, i] = planes[c, TILE + i]
        _weigh(wide, phase + begin, size, step, weights, k, state, powers)
        for c in range(channels):
            for i in range(4):
                if abs(state[c, i]) < NOTHING:
                    state[c, i] = 0
    marks[0] = true_peak
    marks[1] = mono_energy


@lru_cache(maxsize=16)
def _filters(channels: int, sr: float, halved: bool) -> tuple[Float32, Float32, tuple[Doubles, Doubles], Doubles]:
    """Of halving, of the true peak and of the K-weighting, and what each channel counts. Shared: do not write to it."""
    phases = oversampler(sr)
    side = half_band(0.0225) if halved else np.zeros(0, np.float32)
    return side, phases[: (len(phases) + 1) // 2], (k_blocks(sr), k_weighting(sr)), channel_weights(channels)


class Surveyor:
    """`survey_waveform` of a signal that comes in stretches: what each says is the same as if it were whole.

    Parameters
    ----------
    n_channels : int >= 1
        Of the signal.
    sr : float > 0
        Its rate, in Hz.
    halved : bool
        Whether the mix is to have half the rate.

    Raises
    ------
    ParameterError
        If a number is out of range.
    """

    def __init__(self, n_channels: int, sr: float, *, halved: bool = False) -> None:
        sr = as_number(sr, "sr", above=0.0)
        channels = as_count(n_channels, "n_channels")
        self.step = max(1, math.floor(sr / 10 + 0.5))
        self.halved = halved
        self.n_samples = 0
        self._walk = _walk(channels)
        self._side, self._filters, self._k, self._weights = _filters(channels, sr, halved)

    def take(self, y: ArrayLike, *, last: bool = True) -> Survey:
        """Walk over the next stretch; all but the last are a multiple of `TILE` samples long.

        Returns
        -------
        seen : Survey
            Of this stretch alone, but for `true_peak`, which is of all so far. The first of its `powers` is what it
            adds to the step that the stretch before left unfinished, where it did. Of a halved mix, the last few values
            come with the next stretch.

        Raises
        ------
        ParameterError
            If `y` is not a matrix of so many channels, is empty, or is not the last and not of whole tiles.
        """
        signal: Float32 = as_array(y, "y", 2)
        n, channels = signal.shape
        walk, taps = self._walk, len(self._side)
        if channels != len(walk.sums) or (n % TILE and not last):
            raise ParameterError(f"{n} samples of {channels} channels cannot be walked over here.")
        lead = 0 if self.n_samples else taps
        made = ((n + 1) // 2 if self.halved else n) - lead + (taps if last else 0)
        mono = np.empty(made, np.float32)
        peaks = np.zeros(-(-n // CHUNK), np.float32)
        phase = self.n_samples % self.step
        powers = np.zeros((phase + n) // self.step + 1)
        walk.sums[:], walk.energies[:], walk.marks[1] = 0, 0, 0
        end = n + max(11, 2 * taps) if last else n
        filters, side = self._filters, self._side
        _survey(signal, end, phase, lead, self.step, self._weights, self._k, filters, side, walk, mono, peaks, powers)
        self.n_samples += n
        sums, energies = walk.sums.copy(), walk.energies.copy()
        true_peak, mono_energy = walk.marks.tolist()
        return Survey(mono, self.halved, n, sums, energies, peaks, powers, self.step, true_peak, mono_energy)


def survey_waveform(y: ArrayLike, sr: float, *, halved: bool = False) -> Survey:
    """Mix channels to one, and measure each on the way.

    ``mono[t] = sum_c y[t, c] / n_channels``, where samples below `NOTHING` count as 0; the levels are what
    `measure_levels` is made from.

    Parameters
    ----------
    y : array of float32, shape (n_samples, n_channels)
        The signal, channels in WAV order.
    sr : float > 0
        Its rate, in Hz.
    halved : bool
        Whether the mix is to have half the rate, as `workers.kernels.decimate.halve` makes it. Then no copy of the
        signal at its own rate is ever made.

    Returns
    -------
    seen : Survey
        The mix, each channel's sum and energy, peaks, weighted powers. A sample that is not finite makes an energy so.

    Raises
    ------
    ParameterError
        If `y` is not a non-empty matrix or ``sr <= 0``.
    """
    signal: Float32 = as_array(y, "y", 2)
    return Surveyor(signal.shape[1], sr, halved=halved).take(signal)


@kernel
def _ends(y: Float32, peaks: Float32, threshold: float, ceiling: float, run: int) -> tuple[int, int, int, int]:
    n, channels = y.shape
    loud = np.float32(threshold)
    chunks = peaks.shape[0]
    first = n
    chunk = 0
    while chunk < chunks and not peaks[chunk] > loud:
        chunk += 1
    for i in range(chunk * CHUNK, n):
        above = False
        for c in range(channels):
            above |= abs(y[i, c]) > loud
        if above:
            first = i
            break
    last = 0
    chunk = chunks - 1
    while chunk >= 0 and not peaks[chunk] > loud:
        chunk -= 1
    for i in range(min(n, (chunk + 1) * CHUNK) - 1, -1, -1):
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
        lengths = np.zeros(channels, np.int64)
        for chunk in range(chunks):
            if peaks[chunk] < top:
                lengths[:] = 0
                continue
            for c in range(channels):
                length = lengths[c]
                for i in range(chunk * CHUNK, min(n, (chunk + 1) * CHUNK)):
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


def find_ends(y: ArrayLike, peaks: Float32, *, threshold: float, ceiling: float = 0.0, run: int = 3) -> Ends:
    """Find where sound begins and ends, and where it is cut off flat.

    Parameters
    ----------
    y : array of float32, shape (n_samples, n_channels)
        The signal.
    peaks : ndarray of float32, shape (ceil(n_samples / CHUNK),)
        Its peaks, of `survey_waveform`: what lies below threshold and ceiling is not looked at again.
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
        If `y` is not a non-empty matrix, `peaks` are not its own in number, or a number is out of range.
    """
    signal: Float32 = as_array(y, "y", 2)
    tops: Float32 = as_array(peaks, "peaks", 1)
    if len(tops) != -(-len(signal) // CHUNK):
        raise ParameterError(f"{len(signal)} samples have {-(-len(signal) // CHUNK)} peaks, not {len(tops)}.")
    threshold = as_number(threshold, "threshold", least=0.0)
    ceiling = as_number(ceiling, "ceiling", least=0.0)
    return Ends(*_ends(signal, tops, threshold, ceiling, as_count(run, "run", least=2)))


@warms
def _warm() -> None:
    y = np.ones((4, 2), np.float32)
    find_ends(y, survey_waveform(y, 44_100, halved=True).peaks, threshold=0.5, ceiling=1.0)
