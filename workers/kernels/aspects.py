"""The vector of a sound: its numbers by aspect, and how they are scaled, each in one call."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from workers.errors import ParameterError
from workers.kernels.arguments import Doubles, Float32, as_array, as_doubles, as_vector
from workers.kernels.compiled import kernel, warms
from workers.kernels.course import PARTS, _spread_of_octaves
from workers.kernels.strikes import _strikes

DIMENSIONS = 128
LAGS = 12
"""So many distances at which it is told whether a sound repeats."""

_FIRST_LAG = 20
_FLOOR_DB, _FLOOR = -60.0, 1e-7
"""Levels are at least the first; what is as low as the second, in power, need not be made one."""

_SMOOTH = 0.25, 0.5, 0.25
"""Over neighbouring bands, so that a partial that crosses a border does not move the whole spectrum."""

_ENOUGH = 3
"""So many distances between onsets tell whether something repeats; with fewer it is the noise floor that does."""

_CLIP = 4.0
_LOWEST_HZ = 30.0


class Curves(NamedTuple):
    """What a vector is made from: arrays."""

    mfcc: Doubles
    """(13,); the next likewise."""
    mfcc_spread: Doubles
    contrast: Doubles
    """(7,)."""
    classes: Doubles
    """(12,); the next likewise."""
    register: Doubles
    envelopes: Doubles
    """Rises in three bands, (3, n_frames)."""
    times: Doubles
    """Of onsets, (n_onsets,); the next likewise."""
    strengths: Doubles
    mix: Doubles
    """Autocorrelation of the onset envelope, by lag."""
    parts: Doubles
    """Level of each eighth in dB, (8,)."""
    by_band: Doubles
    """Mean power of each mel band, (48,)."""
    centroid: Float32
    """Hz by frame, and how much each frame counts, (n_spectra,)."""
    weight: Float32


class Numbers(NamedTuple):
    """What a vector is made from: numbers."""

    flatness: float
    tonalness: float
    brightness: float
    bandwidth_hz: float
    zero_crossings: float
    attack_s: float
    n_frames: float
    """Of the onset envelope."""
    duration_s: float
    bpm: float
    """0 where there is none."""
    above_tenth: float
    decay_s: float
    centre: float
    end_db: float
    mean: float
    top: float
    above_half: float
    rms: float
    change: float


@kernel
def _timbre(
    mfcc: Doubles, spread: Doubles, contrast: Doubles, centroid: Float32, weight: Float32, said: Doubles, x: Doubles
) -> None:
    x[:13] = mfcc
    x[13:26] = spread
    x[26:33] = contrast
    x[33] = math.log10(max(said[0], 1e-5))
    x[34] = said[1]
    x[35] = math.sqrt(said[2])
    x[36] = _spread_of_octaves(centroid, weight, _LOWEST_HZ)
    x[37] = math.log2(max(said[3], 10.0))
    x[38] = math.sqrt(said[4])
    x[39] = math.log10(0.002 + said[5])


@kernel
def _pitch(classes: Doubles, register: Doubles, tonalness: float, x: Doubles) -> None:
    squares = 0.0
    mean = 0.0
    for c in range(12):
        squares += classes[c] * classes[c]
        mean += classes[c]
    length = math.sqrt(squares)
    if length == 0:
        length = 1.0
    mean /= 12
    for c in range(12):
        x[c] = (classes[c] - mean) / length * tonalness
        x[12 + c] = math.sqrt(register[c])


@kernel
def _rhythm(
    times: Doubles, strengths: Doubles, mix: Doubles, envelopes: Doubles, lags: Doubles, said: Doubles, x: Doubles
) -> None:
    count = times.shape[0]
    duration_s = max(said[7], 0.02)
    strikes = _strikes(times, strengths, 0.3)
    heard = min(1.0, max(0, count - 1) / _ENOUGH)
    x[0] = math.log2(0.2 + count / duration_s)
    x[1] = heard * mix[_FIRST_LAG:].max()
    x[2] = math.log2(said[8] / 120) if said[8] > 0 else 0.0
    x[3] = 1.0 if said[8] > 0 else 0.0
    last = mix.shape[0] - 1
    for k in range(LAGS):
        x[4 + k] = 0.0
        lag = max(0.0, lags[k])
        if heard > 0 and 0.7 * said[6] > lag:
            at = min(int(lag), last)
            here = mix[at] if at == last else mix[at] + (lag - at) * (mix[at + 1] - mix[at])
            x[4 + k] = heard * here
    whole = 0.0
    for band in range(3):
        x[16 + band] = envelopes[band].sum()
        whole += x[16 + band]
    for band in range(3):
        x[16 + band] /= max(whole, 1e-9)
    x[19] = math.log2(strikes[7] if count > 1 else 4.0)
    x[20] = strikes[8] if count > 2 else 0.0
    x[21] = strikes[0]
    x[22] = math.log2(duration_s)
    x[23] = math.log2(1.0 + count)


@kernel
def _dynamics(said: Doubles, parts: Doubles, x: Doubles) -> None:
    loud = max(said[14], 1e-9)
    x[0] = said[9]
    x[1] = math.log10(0.005 + said[10])
    x[2] = said[11]
    x[3] = max(said[12], _FLOOR_DB)
    x[4] = said[13] / loud
    x[5] = said[15]
    x[6] = 20 * math.log10(loud / max(said[16], 1e-9))
    x[7] = said[17]
    x[8 : 8 + PARTS] = parts


@kernel
def _spectrum(by_band: Doubles, x: Doubles) -> None:
    n = x.shape[0]
    pairs = np.zeros(n + 2)
    for i in range(n):
        pairs[1 + i] = by_band[2 * i] + by_band[2 * i + 1]
    before, here, behind = _SMOOTH
    top = 1e-12
    for i in range(n):
        x[i] = before * pairs[i] + here * pairs[i + 1] + behind * pairs[i + 2]
        top = max(top, x[i])
    for i in range(n):
        share = x[i] / top
        x[i] = max(10 * math.log10(share), _FLOOR_DB) if share > _FLOOR else _FLOOR_DB


@kernel
def _aspects(
    mfcc: Doubles,
    spread: Doubles,
    contrast: Doubles,
    classes: Doubles,
    register: Doubles,
    envelopes: Doubles,
    times: Doubles,
    strengths: Doubles,
    mix: Doubles,
    parts: Doubles,
    by_band: Doubles,
    centroid: Float32,
    weight: Float32,
    said: Doubles,
    lags: Doubles,
) -> Doubles:
    x = np.empty(DIMENSIONS)
    _timbre(mfcc, spread, contrast, centroid, weight, said, x[:40])
    _pitch(classes, register, said[1], x[40:64])
    _rhythm(times, strengths, mix, envelopes, lags, said, x[64:88])
    _dynamics(said, parts, x[88:104])
    _spectrum(by_band, x[104:])
    return x


def describe_aspects(curves: Curves, numbers: Numbers, lags: ArrayLike) -> Doubles:
    """Describe a sound by its timbre, pitches, rhythm, dynamics and spectrum.

    In the order of `workers.analysis.embedding.DIMENSIONS`, before it is scaled.

    Parameters
    ----------
    curves : Curves
    numbers : Numbers
    lags : array of float64, shape (LAGS,)
        In frames of the onset envelope; what is negative counts as 0.

    Returns
    -------
    x : ndarray of float64, shape (DIMENSIONS,)

    Raises
    ------
    ParameterError
        If shapes are others.
    """
    timbre = as_doubles(curves.mfcc, "mfcc"), as_doubles(curves.mfcc_spread, "mfcc_spread")
    contrast, mix = as_doubles(curves.contrast, "contrast"), as_doubles(curves.mix, "mix")
    notes = as_doubles(curves.classes, "classes"), as_doubles(curves.register, "register")
    struck = as_doubles(curves.times, "times"), as_doubles(curves.strengths, "strengths")
    parts, by_band = as_doubles(curves.parts, "parts"), as_doubles(curves.by_band, "by_band")
    envelopes = as_array(curves.envelopes, "envelopes", 2, keep_double=True).astype(np.float64, copy=False)
    spectra = as_vector(curves.centroid, "centroid"), as_vector(curves.weight, "weight")
    at = as_doubles(lags, "lags")
    sizes = [len(x) for x in (*timbre, contrast, *notes, parts, by_band, envelopes, at)]
    if sizes != [13, 13, 7, 12, 12, PARTS, 48, 3, LAGS] or len(mix) <= _FIRST_LAG:
        raise ParameterError(f"A vector is not made from arrays of {sizes} numbers and {len(mix)} lags.")
    if len(struck[0]) != len(struck[1]) or len(spectra[0]) != len(spectra[1]):
        raise ParameterError("An onset has a strength, and a frame a weight.")
    said = np.array(numbers, np.float64)
    return _aspects(*timbre, contrast, *notes, envelopes, *struck, mix, parts, by_band, *spectra, said, at)


@kernel
def _scale(x: Doubles, mean: Doubles, spread: Doubles, weights: Doubles) -> Float32:
    out = np.empty(x.shape[0], np.float32)
    for k in range(x.shape[0]):
        out[k] = min(_CLIP, max(-_CLIP, (x[k] - mean[k]) / spread[k] * weights[k]))
    return out


def scale_aspects(x: ArrayLike, mean: ArrayLike, spread: ArrayLike, weights: ArrayLike) -> Float32:
    """Scale numbers: ``clip((x - mean) / spread * weights, -4, 4)``, (n,).

    Raises
    ------
    ParameterError
        If the lengths of the four vectors differ.
    """
    arrays = as_doubles(x, "x"), as_doubles(mean, "mean"), as_doubles(spread, "spread"), as_doubles(weights, "weights")
    if len({len(one) for one in arrays}) != 1:
        raise ParameterError(f"Vectors of {[len(one) for one in arrays]} numbers.")
    return _scale(*arrays)


@warms
def _warm() -> None:
    twelve, thirteen, one, flat = np.ones(12), np.ones(13), np.ones(1), np.ones(1, np.float32)
    parts, by_band = np.ones(PARTS), np.ones(48)
    curves = Curves(
        thirteen,
        thirteen,
        np.ones(7),
        twelve,
        twelve,
        np.ones((3, 2)),
        one,
        one,
        np.ones(21),
        parts,
        by_band,
        flat,
        flat,
    )
    numbers = Numbers(*np.ones(len(Numbers._fields)).tolist())
    found = describe_aspects(curves, numbers, np.ones(LAGS))
    scale_aspects(found, found, np.ones(DIMENSIONS), found)
