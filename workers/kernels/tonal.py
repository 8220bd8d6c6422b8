"""From samples to the spectral peaks that carry pitch, sixteen frames at a time."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workers.errors import ParameterError
from workers.kernels.arguments import Doubles, Float32, as_count, as_number, as_vector
from workers.kernels.chroma import LEAST, NEIGHBOURHOOD, STANDS_OUT
from workers.kernels.compiled import kernel, warms
from workers.kernels.frames import log2_lanes
from workers.kernels.lanes import Lanes, higher, lanes_less, load, lower, root, splat, store, where_less
from workers.kernels.transform import WIDTH, plan, power_of_hops, turn_hops
from workers.kernels.vectors import LANES


class TonalPeaks(NamedTuple):
    """What `find_tonal_peaks` returns: three with one element for each peak, then two with one for each frame."""

    pitch: Float32
    """MIDI numbers, A4 = 440 Hz = 69, with their fractions."""
    weight: Float32
    frame: NDArray[np.int64]
    """Index of the peak's frame."""
    tonalness: Float32
    """Share of the frame's magnitude that lies in the bins of peaks that stand out."""
    level: Doubles
    """Root of the frame's power over all bins."""


@kernel
def _magnitudes(power: Float32, n_bins: int, low: int, n: int, row: Float32, level: Float32) -> Lanes:
    """Roots of the bins looked at into `row`, of the sum of all into `level`; the highest of them but its ends."""
    whole = splat(np.float32(0))
    for f in range(n_bins):
        whole += load(power, f * LANES)
    store(level, 0, root(whole))
    top = splat(np.float32(0))
    for f in range(n):
        m = root(load(power, (low + f) * LANES))
        store(row, f * LANES, m)
        if 0 < f < n - 1:
            top = higher(top, m)
    return top


@kernel
def _stand_out(row: Float32, n: int, reach: int, full: float, floor: Lanes, out: Float32, tonal: Float32) -> None:
    """How far each bin stands out, 0 to 1 and only where it is a peak; the frame's share of them into `tonal`."""
    zero = splat(np.float32(0))
    one = splat(np.float32(1))
    tiny = splat(np.float32(1e-30))
    width = splat(np.float32(2 * reach + 1))
    running = splat(np.float32(0))
    whole = splat(np.float32(0))
    for f in range(min(n, reach + 1)):
        running += load(row, f * LANES)
    for f in range(n):
        whole += load(row, f * LANES)
    inside = splat(np.float32(0))
    for f in range(1, n - 1):
        if f + reach < n:
            running += load(row, (f + reach) * LANES)
        if f - reach - 1 >= 0:
            running -= load(row, (f - reach - 1) * LANES)
        a = load(row, (f - 1) * LANES)
        b = load(row, f * LANES)
        c = load(row, (f + 1) * LANES)
        over = (b * width / higher(running, tiny) - one) * np.float32(1.0 / (full - 1))
        over = higher(zero, lower(one, over))
        over = where_less(a, b, over, zero)
        over = where_less(b, c, zero, over)
        over = where_less(floor, b, over, zero)
        inside += over * (a + b + c)
        store(out, f * LANES, over)
    store(tonal, 0, lower(one, inside / higher(whole, tiny)))


@kernel
def _place(row: Float32, f: int, low: int, bin_hz: float, top: Lanes, pitch: Float32, weight: Float32) -> None:
    """Pitch and compressed height of what lies at bin `f`, in every lane."""
    tiny = splat(np.float32(1e-12))
    b = load(row, f * LANES)
    left = log2_lanes(load(row, (f - 1) * LANES) + tiny)
    middle = log2_lanes(b + tiny)
    right = log2_lanes(load(row, (f + 1) * LANES) + tiny)
    bend = left - middle * np.float32(2) + right
    shift = (left - right) * np.float32(0.5) / lower(bend, splat(np.float32(-1e-20)))
    half = splat(np.float32(0.5))
    shift = lower(half, higher(half * np.float32(-1), shift))
    shift = where_less(bend, splat(np.float32(0)), shift, splat(np.float32(0)))
    hz = (shift + np.float32(low + f)) * np.float32(bin_hz / 440)
    store(pitch, 0, log2_lanes(hz) * np.float32(12) + np.float32(69))
    share = b / top
    store(weight, 0, root(share * root(share)))


