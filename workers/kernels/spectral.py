"""Where in the spectrum the energy lies: centroid (row K3), bandwidth, rolloff, flatness, contrast."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workers.errors import ParameterError
from workers.kernels.arguments import Float32, as_count, as_frames, as_number, as_spectrogram, as_vector
from workers.kernels.compiled import kernel, warms

FLATNESS_FLOOR = 1e-10
"""Values below it count as it, as in librosa: the logarithm of nothing is not a number."""

BLOCK = 32
"""Bins looked at together."""


class SpectralMoments(NamedTuple):
    """What `spectral_moments` returns: each of shape (n_frames,), float32."""

    centroid: Float32
    bandwidth: Float32
    rolloff: Float32
    flatness: Float32


@kernel
def _centroid_by_frame(frames: Float32, frequencies: Float32) -> Float32:
    n_frames, n_bins = frames.shape
    centroid = np.empty(n_frames, np.float32)
    for t in range(n_frames):
        frame = frames[t]
        total = np.float64(0)
        weighted = np.float64(0)
        for f in range(n_bins):
            total += frame[f]
            weighted += np.float64(frame[f]) * np.float64(frequencies[f])
        centroid[t] = 0.0 if total == 0 else weighted / total
    return centroid


@kernel
def _centroid_by_bin(S: Float32, frequencies: Float32) -> Float32:
    n_bins, n_frames = S.shape
    total = np.zeros(n_frames)
    weighted = np.zeros(n_frames)
    for f in range(n_bins):
        row = S[f]
        hz = np.float64(frequencies[f])
        for t in range(n_frames):
            total[t] += row[t]
            weighted[t] += hz * row[t]
    centroid = np.empty(n_frames, np.float32)
    for t in range(n_frames):
        centroid[t] = 0.0 if total[t] == 0 else weighted[t] / total[t]
    return centroid


def compute_spectral_centroid_batch(S: ArrayLike, frequencies: ArrayLike) -> Float32:
    """Compute the centre of gravity of each frame's spectrum (row K3).

    ``c[t] = sum_f S[f, t] hz[f] / sum_f S[f, t]`` [1]_.

    Parameters
    ----------
    S : array of float32, shape (n_bins, n_frames), C or Fortran order
        Magnitude or power spectrogram, not negative. librosa takes the magnitude.
    frequencies : array of float32, shape (n_bins,)
        Frequency of each bin, in Hz.

    Returns
    -------
    centroid : ndarray of float32, shape (n_frames,)
        In Hz. 0.0 for a silent frame, NaN for one that holds NaN. Deaf to gain.

    Raises
    ------
    ParameterError
        If `S` is not a non-empty matrix or `frequencies` not one for each bin.

    References
    ----------
    .. [1] G. Peeters, "A large set of audio features for sound description", IRCAM, 2004.
    """
    array, by_frame = as_spectrogram(S)
    hz = _frequencies(frequencies, array.shape[1 if by_frame else 0])
    centroid: Float32 = _centroid_by_frame(array, hz) if by_frame else _centroid_by_bin(array, hz)
    return centroid


def _frequencies(frequencies: ArrayLike, n_bins: int) -> Float32:
    hz = as_vector(frequencies, "frequencies")
    if len(hz) != n_bins:
        raise ParameterError(f"S has {n_bins} bins and frequencies {len(hz)}.")
    return hz


@kernel
def _mean_logarithm(frame: Float32, least: float) -> float:
    floor = np.float64(least)
    n = frame.shape[0]
    whole = n - n % 8
    logarithms = np.float64(0)
    for f in range(0, whole, 8):
        # a logarithm for eight bins: even eight of 1e-10 or of 1e38 multiply to what a float64 holds
        eight = frame[f : f + 8]
        product = np.float64(1)
        for i in range(8):
            product *= min(max(floor, np.float64(eight[i])), 1e38)
        logarithms += math.log(product)
    for f in range(whole, n):
        logarithms += math.log(max(floor, np.float64(frame[f])))
    return float(logarithms / n)


@kernel
def _roll_off(frame: Float32, energy: float) -> int:
    """First bin up to which there is `energy`: whole blocks are passed while they do not reach it."""
    n = frame.shape[0]
    passed = np.float64(0)
    f = 0
    while f + BLOCK < n:
        block = frame[f : f + BLOCK]
        inside = np.float64(0)
        for i in range(BLOCK):
            inside += block[i]
        if passed + inside >= energy:
            break
        passed += inside
        f += BLOCK
    while f < n - 1:
        passed += frame[f]
        if passed >= energy:
            break
        f += 1
    return f


@kernel
def _moments(frames: Float32, frequencies: Float32, roll: float, floor: float) -> Float32:
    n_frames, n_bins = frames.shape
    moments = np.zeros((4, n_frames), np.float32)
    hz = frequencies.astype(np.float64)
    least = np.float32(floor)
    for t in range(n_frames):
        frame = frames[t]
        total = np.float64(0)
        weighted = np.float64(0)
        floored = np.float64(0)
        for f in range(n_bins):
            value = np.float64(frame[f])
            total += value
            weighted += value * hz[f]
            floored += max(least, frame[f])
        moments[3, t] = math.exp(_mean_logarithm(frame, floor)) * n_bins / floored
        if total == 0:
            continue
        centre = weighted / total
        spread = np.float64(0)
        for f in range(n_bins):
            spread += frame[f] * (hz[f] - centre) ** 2
        moments[0, t] = centre
        moments[1, t] = math.sqrt(spread / total)
        moments[2, t] = frequencies[_roll_off(frame, roll * total)]
    return moments


def spectral_moments(S: ArrayLike, frequencies: ArrayLike, *, roll_percent: float = 0.85) -> SpectralMoments:
    """Compute centroid, bandwidth, rolloff and flatness of each frame while it is in the cache.

    ``c = sum S hz / sum S``, ``b = sqrt(sum S (hz - c)^2 / sum S)``, ``r = min{hz_f: sum_(g <= f) S_g >= roll sum S}``,
    ``flatness = exp(mean log S) / mean S`` with S at least 1e-10 [1]_.

    Parameters
    ----------
    S : array of float32, shape (n_bins, n_frames)
        Magnitude or power spectrogram, not negative. librosa takes the magnitude, for flatness the power.
    frequencies : array of float32, shape (n_bins,)
        Frequency of each bin, in Hz.
    roll_percent : float, 0 < roll_percent < 1
        Share of the energy below the rolloff.

    Returns
    -------
    centroid, bandwidth, rolloff : ndarray of float32, shape (n_frames,)
        In Hz. 0.0 for a silent frame. Deaf to gain.
    flatness : ndarray of float32, shape (n_frames,)
        From 0 (a tone) to 1 (white noise, and silence). Deaf to gain where nothing is below 1e-10.

    Raises
    ------
    ParameterError
        If `S` is not a non-empty matrix, `frequencies` not one for each bin, or `roll_percent` out of range.

    References
    ----------
    .. [1] G. Peeters, "A large set of audio features for sound description", IRCAM, 2004.
    """
    frames = as_frames(S)
    hz = _frequencies(frequencies, frames.shape[1])
    roll = as_number(roll_percent, "roll_percent", above=0.0)
    if roll >= 1:
        raise ParameterError(f"roll_percent must be less than 1, not {roll:g}.")
    return SpectralMoments(*_moments(frames, hz, roll, FLATNESS_FLOOR))


@kernel
def _keep_largest(keys: NDArray[np.int32], count: int, kept: NDArray[np.int32]) -> None:
    """Put the `count` largest of `keys`, bits of floats, into `kept`, the least first.

    Bits of floats that are not negative are in the order of the floats. As integers a block's maximum fills vector
    registers, and most blocks hold nothing to keep.
    """
    lowest = np.int32(-0x80000000)
    kept[:count] = lowest
    n = keys.shape[0]
    for begin in range(0, n, BLOCK):
        block = keys[begin : min(n, begin + BLOCK)]
        highest = lowest
        for i in range(block.shape[0]):
            highest = max(highest, block[i])
        if highest <= kept[0]:
            continue
        for i in range(block.shape[0]):
            key = block[i]
            if key > kept[0]:
                j = 0
                while j + 1 < count and kept[j + 1] < key:
                    kept[j] = kept[j + 1]
                    j += 1
                kept[j] = key


@kernel
def _contrast(frames: Float32, edges: NDArray[np.int64], quantile: float, floor: float) -> Float32:
    n_frames, n_bins = frames.shape
    n_bands = edges.shape[0] - 1
    contrast = np.zeros((n_bands, n_frames), np.float32)
    kept = np.empty(n_bins, np.int32)
    as_float = kept.view(np.float32)
    turned = np.empty(n_bins, np.int32)
    for t in range(n_frames):
        keys = frames[t].view(np.int32)
        for f in range(n_bins):
            turned[f] = ~keys[f]  # the other way round: the smallest become the largest
        for band in range(n_bands):
            begin = edges[band]
            end = edges[band + 1]
            if end <= begin:
                continue
            count = max(1, round(quantile * (end - begin)))
            _keep_largest(keys[begin:end], count, kept)
            peak = np.float64(0)
            for j in range(count):
                peak += as_float[j]
            _keep_largest(turned[begin:end], count, kept)
            valley = np.float64(0)
            for j in range(count):
                kept[j] = ~kept[j]
                valley += as_float[j]
            decades = math.log10(max(floor, peak / count)) - math.log10(max(floor, valley / count))
            contrast[band, t] = 10 * decades
    return contrast


def spectral_contrast(
    S: ArrayLike, frequencies: ArrayLike, *, fmin: float = 200.0, n_bands: int = 6, quantile: float = 0.02
) -> Float32:
    """Compute how far peaks stand out from valleys, octave by octave.

    ``10 log10(mean of the highest / mean of the lowest)``, each over the share `quantile` of a band's bins [1]_.

    Parameters
    ----------
    S : array of float32, shape (n_bins, n_frames)
        Power spectrogram, not negative.
    frequencies : array of float32, shape (n_bins,)
        Frequency of each bin, in Hz, rising.
    fmin : float > 0
        Upper end of the lowest band, in Hz.
    n_bands : int >= 1
        Octave bands above it: ``[0, fmin), [fmin, 2 fmin), ...``; the last reaches to the highest bin.
    quantile : float, 0 < quantile <= 0.5
        Share of bins that counts as peaks, and as valleys; one bin at least.

    Returns
    -------
    contrast : ndarray of float32, shape (n_bands + 1, n_frames)
        In dB. Never negative; 0 in a silent band and in one without bins. Power below 1e-10 counts as 1e-10.

    Raises
    ------
    ParameterError
        If `S` is not a non-empty matrix, `frequencies` not one rising value for each bin, or a number out of range.

    References
    ----------
    .. [1] D. Jiang et al., "Music type classification by spectral contrast feature", ICME, 2002.
    """
    frames = as_frames(S)
    hz = _frequencies(frequencies, frames.shape[1])
    if not (np.diff(hz) > 0).all():
        raise ParameterError("frequencies must rise.")
    quantile = as_number(quantile, "quantile", above=0.0)
    if quantile > 0.5:
        raise ParameterError(f"quantile must be at most 0.5, not {quantile:g}.")
    octaves = as_number(fmin, "fmin", above=0.0) * 2.0 ** np.arange(as_count(n_bands, "n_bands"))
    edges = np.concatenate(([0], np.searchsorted(hz, octaves), [len(hz)])).astype(np.int64)
    contrast: Float32 = _contrast(frames, edges, quantile, FLATNESS_FLOOR)
    return contrast


@warms
def _warm() -> None:
    S = np.ones((3, 2), np.float32)
    hz = np.arange(3, dtype=np.float32)
    compute_spectral_centroid_batch(S, hz)
    compute_spectral_centroid_batch(np.asfortranarray(S), hz)
    spectral_moments(S, hz)
    spectral_contrast(S, hz)
