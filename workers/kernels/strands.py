"""One long signal transformed at once: its sixteen strands, one in each lane.

Strand ``l`` is every sixteenth sample from the ``l``-th on, so that sixteen neighbours are a row and nothing has to be
turned to get in. A transform of all strands, turned by their own angle, leaves sixteen numbers a row whose transform
is the signal's: rows are turned over in squares of sixteen and that is done in registers, too. Where only the first
bins are wanted, each is one sum over a row instead.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workers.kernels.arguments import Float32
from workers.kernels.compiled import kernel
from workers.kernels.lanes import load, store, total
from workers.kernels.transform import butterflies, passes, plain_plan
from workers.kernels.vectors import LANES

LEAST = 8 * LANES
"""The shortest signal, in samples."""

SQUARE = LANES * LANES


class Strands(NamedTuple):
    """What the transform of one length needs. Shared: do not write to it."""

    twiddles: Float32
    """Of a strand, whose samples go in as pairs; as `plain_plan` has them."""
    order: NDArray[np.int64]
    """Where each bin of a strand lies, in floats, (n / 32,)."""
    turns: Float32
    """Cosine and minus sine of each bin's angle on a strand, (n / 32 + 1, 2)."""
    cosines: Float32
    """Half the cosine of each bin's angle, times each lane: a row of lanes for each bin; the next likewise."""
    sines: Float32
    across: Float32
    """Twiddles of the sixteen numbers of a row."""
    across_order: NDArray[np.int64]
    sixteenths: Float32
    """Cosines, then sines, of sixteenths of a turn: a row for each of the sixteen bins, (2 * 256,)."""


@lru_cache(maxsize=4)
def strand_plan(n: int) -> Strands:
    """The plan for signals of `n` samples, a power of two of at least `LEAST`."""
    pairs = n // (2 * LANES)
    k, lane = np.arange(pairs + 1), np.arange(LANES)
    on_strand = np.pi * k / pairs
    own = 2 * np.pi / n * np.outer(k, lane).reshape(-1)
    across = 2 * np.pi / LANES * np.outer(lane, lane).reshape(-1)
    return Strands(
        *plain_plan(pairs),
        np.stack([np.cos(on_strand), -np.sin(on_strand)], axis=1).astype(np.float32),
        (0.5 * np.cos(own)).astype(np.float32),
        (0.5 * np.sin(own)).astype(np.float32),
        *plain_plan(LANES),
        np.concatenate([np.cos(across), np.sin(across)]).astype(np.float32),
    )


@kernel
def transform_strands(
    x: Float32, re: Float32, im: Float32, out_re: Float32, out_im: Float32, *plan: NDArray[Any]
) -> None:
    """Transform the strands of `x` and turn each by its angle: bins 0 to n / 32, a row of lanes each, into `out`.

    ``out[k, l] = exp(-2 pi i l k / n) sum_r x[16 r + l] exp(-2 pi i r k / (n / 16))``; all others mirror these.
    """
    twiddles, order, turns, cosines, sines = plan[:5]
    pairs = order.shape[0]
    for q in range(pairs):
        store(re, q * LANES, load(x, 2 * q * LANES))
        store(im, q * LANES, load(x, (2 * q + 1) * LANES))
    passes(re, im, pairs, twiddles)
    for k in range(pairs + 1):
        p = order[k % pairs]
        q = order[(pairs - k) % pairs]
        a = load(re, p)
        b = load(im, p)
        c = load(re, q)
        d = load(im, q)
        odd_r = b + d
        odd_i = c - a
        wr = turns[k, 0]
        wi = turns[k, 1]
        xr = a + c + odd_r * wr - odd_i * wi
        xi = b - d + odd_r * wi + odd_i * wr
        cosine = load(cosines, k * LANES)
        sine = load(sines, k * LANES)
        store(out_re, k * LANES, xr * cosine + xi * sine)
        store(out_im, k * LANES, xi * cosine - xr * sine)


@kernel
def power_across(
    out_re: Float32, out_im: Float32, re: Float32, im: Float32, power: Float32, *plan: NDArray[Any]
) -> None:
    """Power of all bins, from the rows of `transform_strands`; `re` and `im` have room for a square."""
    across, across_order = plan[5:7]
    n = power.shape[0]
    pairs = n // (2 * LANES)
    strand = 2 * pairs
    for first in range(0, pairs + 1, LANES):
        there = min(LANES, pairs + 1 - first)
        for k in range(there):
            for lane in range(LANES):
                re[lane * LANES + k] = out_re[(first + k) * LANES + lane]
                im[lane * LANES + k] = out_im[(first + k) * LANES + lane]
        butterflies(re, im, 0, LANES, across, 0)
        for quarter in range(0, LANES, LANES // 4):
            butterflies(re, im, quarter, LANES // 4, across, 6 * (LANES // 4))
        for m in range(LANES):
            a = load(re, across_order[m])
            b = load(im, across_order[m])
            store(re, across_order[m], a * a + b * b)
            for k in range(there):
                power[m * strand + first + k] = re[across_order[m] + k]
    for m in range(LANES):
        for k in range(m * strand + pairs + 1, (m + 1) * strand):
            power[k] = power[n - k]


@kernel
def first_real_bins(out_re: Float32, out_im: Float32, bins: Float32, *plan: NDArray[Any]) -> None:
    """The real parts of the first bins, as many as `bins` holds, from the rows of `transform_strands`."""
    pairs, sixteenths = plan[1].shape[0], plan[7]
    strand = 2 * pairs
    count = bins.shape[0]
    m = 0
    while m * strand < count:
        cosine = load(sixteenths, m * LANES)
        sine = load(sixteenths, SQUARE + m * LANES)
        for k in range(min(pairs + 1, count - m * strand)):
            row = load(out_re, k * LANES) * cosine + load(out_im, k * LANES) * sine
            bins[m * strand + k] = total(row)
        last = LANES - 1 - m
        cosine = load(sixteenths, last * LANES)
        sine = load(sixteenths, SQUARE + last * LANES)
        for k in range(pairs + 1, min(strand, count - m * strand)):
            back = strand - k
            row = load(out_re, back * LANES) * cosine + load(out_im, back * LANES) * sine
            bins[m * strand + k] = total(row)
        m += 1