@kernel
def _find(
    y: Float32,
    n_frames: int,
    low: int,
    n: int,
    bin_hz: float,
    window: Float32,
    twiddles: Float32,
    turns: Float32,
    order: NDArray[np.int64],
    reach: int,
    full: float,
    least: float,
) -> tuple[Float32, Float32, NDArray[np.int64], Float32, Doubles]:
    half = order.shape[0]
    hop = half // 2
    turned = np.zeros(hop * WIDTH, np.float32)
    re = np.empty(half * LANES, np.float32)
    im = np.empty(half * LANES, np.float32)
    power = np.empty((half + 1) * LANES, np.float32)
    row = np.empty(n * LANES, np.float32)
    out = np.empty(n * LANES, np.float32)
    tops = np.empty(LANES, np.float32)
    two = np.empty((2, LANES), np.float32)
    one = np.empty((2, LANES), np.float32)
    most = n_frames * (n // 2 + 1)
    pitch = np.empty(most, np.float32)
    weight = np.empty(most, np.float32)
    frame = np.empty(most, np.int64)
    tonalness = np.zeros(n_frames, np.float32)
    level = np.zeros(n_frames)
    loudest = np.zeros(n_frames, np.float32)
    zero = splat(np.float32(0))
    count = 0
    for t in range(0, n_frames, LANES):
        there = min(LANES, n_frames - t)
        turn_hops(y, (t - 2) * hop, hop, turned, there)
        power_of_hops(turned, window, twiddles, turns, order, re, im, power, there)
        top = higher(_magnitudes(power, half + 1, low, n, row, one[0]), splat(np.float32(1e-30)))
        _stand_out(row, n, reach, full, top * np.float32(least), out, one[1])
        store(tops, 0, top)
        for lane in range(there):
            level[t + lane] = one[0, lane]
            tonalness[t + lane] = one[1, lane]
            loudest[t + lane] = tops[lane]
        mask = (1 << there) - 1
        for f in range(1, n - 1):
            found = lanes_less(zero, load(out, f * LANES)) & mask
            if found == 0:
                continue
            _place(row, f, low, bin_hz, top, two[0], two[1])
            lane = 0
            while found:
                if found & 1:
                    pitch[count] = two[0, lane]
                    weight[count] = two[1, lane] * out[f * LANES + lane]
                    frame[count] = t + lane
                    count += 1
                found >>= 1
                lane += 1
    highest = np.float32(1e-30)
    for t in range(n_frames):
        highest = max(highest, loudest[t])
    for i in range(count):
        weight[i] *= math.sqrt(math.sqrt(loudest[frame[i]] / highest))
    return pitch[:count].copy(), weight[:count].copy(), frame[:count].copy(), tonalness, level


def find_tonal_peaks(
    y: ArrayLike, sr: float, *, n_fft: int = 4096, fmin: float = 50.0, fmax: float = 2200.0
) -> TonalPeaks:
    """Find the spectral peaks that carry pitch, frame by frame.

    The peaks that `workers.kernels.chroma.tonal_peaks` finds in ``stft_power(y, n_fft, n_fft // 4)``, in one pass:
    those of sixteen neighbouring frames from low to high, then those of the next sixteen.

    Parameters
    ----------
    y : array of float32, shape (n_samples,)
        The signal.
    sr : float > 0
        Its rate, in Hz.
    n_fft : int, a power of two of at least 16
        Length of a frame; frame ``t`` is centred on sample ``t * n_fft // 4``.
    fmin, fmax : float
        Lowest and highest frequency looked at, in Hz.

    Returns
    -------
    peaks : TonalPeaks
        Deaf to gain, but for the level.

    Raises
    ------
    ParameterError
        If `y` is not a non-empty vector, or fewer than 3 bins lie between `fmin` and `fmax`.
    """
    signal: Float32 = as_vector(y, "y")
    n_fft = as_count(n_fft, "n_fft", least=16)
    if n_fft & (n_fft - 1):
        raise ParameterError(f"n_fft must be a power of two, not {n_fft}.")
    bin_hz = as_number(sr, "sr", above=0.0) / n_fft
    low = max(1, math.ceil(as_number(fmin, "fmin", above=0.0) / bin_hz) - 1)
    high = min(n_fft // 2 + 1, math.floor(as_number(fmax, "fmax", above=0.0) / bin_hz) + 2)
    if high - low < 3:
        raise ParameterError(f"Fewer than 3 bins of {bin_hz:g} Hz lie between {fmin:g} and {fmax:g} Hz.")
    n_frames = 1 + len(signal) // (n_fft // 4)
    return TonalPeaks(*_find(signal, n_frames, low, high - low, bin_hz, *plan(n_fft), NEIGHBOURHOOD, STANDS_OUT, LEAST))


@warms
def _warm() -> None:
    find_tonal_peaks(np.ones(4, np.float32), 100.0, n_fft=16, fmin=6.0, fmax=50.0)
