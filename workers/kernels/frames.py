"""The one pass over a signal's frames: everything that is measured of a spectrum, while it is in the cache.

Sixteen frames at a time (`workers.kernels.transform`); what leaves the pass is a few numbers a frame.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workers.errors import ParameterError
from workers.kernels.arguments import Float32, as_count, as_number, as_vector
from workers.kernels.compiled import kernel, warms
from workers.kernels.lanes import (
    Lanes,
    exponent,
    higher,
    highest,
    load,
    lower,
    mantissa,
    root,
    splat,
    store,
    total,
    where_less,
)
from workers.kernels.mel import mel_filterbank
from workers.kernels.spectral import FLATNESS_FLOOR
from workers.kernels.transform import WIDTH, plan, power_of_hops, turn_hops
from workers.kernels.vectors import LANES

ROLL = 0.85
CONTRAST_FMIN = 200.0
CONTRAST_OCTAVES = 6
CONTRAST_SHARE = 0.02
DEEPEST_DB = -80.0
_MANTISSAS = 64
"""So many numbers from 1 to 2 are multiplied before a float32 could overflow."""


class Frames(NamedTuple):
    """What `describe_frames` returns, frame by frame; float32, time is the last axis."""

    mel: Float32
    """Power in each mel band, (n_mels, n_frames)."""
    power: Float32
    """Sum of the power of all bins, (n_frames,)."""
    centroid: Float32
    """In Hz, as of `spectral_moments`; the next three likewise."""
    bandwidth: Float32
    rolloff: Float32
    flatness: Float32
    contrast: Float32
    """In dB, as of `spectral_contrast`, (7, n_frames)."""


class Summary(NamedTuple):
    """What `describe_frames` says of the whole: means over frames, each weighing as much as its amplitude."""

    weight: Float32
    """Of each frame, (n_frames,); they sum to 1, or are all 0 where all is silent. The padding is not among them."""
    mel_db: Float32
    """`Frames.mel` in dB below its loudest cell, at least `DEEPEST_DB`, (n_mels, n_frames)."""
    by_band: Float32
    """Mean of each mel band, (n_mels,)."""
    means: Float32
    """Of centroid, bandwidth, rolloff and flatness, then of the contrast of each band, (11,)."""
    mfcc: Float32
    """Mean of the coefficients from 1 on, (n_mfcc,)."""
    mfcc_std: Float32
    """Their spread over frames."""


class _Bands(NamedTuple):
    """A mel filterbank without its zeros."""

    spans: NDArray[np.int64]
    """First bin, the one behind the last, and where the weights of the first begin, (n_mels, 3)."""
    weights: Float32


@lru_cache(maxsize=16)
def _bands(sr: float, n_fft: int, n_mels: int, fmin: float, fmax: float) -> _Bands:
    filters = mel_filterbank(sr, n_fft, n_mels, fmin, fmax)
    spans = np.zeros((n_mels, 3), np.int64)
    weights: list[Float32] = [np.zeros(0, np.float32)]
    for m, row in enumerate(filters):
        used = np.flatnonzero(row)
        if len(used):
            spans[m] = used[0], used[-1] + 1, sum(map(len, weights))
            weights.append(row[used[0] : used[-1] + 1])
    return _Bands(spans, np.concatenate(weights))


@lru_cache(maxsize=16)
def _octaves(bin_hz: float, n_bins: int) -> NDArray[np.int64]:
    """First bin of each contrast band, the one behind its last, and how many of its bins are peaks, (7, 3)."""
    hz = (np.arange(n_bins) * bin_hz).astype(np.float32)
    octaves = CONTRAST_FMIN * 2.0 ** np.arange(CONTRAST_OCTAVES)
    edges = [0, *np.searchsorted(hz, octaves), n_bins]
    rows = [(a, b, max(1, round(CONTRAST_SHARE * (b - a)))) for a, b in pairwise(edges)]
    return np.array(rows, np.int64)


@kernel
def log2_lanes(v: Lanes) -> Lanes:
    """Logarithm to base 2 of normal positive floats, to 1e-6."""
    m = mantissa(v)
    s = (m - np.float32(1.4142135)) / (m + np.float32(1.4142135))
    s2 = s * s
    series = ((s2 * np.float32(0.41219858) + np.float32(0.57707802)) * s2 + np.float32(0.96179669)) * s2
    log2: Lanes = (series + np.float32(2.8853901)) * s + np.float32(0.5) + exponent(v)
    return log2


@kernel
def _gather_bands(power: Float32, spans: NDArray[np.int64], weights: Float32, mel: Float32, t: int) -> None:
    for m in range(spans.shape[0]):
        begin = spans[m, 0]
        w = spans[m, 2]
        even = splat(np.float32(0))
        odd = splat(np.float32(0))
        f = begin
        while f + 1 < spans[m, 1]:
            even += load(power, f * LANES) * weights[w + f - begin]
            odd += load(power, (f + 1) * LANES) * weights[w + f + 1 - begin]
            f += 2
        if f < spans[m, 1]:
            even += load(power, f * LANES) * weights[w + f - begin]
        store(mel[m], t, even + odd)


@kernel
def _shape(power: Float32, n_bins: int, bin_hz: float, roll: float, floor: float, out: Float32, t: int) -> None:
    """Rows of `out`: total power, centroid, bandwidth, rolloff, flatness."""
    zero = splat(np.float32(0))
    least = splat(np.float32(floor))
    total = splat(np.float32(0))
    weighted = splat(np.float32(0))
    floored = splat(np.float32(0))
    logarithms = splat(np.float32(0))
    product = splat(np.float32(1))
    for begin in range(0, n_bins, _MANTISSAS):
        for f in range(begin, min(n_bins, begin + _MANTISSAS)):
            p = load(power, f * LANES)
            total += p
            weighted += p * np.float32(f)
            p = higher(p, least)
            floored += p
            logarithms += exponent(p)
            product *= mantissa(p)
        logarithms += exponent(product)
        product = mantissa(product)
    safe = higher(total, splat(np.float32(1e-37)))
    centre = weighted / safe
    enough = total * np.float32(roll)
    one = splat(np.float32(1))
    spread = splat(np.float32(0))
    passed = splat(np.float32(0))
    below = splat(np.float32(0))
    k = zero - centre
    for f in range(n_bins):
        p = load(power, f * LANES)
        spread += p * k * k
        passed += p
        below += where_less(passed, enough, one, zero)
        k += one
    logarithms = (logarithms + log2_lanes(product)) / splat(np.float32(n_bins))
    store(out[0], t, total)
    store(out[1], t, centre * np.float32(bin_hz))
    store(out[2], t, root(spread / safe) * np.float32(bin_hz))
    store(out[3], t, lower(below, splat(np.float32(n_bins - 1))) * np.float32(bin_hz))
    store(out[4], t, floored)
    store(out[5], t, logarithms)


@kernel
def _extremes(power: Float32, begin: int, end: int, count: int, kept: Float32, floor: float) -> Lanes:
    """Peak over valley in dB; `kept` has room for twice `count` rows."""
    for j in range(count):
        store(kept, j * LANES, splat(np.float32(-1)))
        store(kept, (count + j) * LANES, splat(np.float32(3e38)))
    for f in range(begin, end):
        up = load(power, f * LANES)
        down = up
        for j in range(count):
            here = load(kept, j * LANES)
            store(kept, j * LANES, higher(here, up))
            up = lower(here, up)
        for j in range(count, 2 * count):
            here = load(kept, j * LANES)
            store(kept, j * LANES, lower(here, down))
            down = higher(here, down)
    peak = load(kept, 0)
    valley = load(kept, count * LANES)
    for j in range(1, count):
        peak += load(kept, j * LANES)
        valley += load(kept, (count + j) * LANES)
    share = splat(np.float32(count))
    least = splat(np.float32(floor))
    return (log2_lanes(higher(peak / share, least)) - log2_lanes(higher(valley / share, least))) * np.float32(3.0103)


@kernel
def _contrasts(power: Float32, octaves: NDArray[np.int64], kept: Float32, floor: float, out: Float32, t: int) -> None:
    for band in range(octaves.shape[0]):
        begin = octaves[band, 0]
        end = octaves[band, 1]
        if end > begin:
            store(out[band], t, _extremes(power, begin, end, octaves[band, 2], kept, floor))


@kernel
def _describe(
    y: Float32,
    n_frames: int,
    bin_hz: float,
    window: Float32,
    twiddles: Float32,
    turns: Float32,
    order: NDArray[np.int64],
    spans: NDArray[np.int64],
    weights: Float32,
    octaves: NDArray[np.int64],
    roll: float,
    floor: float,
) -> tuple[Float32, Float32, Float32]:
    n = order.shape[0]
    hop = n // 2
    width = (n_frames + LANES - 1) // LANES * LANES
    mel = np.empty((spans.shape[0], width), np.float32)
    shape = np.empty((6, width), np.float32)
    contrast = np.zeros((octaves.shape[0], width), np.float32)
    turned = np.zeros(hop * WIDTH, np.float32)
    re = np.empty(n * LANES, np.float32)
    im = np.empty(n * LANES, np.float32)
    power = np.empty((n + 1) * LANES, np.float32)
    most = 1
    for band in range(octaves.shape[0]):
        most = max(most, octaves[band, 2])
    kept = np.empty(2 * most * LANES, np.float32)
    for t in range(0, n_frames, LANES):
        there = min(LANES, n_frames - t)
        turn_hops(y, (t - 2) * hop, hop, turned, there)
        power_of_hops(turned, window, twiddles, turns, order, re, im, power, there)
        _gather_bands(power, spans, weights, mel, t)
        _shape(power, n + 1, bin_hz, roll, floor, shape, t)
        _contrasts(power, octaves, kept, floor, contrast, t)
    for t in range(n_frames):
        shape[4, t] = 2.0 ** shape[5, t] * (n + 1) / shape[4, t]
    return mel, shape, contrast


@lru_cache(maxsize=8)
def _cosines(n_mels: int, n_mfcc: int) -> Float32:
    """Rows 1 to `n_mfcc` of the orthonormal DCT-II."""
    k, m = np.arange(1, n_mfcc + 1)[:, np.newaxis], np.arange(n_mels)
    return np.asarray(np.sqrt(2 / n_mels) * np.cos(np.pi * k * (m + 0.5) / n_mels), np.float32)


@kernel
def _weigh_frames(power: Float32, n_frames: int, weight: Float32) -> None:
    width = weight.shape[0]
    for t in range(n_frames, width):
        power[t] = 0
    whole = splat(np.float32(0))
    for t in range(0, width, LANES):
        amplitude = root(load(power, t))
        whole += amplitude
        store(weight, t, amplitude)
    share = np.float32(1) / max(np.float32(total(whole)), np.float32(1e-12))
    for t in range(0, width, LANES):
        store(weight, t, load(weight, t) * share)


@kernel
def _mean(row: Float32, weight: Float32) -> float:
    added = splat(np.float32(0))
    for t in range(0, weight.shape[0], LANES):
        added += load(row, t) * load(weight, t)
    return float(total(added))


@kernel
def _summarize(
    mel: Float32, shape: Float32, contrast: Float32, n_frames: int, cosines: Float32, deepest: float
) -> tuple[Float32, Float32, Float32, Float32, Float32]:
    n_mels, width = mel.shape
    weight = np.empty(width, np.float32)
    _weigh_frames(shape[0], n_frames, weight)
    means = np.empty(4 + contrast.shape[0], np.float32)
    for i in range(4):
        means[i] = _mean(shape[1 + i], weight)
    for band in range(contrast.shape[0]):
        means[4 + band] = _mean(contrast[band], weight)
    by_band = np.empty(n_mels, np.float32)
    top = np.float32(0)
    for m in range(n_mels):
        for t in range(n_frames, width):
            mel[m, t] = 0
        by_band[m] = _mean(mel[m], weight)
        here = splat(np.float32(0))
        for t in range(0, width, LANES):
            here = higher(here, load(mel[m], t))
        top = max(top, np.float32(highest(here)))
    scale = np.float32(1) / max(top, np.float32(1e-37))
    floor = splat(np.float32(10 ** (deepest / 10)))
    db = np.empty((n_mels, width), np.float32)
    for m in range(n_mels):
        for t in range(0, width, LANES):
            store(db[m], t, log2_lanes(higher(load(mel[m], t) * scale, floor)) * np.float32(3.0103))
    mfcc = np.empty((2, cosines.shape[0]), np.float32)
    row = np.empty(width, np.float32)
    for c in range(cosines.shape[0]):
        for t in range(0, width, LANES):
            even = splat(np.float32(0))
            odd = splat(np.float32(0))
            for m in range(0, n_mels - 1, 2):
                even += load(db[m], t) * cosines[c, m]
                odd += load(db[m + 1], t) * cosines[c, m + 1]
            if n_mels % 2:
                even += load(db[n_mels - 1], t) * cosines[c, n_mels - 1]
            store(row, t, even + odd)
        mfcc[0, c] = _mean(row, weight)
        for t in range(0, width, LANES):
            off = load(row, t) - splat(mfcc[0, c])
            store(row, t, off * off)
        mfcc[1, c] = math.sqrt(_mean(row, weight))
    return weight, db, by_band, means, mfcc


def describe_frames(
    y: ArrayLike,
    sr: float,
    *,
    n_fft: int = 2048,
    n_mels: int = 48,
    fmin: float = 0.0,
    fmax: float | None = None,
    n_mfcc: int = 13,
) -> tuple[Frames, Summary]:
    """Measure the spectrum of every frame in one pass, without keeping any.

    The same as `mel_spectrogram`, `spectral_moments` and `spectral_contrast` of ``stft_power(y, n_fft, n_fft // 4)``.

    Parameters
    ----------
    y : array of float32, shape (n_samples,)
        The signal.
    sr : float > 0
        Its rate, in Hz.
    n_fft : int, a power of two of at least 16
        Length of a frame; frame ``t`` is centred on sample ``t * n_fft // 4``.
    n_mels : int >= 1
        Number of mel bands.
    fmin, fmax : float
        Their range in Hz; `fmax` is ``sr / 2`` by default.
    n_mfcc : int >= 1
        Coefficients of the summary, of which the first, the gain, is left out.

    Returns
    -------
    frames : Frames
        ``1 + n_samples // (n_fft // 4)`` frames. Beside it, memory is sixteen frames.
    summary : Summary
        Means over frames.

    Raises
    ------
    ParameterError
        If `y` is not a non-empty vector or a number is out of range.
    """
    signal, n_fft, n_frames = _framed(y, n_fft)
    sr = as_number(sr, "sr", above=0.0)
    bands = _bands(sr, n_fft, n_mels, fmin, sr / 2 if fmax is None else fmax)
    bin_hz = sr / n_fft
    octaves = _octaves(bin_hz, n_fft // 2 + 1)
    mel, shape, contrast = _describe(signal, n_frames, bin_hz, *plan(n_fft), *bands, octaves, ROLL, FLATNESS_FLOOR)
    cosines = _cosines(n_mels, as_count(n_mfcc, "n_mfcc"))
    weight, mel_db, by_band, means, mfcc = _summarize(mel, shape, contrast, n_frames, cosines, DEEPEST_DB)
    shape = shape[:, :n_frames]
    power, centroid, bandwidth, rolloff, flatness = shape[:5]
    frames = Frames(mel[:, :n_frames], power, centroid, bandwidth, rolloff, flatness, contrast[:, :n_frames])
    return frames, Summary(weight[:n_frames], mel_db[:, :n_frames], by_band, means, mfcc[0], mfcc[1])


def _framed(y: ArrayLike, n_fft: int) -> tuple[Float32, int, int]:
    signal: Float32 = as_vector(y, "y")
    n_fft = as_count(n_fft, "n_fft", least=16)
    if n_fft & (n_fft - 1):
        raise ParameterError(f"n_fft must be a power of two, not {n_fft}.")
    return signal, n_fft, 1 + len(signal) // (n_fft // 4)


@kernel
def _mel_of_frames(
    y: Float32,
    n_frames: int,
    window: Float32,
    twiddles: Float32,
    turns: Float32,
    order: NDArray[np.int64],
    spans: NDArray[np.int64],
    weights: Float32,
) -> Float32:
    n = order.shape[0]
    hop = n // 2
    mel = np.empty((spans.shape[0], (n_frames + LANES - 1) // LANES * LANES), np.float32)
    turned = np.zeros(hop * WIDTH, np.float32)
    re = np.empty(n * LANES, np.float32)
    im = np.empty(n * LANES, np.float32)
    power = np.empty((n + 1) * LANES, np.float32)
    for t in range(0, n_frames, LANES):
        there = min(LANES, n_frames - t)
        turn_hops(y, (t - 2) * hop, hop, turned, there)
        power_of_hops(turned, window, twiddles, turns, order, re, im, power, there)
        _gather_bands(power, spans, weights, mel, t)
    return mel


def mel_frames(
    y: ArrayLike, sr: float, *, n_fft: int = 1024, n_mels: int = 36, fmin: float = 0.0, fmax: float | None = None
) -> Float32:
    """Compute the mel spectrogram of a signal in one pass, without its spectrogram.

    The same as `mel_spectrogram` of ``stft_power(y, n_fft, n_fft // 4)``; parameters as of `describe_frames`.

    Returns
    -------
    mel : ndarray of float32, shape (n_mels, n_frames)
        Power in each band.

    Raises
    ------
    ParameterError
        If `y` is not a non-empty vector or a number is out of range.
    """
    signal, n_fft, n_frames = _framed(y, n_fft)
    sr = as_number(sr, "sr", above=0.0)
    bands = _bands(sr, n_fft, n_mels, fmin, sr / 2 if fmax is None else fmax)
    mel: Float32 = _mel_of_frames(signal, n_frames, *plan(n_fft), *bands)
    return mel[:, :n_frames]


@warms
def _warm() -> None:
    describe_frames(np.ones(4, np.float32), 100.0, n_fft=16, n_mels=2)
    mel_frames(np.ones(4, np.float32), 100.0, n_fft=16, n_mels=2)
