"""What a sound is like, as the learned models ask for it: each description of a few dozen numbers in one call."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from workers.errors import ParameterError
from workers.kernels.arguments import Doubles, Float32, as_array, as_doubles, as_number
from workers.kernels.compiled import kernel, warms
from workers.kernels.course import Course, _bands, describe_course
from workers.kernels.envelopes import Shape
from workers.kernels.harmony import _harmony
from workers.kernels.keys import _score
from workers.kernels.repeats import _comb
from workers.kernels.strikes import _strikes

WHOLE, ONE_SHOT, BANDS = 36, 83, 6
"""How many numbers describe a whole sound, and a one-shot; bands of the spectrum that the latter's tell of."""

_FIRST_LAG = 20
_STRONG = 0.3
"""Onsets of more than this part of the strongest's strength are what a rhythm is made of."""

_START = 5
"""Frames that are a sound's start: a tenth of a second."""


class Struck(NamedTuple):
    """When a sound is struck, how hard, and how its onset envelope repeats."""

    times: Doubles
    strengths: Doubles
    mix: Doubles
    """Autocorrelation, by lag."""
    n_frames: int


class Tonal(NamedTuple):
    """What is heard of notes in a sound."""

    chords: Float32
    """(n_frames, n_chords)."""
    classes: Doubles
    """(12,)."""
    register: Doubles
    """(12,)."""
    tonalness: float


class Compared(NamedTuple):
    """What a sound is compared with: constants of the analysis."""

    lags: Doubles
    """Of the tempi that it may have."""
    beats: Doubles
    gains: Doubles
    major: Doubles
    """Profile of a key, (12,); the next likewise."""
    minor: Doubles


