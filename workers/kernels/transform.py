"""Sixteen frames transformed at once, one in each lane.

A frame is four hops long. So what sixteen frames need is sixteen hops and three, turned over once: sample ``j`` of each
hop in a row, and a frame's ``q``-th quarter is that row, ``q`` lanes on. The first pass of a radix-4 transform
combines just these quarters, so framing and window are part of it.

Real samples go in as pairs, one complex number each, and the spectrum is taken apart at the end. Passes are in place;
that leaves the bins with the digits of their number turned round, which costs nothing where a row is a cache line.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workers.kernels.arguments import Float32
from workers.kernels.compiled import kernel
from workers.kernels.lanes import load, store
from workers.kernels.vectors import LANES

WIDTH = LANES + 4
"""Lanes of a turned row: sixteen hops, the three behind them, one of padding."""


class Plan(NamedTuple):
    """What a transform of one length needs. Shared: do not write to it."""

    window: Float32
    """Half the periodic Hann window, (n_fft,): the halves of the last step are in it."""
    twiddles: Float32
    """Six numbers a butterfly: cosine and minus sine of once, twice and thrice its angle; pass after pass."""
    turns: Float32
    """Cosine and minus sine of each bin's angle up to the middle, (n_fft // 4 + 1, 2)."""
    order: NDArray[np.int64]
    """Where each bin of the complex transform lies, in floats, (n_fft // 2,)."""


