"""Loudness and level: EBU R 128 over ITU-R BS.1770-4, true peak, RMS.

One pass over the samples, a tile at a time: a tile of one channel is filtered, summed and oversampled while it is in
the first-level cache.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from workers.errors import ParameterError
from workers.kernels.arguments import Doubles, Float32, as_array, as_number
from workers.kernels.compiled import kernel, warms

ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_LU = -10.0
TILE = 1024
CHUNK = 64
"""Samples oversampled, or passed over, together; tiles are whole chunks."""

# BS.1770-4, annex 2: the first two of four phases; the others are these two, backwards
_QUARTER = np.array(
    [
        [0.001708984375, 0.010986328125, -0.0196533203125, 0.033203125, -0.0594482421875, 0.1373291015625],
        [0.97216796875, -0.102294921875, 0.047607421875, -0.026611328125, 0.014892578125, -0.00830078125],
        [-0.0291748046875, 0.029296875, -0.0517578125, 0.089111328125, -0.16650390625, 0.465087890625],
        [0.77978515625, -0.2003173828125, 0.1015625, -0.0582275390625, 0.0330810546875, -0.0189208984375],
    ],
    np.float32,
).reshape(2, 12)


class Levels(NamedTuple):
    """What `measure_levels` returns."""

    integrated_lufs: float
    ungated_lufs: float
    momentary_max_lufs: float
    true_peak_dbtp: float
    sample_peak_dbfs: float
    rms_dbfs: float


@lru_cache(maxsize=16)
def k_weighting(sr: float) -> Doubles:
    """The two filters of K-weighting at `sr`: rows (b0, b1, b2, a1, a2) of the shelf and of the high-pass.

    The analogue filters behind the table that BS.1770 gives for 48 kHz, through the bilinear transform
    (B. De Man, "Evaluation of implementations of the EBU R128 loudness measurement", AES 145, 2018). Where the
    shelf's corner, 1682 Hz, is not below Nyquist, there is nothing for it to lift.
    """
    shelf = np.array([1.0, 0.0, 0.0, 0.0, 0.0])
    corner, q, gain_db = 1681.974450955533, 0.7071752369554196, 3.999843853973347
    if corner < 0.49 * sr:
        k = math.tan(math.pi * corner / sr)
        high = 10 ** (gain_db / 20)
        band = high**0.4996667741545416
        a0 = 1 + k / q + k * k
        feed = (high + band * k / q + k * k, 2 * (k * k - high), high - band * k / q + k * k)
        shelf = np.array([*feed, 2 * (k * k - 1), 1 - k / q + k * k]) / a0
    corner, q = 38.13547087602444, 0.5003270373238773
    k = math.tan(math.pi * min(corner / sr, 0.49))
    a0 = 1 + k / q + k * k
    high_pass = np.array([1.0, -2.0, 1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0])
    return np.stack([shelf, high_pass])


def channel_weights(n: int) -> Doubles:
    """Weights of `n` channels in WAV order: surround 1.41, the low-frequency channel 0, all others 1.

    Rear channels of 7.1 are behind 120 degrees and weigh 1, as BS.1770-4 says.
    """
    surround = {4: (2, 3), 5: (3, 4), 6: (4, 5), 8: (6, 7)}
    weights = np.ones(n)
    weights[list(surround.get(n, ()))] = 1.41
    if n in (6, 8):
        weights[3] = 0.0
    return weights


@lru_cache(maxsize=16)
def oversampler(sr: float) -> Float32:
    """Interpolating filters, one a row, taps in the order of the samples they meet: 4x below 96 kHz, 2x below 192."""
    if sr < 96_000:
        a, b = _QUARTER[:, ::-1]
        return np.stack([a, b, b[::-1], a[::-1]])
    if sr < 192_000:
        at = np.arange(12) - 5.5
        half = np.sinc(at) * (0.5 + 0.5 * np.cos(np.pi * at / 6.5))
        return np.asarray((half / half.sum())[np.newaxis], np.float32)
    return np.zeros((0, 12), np.float32)


@kernel
def _highest(x: Float32) -> float:
    """Largest absolute value; NaN if there is one.

    As integers: the bits of floats without their sign are in the order of the floats, and a maximum of integers fills
    vector registers where one of floats, because of NaN, may not.
    """
    bits = x.view(np.int32)
    highest = np.int32(0)
    for i in range(bits.shape[0]):
        highest = max(highest, np.int32(bits[i] & np.int32(0x7FFFFFFF)))
    found = np.empty(1, np.int32)
    found[0] = highest
    return float(found.view(np.float32)[0])


@kernel
def _true_peak(x: Float32, n: int, filters: Float32, peak: float) -> float:
    """Highest of `peak` and the oversampled ``x[11 : 11 + n]``; eleven samples before it, zeros behind."""
    reach = np.float64(0)
    for p in range(filters.shape[0]):
        reach = max(reach, np.abs(filters[p]).sum())
    between = np.empty(CHUNK, np.float32)
    for begin in range(0, n, CHUNK):
        near = x[begin : begin + CHUNK + 11]
        if reach * _highest(near) <= peak:
            continue  # not even the worst case is higher than what was found
        for p in range(filters.shape[0]):
            h = filters[p]
            h0, h1, h2, h3, h4, h5 = h[0], h[1], h[2], h[3], h[4], h[5]
            h6, h7, h8, h9, h10, h11 = h[6], h[7], h[8], h[9], h[10], h[11]
            for i in range(CHUNK):
                early = near[i] * h0 + near[i + 1] * h1 + near[i + 2] * h2 + near[i + 3] * h3 + near[i + 4] * h4
                middle = near[i + 5] * h5 + near[i + 6] * h6 + near[i + 7] * h7 + near[i + 8] * h8
                between[i] = early + middle + near[i + 9] * h9 + near[i + 10] * h10 + near[i + 11] * h11
            peak = max(peak, _highest(between))
    return peak


@kernel(in_order=True)
def _k_energy(x: Float32, filters: Doubles, state: Doubles) -> float:
    """Energy of `x` behind both filters; `state` holds the last two values before, between and behind them."""
    s0, s1, s2, s3, s4 = filters[0]
    h3, h4 = filters[1, 3], filters[1, 4]
    x1, x2, u1, u2, v1, v2 = state
    energy = np.float64(0)
    for i in range(x.shape[0]):
        x0 = np.float64(x[i])
        # what the last value decides comes last: only that one product waits for it
        u0 = (s0 * x0 + s1 * x1 + s2 * x2 - s4 * u2) - s3 * u1
        v0 = (u0 - 2 * u1 + u2 - h4 * v2) - h3 * v1
        energy += v0 * v0
        x2, x1, u2, u1, v2, v1 = x1, x0, u1, u0, v1, v0
    state[0], state[1], state[2], state[3], state[4], state[5] = x1, x2, u1, u2, v1, v2
    return energy


@kernel
def _squares(x: Float32) -> float:
    squares = np.float64(0)
    for i in range(x.shape[0]):
        squares += np.float64(x[i]) * np.float64(x[i])
    return squares


@kernel
def _levels(
    y: Float32, weights: Doubles, k_filters: Doubles, filters: Float32, step: int
) -> tuple[Doubles, float, float, float]:
    n, n_channels = y.shape
    powers = np.zeros(n // step + 1)  # weighted energy of each 100 ms
    state = np.zeros((n_channels, 6))
    history = np.zeros((n_channels, 11 + TILE), np.float32)
    squares = np.float64(0)
    peak: float = 0.0
    true_peak: float = 0.0
    for begin in range(0, n + 11, TILE):
        size = max(0, min(TILE, n - begin))
        for c in range(n_channels):
            x = history[c]
            fresh = x[11 : 11 + size]
            fresh[:] = y[begin : begin + size, c]
            x[11 + size :] = 0
            squares += _squares(fresh)
            peak = max(peak, _highest(fresh))
            true_peak = _true_peak(x, min(TILE, n + 11 - begin), filters, max(true_peak, peak))
            start = 0
            while start < size:
                block = (begin + start) // step
                stop = min(size, (block + 1) * step - begin)
                powers[block] += weights[c] * _k_energy(fresh[start:stop], k_filters, state[c])
                start = stop
            x[:11] = x[TILE:].copy()
    return powers, squares, peak, true_peak


def _lufs(power: float) -> float:
    return -0.691 + 10 * math.log10(power) if power > 0 else -math.inf


def _decibels(amplitude: float) -> float:
    return 20 * math.log10(amplitude) if amplitude > 0 else -math.inf


def _integrate(blocks: Doubles) -> float:
    """Loudness of 400 ms blocks through both gates; NaN where none passes."""
    loud = blocks[blocks > 10 ** ((ABSOLUTE_GATE_LUFS + 0.691) / 10)]
    if len(loud) == 0:
        return math.nan
    gated = loud[loud > loud.mean() * 10 ** (RELATIVE_GATE_LU / 10)]
    return _lufs(float(gated.mean()))


def measure_levels(y: ArrayLike, sr: float) -> Levels:
    """Measure loudness, true peak, peak and RMS in one pass.

    ``L = -0.691 + 10 log10(sum_c G_c mean(K(y_c)^2))`` over blocks of 400 ms that overlap by 75 % and pass a gate at
    -70 LUFS and one 10 LU below what passed that [1]_ [2]_.

    Parameters
    ----------
    y : array of float32, shape (n_samples, n_channels) or (n_samples,)
        The signal, full scale at 1.0, channels in WAV order.
    sr : float
        Sampling rate, in Hz.

    Returns
    -------
    integrated_lufs : float
        Integrated loudness, in LUFS. NaN where no block passes the gate: silence, and anything shorter than 400 ms.
    ungated_lufs : float
        Loudness of the whole without blocks and gates, in LUFS: defined for the shortest hit. -inf for silence.
    momentary_max_lufs : float
        Loudness of the loudest block, in LUFS. NaN for anything shorter than 400 ms.
    true_peak_dbtp : float
        Highest value between the samples too, in dBTP: four times oversampled below 96 kHz, twice below 192 kHz.
        Never lower than the sample peak; -inf for silence.
    sample_peak_dbfs, rms_dbfs : float
        Highest sample, and root mean square over samples and channels, in dB of full scale. -inf for silence.

    Raises
    ------
    ParameterError
        If `y` is neither a non-empty vector nor matrix, holds NaN or infinity, or ``sr <= 0``.

    References
    ----------
    .. [1] Recommendation ITU-R BS.1770-4, "Algorithms to measure audio programme loudness and true-peak audio level",
       2015.
    .. [2] EBU R 128, "Loudness normalisation and permitted maximum level of audio signals", 2020.
    """
    sr = as_number(sr, "sr", above=0.0)
    array = np.asarray(y)
    signal = as_array(array[:, np.newaxis] if array.ndim == 1 else array, "y", 2)
    step = max(1, math.floor(sr / 10 + 0.5))
    n, n_channels = signal.shape
    powers, squares, peak, true_peak = _levels(
        signal, channel_weights(n_channels), k_weighting(sr), oversampler(sr), step
    )
    if not math.isfinite(squares):
        raise ParameterError("y holds NaN or infinite samples.")
    whole = powers[: n // step]
    blocks = np.convolve(whole, np.full(4, 0.25 / step), "valid") if len(whole) >= 4 else np.zeros(0)
    return Levels(
        integrated_lufs=_integrate(blocks),
        ungated_lufs=_lufs(float(powers.sum()) / n),
        momentary_max_lufs=_lufs(float(blocks.max())) if len(blocks) else math.nan,
        true_peak_dbtp=_decibels(true_peak),
        sample_peak_dbfs=_decibels(peak),
        rms_dbfs=_decibels(math.sqrt(squares / signal.size)),
    )


def integrated_loudness(y: ArrayLike, sr: float) -> float:
    """Integrated loudness in LUFS, of `measure_levels`: NaN where nothing passes the gate.

    ``-0.691 + 10 log10`` of the mean weighted power of the blocks that pass both gates. Raises ParameterError.
    """
    return measure_levels(y, sr).integrated_lufs


def true_peak(y: ArrayLike, sr: float) -> float:
    """True peak in dBTP, of `measure_levels`: -inf for silence.

    ``20 log10 max_t |y(t)|`` over the oversampled signal. Raises ParameterError.
    """
    return measure_levels(y, sr).true_peak_dbtp


@warms
def _warm() -> None:
    measure_levels(np.zeros((2, 1), np.float32), 44_100)