@kernel
def _middle(ranked: Doubles, count: int) -> float:
    """The median of the last `count`."""
    n = ranked.shape[0]
    middle: float = 0.5 * (ranked[n - 1 - (count - 1) // 2] + ranked[n - 1 - count // 2])
    return middle


@kernel
def _whole_of_strikes(duration_s: float, times: Doubles, strengths: Doubles, x: Doubles) -> None:
    count = times.shape[0]
    whole_s = max(duration_s, 0.01)
    second, fourth, strong, last, first_strong, last_strong, uneven, _, _ = _strikes(times, strengths, _STRONG)
    x[0] = math.log2(whole_s)
    x[1] = math.log2(1.0 + count)
    x[2] = math.log2(0.1 + count / max(duration_s, 0.05))
    x[3] = second
    x[4] = fourth
    x[16] = last / whole_s
    x[17] = last_strong / whole_s
    x[18] = (last_strong - first_strong) / whole_s
    x[23] = min(2.0, uneven) if strong > 1 else 2.0
    x[24] = math.log2(1.0 + strong)
    x[33:36] = 0
    if count:
        ranked = np.sort(strengths)
        x[33] = math.log2(1 + ranked[count - 1])
        x[34] = math.log2(1 + _middle(ranked, max(1, count // 2)))
        x[35] = math.log2(1 + _middle(ranked, count))


@kernel
def _whole_of_notes(
    chords: Float32, classes: Doubles, register: Doubles, tonalness: float, major: Doubles, minor: Doubles, x: Doubles
) -> None:
    notes = np.empty(12)
    evenness, chord, three, six, entropy = _harmony(chords, classes, notes)
    x[10] = tonalness
    x[11] = notes[0]
    x[12] = evenness
    x[13] = 0.0
    if classes.max() > 0:
        scores = np.zeros(24)
        _score(classes, major, minor, scores)
        x[13] = scores.max()
    x[25] = chord
    x[26] = three
    x[27] = six
    x[28] = entropy
    x[29] = notes[1]
    x[30] = notes[2]
    x[31] = 0.0
    for c in range(7):
        x[31] += notes[c]
    x[32] = 0.0
    for band in range(12):
        x[32] += register[band] * band
    x[32] /= 12


@kernel
def _whole(
    duration_s: float,
    times: Doubles,
    strengths: Doubles,
    mix: Doubles,
    n_frames: int,
    chords: Float32,
    classes: Doubles,
    register: Doubles,
    tonalness: float,
    lags: Doubles,
    beats: Doubles,
    gains: Doubles,
    major: Doubles,
    minor: Doubles,
    top: float,
    centre: float,
    tail: float,
    mean: float,
    second_half: float,
    rise: float,
    start: float,
    last_quarter: float,
    centroid_hz: float,
    flatness: float,
) -> Doubles:
    x = np.empty(WHOLE)
    loud = max(top, 1e-9)
    _whole_of_strikes(duration_s, times, strengths, x)
    _whole_of_notes(chords, classes, register, tonalness, major, minor, x)
    x[5] = _comb(mix, lags, beats, gains).max()
    x[6] = max(0.0, mix[_FIRST_LAG:].max()) if n_frames > 2 * _FIRST_LAG else 0.0
    x[7] = math.log10(max(tail / loud, 1e-4))
    x[8] = centre
    x[9] = mean / loud
    x[14] = math.log2(max(centroid_hz, 20.0) / 1000)
    x[15] = math.log10(max(flatness, 1e-5))
    x[19] = second_half
    x[20] = math.log2(min(8.0, max(0.01, last_quarter)))
    x[21] = rise
    x[22] = math.log10(max(start, 1e-3))
    return x


def describe_whole(
    duration_s: float,
    struck: Struck,
    tonal: Tonal,
    compared: Compared,
    shape: Shape,
    course: Course,
    *,
    centroid_hz: float,
    flatness: float,
) -> Doubles:
    """Describe a sound as a whole, in the order of `workers.analysis.kind.INPUTS`.

    Of what `describe_strikes`, `describe_harmony`, `describe_shape`, `describe_course`, `comb_strength` and
    `score_keys` say of it, with logarithms of what has no upper end.

    Parameters
    ----------
    duration_s : float >= 0
    struck : Struck
        Its `mix` has more than 20 lags.
    tonal : Tonal
    compared : Compared
    shape : Shape
        Of its amplitude envelope.
    course : Course
        Likewise.
    centroid_hz, flatness : float
        Of its spectrum.

    Returns
    -------
    x : ndarray of float64, shape (WHOLE,)

    Raises
    ------
    ParameterError
        If shapes do not fit each other or a duration is negative.
    """
    times, strengths = as_doubles(struck.times, "times"), as_doubles(struck.strengths, "strengths")
    mix, chords = as_doubles(struck.mix, "mix"), as_array(tonal.chords, "chords", 2)
    classes, register = as_doubles(tonal.classes, "classes"), as_doubles(tonal.register, "register")
    lags, beats, gains, major, minor = compared
    if len(times) != len(strengths) or len(mix) <= _FIRST_LAG or len(beats) != len(gains) or not len(lags):
        raise ParameterError(f"{len(times)} times, {len(strengths)} strengths, {len(mix)} lags and {len(lags)} tempi.")
    if not len(classes) == len(register) == len(major) == len(minor) == 12:
        raise ParameterError("Pitch classes, registers and profiles are of twelve numbers.")
    return _whole(
        as_number(duration_s, "duration_s", least=0.0),
        times,
        strengths,
        mix,
        struck.n_frames,
        chords,
        classes,
        register,
        tonal.tonalness,
        lags,
        beats,
        gains,
        major,
        minor,
        shape.top,
        shape.centre,
        shape.tail,
        course.mean,
        course.second_half,
        course.rise,
        course.start,
        course.last_quarter,
        centroid_hz,
        flatness,
    )


class Said(NamedTuple):
    """What is said of a one-shot, in words' units."""

    duration_s: float
    attack_s: float
    decay_s: float
    effective_s: float
    centre: float
    end_db: float
    centroid_hz: float
    bandwidth_hz: float
    rolloff_hz: float
    flatness: float
    zero_crossings: float
    tonalness: float
    onsets: float
    second: float
    """Strength of the second onset against the first."""
    pitched: float
    """How sure its note is, and how far that lies above middle C, in octaves."""
    height: float
    first_note: float
    """Shares of the three strongest pitch classes."""
    second_note: float
    third_note: float


@kernel
def _one_shot(
    said: Doubles, contrast: Doubles, mfcc: Doubles, spread: Doubles, register: Doubles, mel: Float32
) -> Doubles:
    x = np.empty(ONE_SHOT)
    x[0] = math.log2(max(said[0], 0.01))
    for k in range(1, 4):
        x[k] = math.log2(0.003 + said[k])
    x[4] = said[4]
    x[5] = said[5] / 20
    for k in range(6, 9):
        x[k] = math.log2(max(said[k], 20.0) / 1000)
    x[9] = math.log10(max(said[9], 1e-5))
    x[10] = math.log10(max(said[10], 1e-4))
    x[11] = said[11]
    x[12] = math.log2(1 + said[12])
    x[13] = said[13]
    x[14] = said[14]
    x[15] = said[15]
    x[16] = said[15] * said[14]
    x[17:20] = said[16:19]
    for k in range(7):
        x[20 + k] = contrast[k] / 10
    for k in range(13):
        x[27 + k] = mfcc[k] / 10
        x[40 + k] = spread[k] / 10
    x[53:65] = register
    bands = np.zeros((3, BANDS))
    _bands(mel, BANDS, _START, bands)
    for b in range(BANDS):
        x[65 + b] = math.log10(bands[0, b] + 1e-4)
        x[65 + BANDS + b] = bands[1, b]
        x[65 + 2 * BANDS + b] = math.log2(1 + bands[2, b])
    return x


def describe_one_shot(
    said: Said, contrast: ArrayLike, mfcc: ArrayLike, spread: ArrayLike, register: ArrayLike, mel: ArrayLike
) -> Doubles:
    """Describe a one-shot, in the order of `workers.analysis.instrument.INPUTS`.

    Logarithms of what has no upper end; of each of `BANDS` parts of the spectrum what `describe_bands` says.

    Parameters
    ----------
    said : Said
    contrast : array of float64, shape (7,)
        In dB.
    mfcc, spread : array of float64, shape (13,)
        Mel cepstrum: mean and spread over frames.
    register : array of float64, shape (12,)
        Share of its pitches by height.
    mel : array of float32, shape (n_mels, n_frames)
        Power; the rows are a multiple of `BANDS`.

    Returns
    -------
    x : ndarray of float64, shape (ONE_SHOT,)

    Raises
    ------
    ParameterError
        If shapes are others.
    """
    dips, mean, std = as_doubles(contrast, "contrast"), as_doubles(mfcc, "mfcc"), as_doubles(spread, "spread")
    heights, rows = as_doubles(register, "register"), as_array(mel, "mel", 2)
    if (len(dips), len(mean), len(std), len(heights)) != (7, 13, 13, 12) or rows.shape[0] % BANDS:
        raise ParameterError(f"{dips.shape}, {mean.shape}, {std.shape}, {heights.shape} and {rows.shape} do not fit.")
    return _one_shot(np.array(said, np.float64), dips, mean, std, heights, rows)


@warms
def _warm() -> None:
    twelve, one = np.ones(12), np.ones(1)
    describe_whole(
        1.0,
        Struck(one, one, np.ones(21), 21),
        Tonal(np.ones((1, 24), np.float32), twelve, twelve, 0.0),
        Compared(one, one, one, np.arange(12.0), np.arange(12.0)),
        Shape(1.0, 0, 0, 1, 0.5, 1.0),
        describe_course(np.ones(4)),
        centroid_hz=1.0,
        flatness=1.0,
    )
    said = Said(*np.ones(len(Said._fields)).tolist())
    describe_one_shot(said, np.ones(7), np.ones(13), np.ones(13), twelve, np.ones((BANDS, 1), np.float32))
