"""The filters of loudness and true peak, and what they make of a stretch of one or two channels."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from workers.kernels.arguments import Doubles, Float32
from workers.kernels.compiled import kernel
from workers.kernels.lanes import (
    Doubles8,
    higher,
    highest,
    load,
    load_doubles,
    magnitude,
    splat,
    splat_double,
    spread_0,
    spread_1,
    spread_2,
    spread_3,
    store_doubles,
    total_of_doubles,
)
from workers.kernels.vectors import LANES

CHUNK = 64
"""Samples oversampled, or passed over, together."""

BEFORE = 16
"""Samples kept from before a stretch: interpolation looks 11 back."""

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


@lru_cache(maxsize=16)
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


@lru_cache(maxsize=16)
def k_blocks(sr: float) -> Doubles:
    """Both filters as one step over eight samples: two tables of (12, 8), each flat.

    A filter's output is a sum over what came in and what it remembers. For eight samples that is twelve columns: of the
    eight samples and of four numbers remembered. Row ``j`` of the first table is what sample ``j`` adds to the eight
    outputs, row ``8 + m`` what number ``m`` does; the second table says the same of the numbers to remember.
    """
    shelf, high_pass = k_weighting(sr)
    columns = np.zeros((2, 12, 8))
    for which in range(12):
        x = [1.0 if which == j else 0.0 for j in range(8)]
        z = [1.0 if which == 8 + m else 0.0 for m in range(4)]
        for i in range(8):
            u = shelf[0] * x[i] + z[0]
            z[0], z[1] = shelf[1] * x[i] - shelf[3] * u + z[1], shelf[2] * x[i] - shelf[4] * u
            v = u + z[2]
            z[2], z[3] = -2 * u - high_pass[3] * v + z[3], u - high_pass[4] * v
            columns[0, which, i] = v
        columns[1, which, :4] = z
    return columns.reshape(2, 96)


@kernel
def between_samples(x: Float32, begin: int, filters: Float32) -> float:
    """Highest magnitude of the oversampled chunk that begins at ``x[begin]``; eleven samples before it are looked at.

    `filters` are half of the phases: each is used forwards and backwards.
    """
    top = splat(np.float32(0))
    for i in range(begin - 11, begin - 11 + CHUNK, LANES):
        x0 = load(x, i)
        x1 = load(x, i + 1)
        x2 = load(x, i + 2)
        x3 = load(x, i + 3)
        x4 = load(x, i + 4)
        x5 = load(x, i + 5)
        x6 = load(x, i + 6)
        x7 = load(x, i + 7)
        x8 = load(x, i + 8)
        x9 = load(x, i + 9)
        x10 = load(x, i + 10)
        x11 = load(x, i + 11)
        for p in range(filters.shape[0]):
            h = filters[p]
            one = x0 * h[0] + x1 * h[1] + x2 * h[2] + x3 * h[3] + x4 * h[4] + x5 * h[5]
            two = x6 * h[6] + x7 * h[7] + x8 * h[8] + x9 * h[9] + x10 * h[10] + x11 * h[11]
            top = higher(top, magnitude(one + two))
            one = x11 * h[0] + x10 * h[1] + x9 * h[2] + x8 * h[3] + x7 * h[4] + x6 * h[5]
            two = x5 * h[6] + x4 * h[7] + x3 * h[8] + x2 * h[9] + x1 * h[10] + x0 * h[11]
            top = higher(top, magnitude(one + two))
    return highest(top)


@kernel
def _step(
    x: Doubles, i: int, table: Doubles, first: Doubles8, second: Doubles8, third: Doubles8, fourth: Doubles8
) -> Doubles8:
    """What eight samples and four numbers remembered add up to."""
    one = splat_double(x[i]) * load_doubles(table, 0) + splat_double(x[i + 1]) * load_doubles(table, 8)
    two = splat_double(x[i + 2]) * load_doubles(table, 16) + splat_double(x[i + 3]) * load_doubles(table, 24)
    one += splat_double(x[i + 4]) * load_doubles(table, 32) + splat_double(x[i + 5]) * load_doubles(table, 40)
    two += splat_double(x[i + 6]) * load_doubles(table, 48) + splat_double(x[i + 7]) * load_doubles(table, 56)
    one = (one + two) + first * load_doubles(table, 64)
    two = second * load_doubles(table, 72) + third * load_doubles(table, 80)
    return (one + fourth * load_doubles(table, 88)) + two


@kernel
def _k_rest(x: Doubles, begin: int, end: int, filters: Doubles, state: Doubles) -> float:
    """The energy of fewer than eight samples, one after the other."""
    energy = 0.0
    for i in range(begin, end):
        u = filters[0, 0] * x[i] + state[0]
        state[0] = filters[0, 1] * x[i] - filters[0, 3] * u + state[1]
        state[1] = filters[0, 2] * x[i] - filters[0, 4] * u
        out = u + state[2]
        state[2] = -2 * u - filters[1, 3] * out + state[3]
        state[3] = u - filters[1, 4] * out
        energy += out * out
    return energy


@kernel
def k_energy(x: Doubles, begin: int, end: int, blocks: Doubles, filters: Doubles, state: Doubles) -> float:
    """Energy of ``x[begin:end]`` behind both filters; the first four of `state`, (8,), are what they remember."""
    squares = splat_double(0.0)
    z = load_doubles(state, 0)
    i = begin
    while i + 8 <= end:
        first = spread_0(z)
        second = spread_1(z)
        third = spread_2(z)
        fourth = spread_3(z)
        v = _step(x, i, blocks[0], first, second, third, fourth)
        z = _step(x, i, blocks[1], first, second, third, fourth)
        squares += v * v
        i += 8
    store_doubles(state, 0, z)
    return total_of_doubles(squares) + _k_rest(x, i, end, filters, state)


@kernel
def k_energy_of_two(
    x: Doubles, y: Doubles, begin: int, end: int, blocks: Doubles, filters: Doubles, one: Doubles, two: Doubles
) -> tuple[float, float]:
    """The same of two channels: each waits for its own memory, so both take hardly longer than one."""
    squares = splat_double(0.0)
    others = splat_double(0.0)
    z = load_doubles(one, 0)
    w = load_doubles(two, 0)
    i = begin
    while i + 8 <= end:
        v = _step(x, i, blocks[0], spread_0(z), spread_1(z), spread_2(z), spread_3(z))
        u = _step(y, i, blocks[0], spread_0(w), spread_1(w), spread_2(w), spread_3(w))
        z = _step(x, i, blocks[1], spread_0(z), spread_1(z), spread_2(z), spread_3(z))
        w = _step(y, i, blocks[1], spread_0(w), spread_1(w), spread_2(w), spread_3(w))
        squares += v * v
        others += u * u
        i += 8
    store_doubles(one, 0, z)
    store_doubles(two, 0, w)
    energy = total_of_doubles(squares) + _k_rest(x, i, end, filters, one)
    return energy, total_of_doubles(others) + _k_rest(y, i, end, filters, two)