@lru_cache(maxsize=8)
def plan(n_fft: int) -> Plan:
    """The plan for frames of `n_fft` samples, a power of two of at least 16."""
    half = n_fft // 2
    k = np.arange(n_fft)
    window = 0.25 - 0.25 * np.cos(2 * np.pi * k / n_fft)
    angles = 2 * np.pi * np.arange(n_fft // 4 + 1) / n_fft
    turns = np.stack([np.cos(angles), -np.sin(angles)], axis=1)
    return Plan(window.astype(np.float32), _twiddles(half), turns.astype(np.float32), _order(half))


@lru_cache(maxsize=8)
def _twiddles(n: int) -> Float32:
    passes = []
    size = n
    while size >= 4:
        angles = 2 * np.pi / size * np.outer(np.arange(size // 4), (1, 2, 3))
        passes.append(np.stack([np.cos(angles), -np.sin(angles)], axis=2).reshape(-1))
        size //= 4
    return np.concatenate(passes).astype(np.float32)


@lru_cache(maxsize=8)
def _order(n: int) -> NDArray[np.int64]:
    """Where the passes leave each bin of a transform of `n`."""
    bins = np.zeros(1, np.int64)
    size = n
    radices = []
    while size > 1:
        radices.append(4 if size >= 4 else 2)
        size //= radices[-1]
    # bins at the positions of a block of the last pass, then of ever larger blocks
    for radix in reversed(radices):
        bins = np.concatenate([radix * bins + digit for digit in range(radix)])
    order = np.empty(n, np.int64)
    order[bins] = np.arange(n) * LANES
    return order


def plain_plan(n: int) -> tuple[Float32, NDArray[np.int64]]:
    """Twiddles and order of a complex transform of `n` rows, a power of two of at least 16, for `passes`."""
    return _twiddles(n), _order(n)


@kernel
def turn_hops(y: Float32, first: int, hop: int, turned: Float32, frames: int) -> None:
    """Put sample ``j`` of hop ``l`` at ``turned[j * WIDTH + l]``, as many hops as the first `frames` need.

    Hop 0 begins at ``y[first]``, zeros outside `y`.
    """
    n = y.shape[0]
    for lane in range(frames + 3):
        start = first + lane * hop
        low = min(max(0, -start), hop)
        high = max(low, min(hop, n - start))
        for j in range(low):
            turned[j * WIDTH + lane] = 0
        for j in range(low, high):
            turned[j * WIDTH + lane] = y[start + j]
        for j in range(high, hop):
            turned[j * WIDTH + lane] = 0


@kernel
def _first_pass(turned: Float32, window: Float32, twiddles: Float32, re: Float32, im: Float32) -> None:
    hop = window.shape[0] // 4
    quarter = hop // 2
    step = quarter * LANES
    for m in range(quarter):
        even = 2 * m * WIDTH
        odd = even + WIDTH
        at = 2 * m
        ar = load(turned, even) * window[at]
        br = load(turned, even + 1) * window[at + hop]
        cr = load(turned, even + 2) * window[at + 2 * hop]
        dr = load(turned, even + 3) * window[at + 3 * hop]
        ai = load(turned, odd) * window[at + 1]
        bi = load(turned, odd + 1) * window[at + hop + 1]
        ci = load(turned, odd + 2) * window[at + 2 * hop + 1]
        di = load(turned, odd + 3) * window[at + 3 * hop + 1]
        acr = ar + cr
        aci = ai + ci
        bdr = br + dr
        bdi = bi + di
        acr_ = ar - cr
        aci_ = ai - ci
        bdr_ = br - dr
        bdi_ = bi - di
        w = 6 * m
        i = m * LANES
        store(re, i, acr + bdr)
        store(im, i, aci + bdi)
        tr = acr_ + bdi_
        ti = aci_ - bdr_
        store(re, i + step, tr * twiddles[w] - ti * twiddles[w + 1])
        store(im, i + step, tr * twiddles[w + 1] + ti * twiddles[w])
        tr = acr - bdr
        ti = aci - bdi
        store(re, i + 2 * step, tr * twiddles[w + 2] - ti * twiddles[w + 3])
        store(im, i + 2 * step, tr * twiddles[w + 3] + ti * twiddles[w + 2])
        tr = acr_ - bdi_
        ti = aci_ + bdr_
        store(re, i + 3 * step, tr * twiddles[w + 4] - ti * twiddles[w + 5])
        store(im, i + 3 * step, tr * twiddles[w + 5] + ti * twiddles[w + 4])


@kernel
def butterflies(re: Float32, im: Float32, begin: int, size: int, twiddles: Float32, first: int) -> None:
    """One radix-4 pass over the `size` rows from row `begin` on; its twiddles begin at `first`."""
    quarter = size // 4
    step = quarter * LANES
    for m in range(quarter):
        i = (begin + m) * LANES
        w = first + 6 * m
        ar = load(re, i)
        ai = load(im, i)
        br = load(re, i + step)
        bi = load(im, i + step)
        cr = load(re, i + 2 * step)
        ci = load(im, i + 2 * step)
        dr = load(re, i + 3 * step)
        di = load(im, i + 3 * step)
        acr = ar + cr
        aci = ai + ci
        bdr = br + dr
        bdi = bi + di
        acr_ = ar - cr
        aci_ = ai - ci
        bdr_ = br - dr
        bdi_ = bi - di
        store(re, i, acr + bdr)
        store(im, i, aci + bdi)
        tr = acr_ + bdi_
        ti = aci_ - bdr_
        store(re, i + step, tr * twiddles[w] - ti * twiddles[w + 1])
        store(im, i + step, tr * twiddles[w + 1] + ti * twiddles[w])
        tr = acr - bdr
        ti = aci - bdi
        store(re, i + 2 * step, tr * twiddles[w + 2] - ti * twiddles[w + 3])
        store(im, i + 2 * step, tr * twiddles[w + 3] + ti * twiddles[w + 2])
        tr = acr_ - bdi_
        ti = aci_ + bdr_
        store(re, i + 3 * step, tr * twiddles[w + 4] - ti * twiddles[w + 5])
        store(im, i + 3 * step, tr * twiddles[w + 5] + ti * twiddles[w + 4])


@kernel
def last_pairs(re: Float32, im: Float32, begin: int, size: int) -> None:
    """The radix-2 pass that is left where the length is no power of four."""
    for m in range(0, size, 2):
        i = (begin + m) * LANES
        ar = load(re, i)
        ai = load(im, i)
        br = load(re, i + LANES)
        bi = load(im, i + LANES)
        store(re, i, ar + br)
        store(im, i, ai + bi)
        store(re, i + LANES, ar - br)
        store(im, i + LANES, ai - bi)


@kernel
def _quarters(re: Float32, im: Float32, begin: int, quarter: int, twiddles: Float32) -> None:
    """All passes but the first over the quarter that begins at row `begin`."""
    size = quarter
    first = 6 * quarter
    while size >= 4:
        for block in range(begin, begin + quarter, size):
            butterflies(re, im, block, size, twiddles, first)
        first += 6 * (size // 4)
        size //= 4
    if size == 2:
        last_pairs(re, im, begin, quarter)


@kernel
def remaining_passes(re: Float32, im: Float32, n: int, twiddles: Float32) -> None:
    """All passes but the first, each quarter to its end before the next: a quarter fits the first-level cache."""
    quarter = n // 4
    for begin in range(0, n, quarter):
        _quarters(re, im, begin, quarter, twiddles)


@kernel
def remaining_of_few(re: Float32, im: Float32, n: int, twiddles: Float32, width: int) -> None:
    """The same for the first `width` lanes, 4 or 8: quarters lie beside each other in the lanes that are free.

    What lies in the other lanes is lost.
    """
    quarter = n // 4
    beside = LANES // width
    for first in range(0, 4, beside):
        begin = first * quarter
        _beside(re, begin, quarter, beside, width)
        _beside(im, begin, quarter, beside, width)
        _quarters(re, im, begin, quarter, twiddles)
        _apart(re, begin, quarter, beside, width)
        _apart(im, begin, quarter, beside, width)


@kernel
def _beside(x: Float32, begin: int, quarter: int, beside: int, width: int) -> None:
    """Rows of the next quarters into the lanes behind the first `width`; a store spills into the row that follows."""
    step = quarter * LANES
    here = load(x, begin * LANES)
    for i in range(begin * LANES, begin * LANES + step, LANES):
        behind = load(x, i + LANES)
        store(x, i, here)
        for k in range(1, beside):
            store(x, i + k * width, load(x, i + k * step))
        here = behind


@kernel
def _apart(x: Float32, begin: int, quarter: int, beside: int, width: int) -> None:
    step = quarter * LANES
    for i in range(begin * LANES, begin * LANES + step, LANES):
        for k in range(1, beside):
            store(x, i + k * step, load(x, i + k * width))


@kernel
def passes(re: Float32, im: Float32, n: int, twiddles: Float32) -> None:
    """The whole transform of `n` complex rows, in place; bin ``k`` ends at `plain_plan`'s ``order[k]``."""
    butterflies(re, im, 0, n, twiddles, 0)
    remaining_passes(re, im, n, twiddles)


@kernel
def power_of_hops(
    turned: Float32,
    window: Float32,
    twiddles: Float32,
    turns: Float32,
    order: NDArray[np.int64],
    re: Float32,
    im: Float32,
    power: Float32,
    frames: int,
) -> None:
    """Power spectra of the first `frames` of `turned`: bin ``f`` of lane ``l`` at ``power[f * LANES + l]``."""
    n = order.shape[0]
    _first_pass(turned, window, twiddles, re, im)
    if frames > LANES // 2:
        remaining_passes(re, im, n, twiddles)
    else:
        remaining_of_few(re, im, n, twiddles, LANES // 2 if frames > LANES // 4 else LANES // 4)
    a = load(re, 0)
    b = load(im, 0)
    zero = (a + b) * np.float32(2)
    top = (a - b) * np.float32(2)
    store(power, 0, zero * zero)
    store(power, n * LANES, top * top)
    for k in range(1, n // 2 + 1):
        p = order[k]
        q = order[n - k]
        a = load(re, p)
        b = load(im, p)
        c = load(re, q)
        d = load(im, q)
        er = a + c
        ei = b - d
        odd_r = b + d
        odd_i = c - a
        wr = turns[k, 0]
        wi = turns[k, 1]
        tr = odd_r * wr - odd_i * wi
        ti = odd_i * wr + odd_r * wi
        xr = er + tr
        xi = ei + ti
        store(power, k * LANES, xr * xr + xi * xi)
        xr = er - tr
        xi = ei - ti
        store(power, (n - k) * LANES, xr * xr + xi * xi)
