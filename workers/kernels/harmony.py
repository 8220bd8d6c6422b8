"""How few notes and chords a sound has, and how high they lie."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from workers.errors import ParameterError
from workers.kernels.arguments import Doubles, Float32, as_array, as_doubles
from workers.kernels.compiled import kernel

_NEVER_ZERO = 1e-4
"""Added to the share of a pitch class before its logarithm is taken, so that one that is missing decides nothing."""


class Harmony(NamedTuple):
    """What `describe_harmony` returns."""

    notes: Doubles
    """Share of each pitch class, the greatest first, (12,); all 0 where there are none."""
    evenness: float
    """Geometric mean of these shares against that of equal ones: near 0 for a single note, 1 for all alike."""
    chord: float
    """Share of the likeliest chord; then of the likeliest three and six together."""
    three_chords: float
    six_chords: float
    entropy: float
    """Of the shares of the chords, in nats."""


@kernel
def _harmony(chords: Float32, classes: Doubles, notes: Doubles) -> tuple[float, float, float, float, float]:
    frames, n = chords.shape
    mean = np.zeros(n)
    for t in range(frames):
        for c in range(n):
            mean[c] += chords[t, c]
    for c in range(n):
        mean[c] /= frames
    likeliest = np.sort(mean)[::-1]
    entropy = 0.0
    three = 0.0
    six = 0.0
    for c in range(n):
        entropy -= likeliest[c] * math.log(likeliest[c] + 1e-6)
        three += likeliest[c] if c < 3 else 0.0
        six += likeliest[c] if c < 6 else 0.0
    whole = 0.0
    for c in range(classes.shape[0]):
        whole += classes[c]
    whole = max(whole, 1e-12)
    logarithms = 0.0
    for c in range(classes.shape[0]):
        notes[c] = classes[c] / whole
        logarithms += math.log(notes[c] + _NEVER_ZERO)
    notes[:] = np.sort(notes)[::-1]
    evenness = math.exp(logarithms / notes.shape[0]) * notes.shape[0]
    return evenness, likeliest[0], three, six, entropy


def describe_harmony(chords: ArrayLike, classes: ArrayLike) -> Harmony:
    """Describe how the weight of a sound is shared out among chords and pitch classes.

    Parameters
    ----------
    chords : array of float32, shape (n_frames, n_chords)
        Weight of each chord in each frame, as `workers.kernels.triads.weigh_chords` makes it.
    classes : array of float64, shape (12,)
        Weight of each pitch class, not negative.

    Returns
    -------
    harmony : Harmony
        The same for every key: a transposed sound has the same notes in another order. Deaf to gain of the classes.

    Raises
    ------
    ParameterError
        If `chords` is no non-empty matrix or there are not twelve classes.
    """
    rows, weights = as_array(chords, "chords", 2), as_doubles(classes, "classes")
    if len(weights) != 12:
        raise ParameterError(f"There are 12 pitch classes, not {len(weights)}.")
    notes = np.empty(12)
    return Harmony(notes, *_harmony(rows, weights, notes))
