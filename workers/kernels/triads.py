"""Which chords sound when: chroma weighed against chord shapes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from workers.errors import ParameterError
from workers.kernels.arguments import Float32, as_array, as_frames, as_number, as_vector
from workers.kernels.compiled import kernel

_LEAST = np.float32(1e-9)


@kernel
def _smooth(frames: Float32, t: int, weights: Float32, row: Float32) -> None:
    """A weighted mean over the frames near `t`; the first and the last one are held."""
    last = frames.shape[0] - 1
    reach = weights.shape[0] // 2
    row[:] = 0
    for k in range(weights.shape[0]):
        near = frames[min(last, max(0, t + k - reach))]
        for c in range(12):
            row[c] += weights[k] * near[c]


@kernel
def _weigh(
    frames: Float32, bass: Float32, shapes: Float32, weights: Float32, root: float, sharp: float, out: Float32
) -> None:
    chords = shapes.shape[0]
    notes = np.empty(12, np.float32)
    low = np.empty(12, np.float32)
    for t in range(frames.shape[0]):
        _smooth(frames, t, weights, notes)
        _smooth(bass, t, weights, low)
        squares = np.float32(0)
        deepest = _LEAST
        for c in range(12):
            squares += notes[c] * notes[c]
            deepest = max(deepest, low[c])
        length = np.float32(1) / max(np.float32(math.sqrt(squares)), _LEAST)
        share = np.float32(root) / deepest
        row = out[t]
        best = np.float32(-1e30)
        for chord in range(chords):
            fit = np.float32(0)
            for c in range(12):
                fit += notes[c] * shapes[chord, c]
            row[chord] = fit * length + low[chord % 12] * share
            best = max(best, row[chord])
        whole = np.float32(0)
        for chord in range(chords):
            row[chord] = math.exp(np.float32(sharp) * (row[chord] - best))
            whole += row[chord]
        for chord in range(chords):
            row[chord] /= whole


def weigh_chords(
    frames: ArrayLike, bass: ArrayLike, shapes: ArrayLike, weights: ArrayLike, *, root: float, sharp: float
) -> Float32:
    """Weigh chords against each other, frame by frame.

    ``exp(sharp f) / sum exp(sharp f)`` with ``f = cos(x[t], shape) + root b[t] / max b[t]``, where ``x`` is the chroma
    and ``b`` that of the bass at the chord's root, each a mean over neighbouring frames with the given weights.

    Parameters
    ----------
    frames, bass : array of float32, shape (12, n_frames)
        Chroma of all notes, and of the low ones; not negative.
    shapes : array of float32, shape (n_chords, 12)
        Vectors of length one; the root of row ``k`` is ``k % 12``.
    weights : array of float32, shape (odd,)
        Of a frame and its neighbours on either side.
    root : float
        What the root in the bass adds to the fit.
    sharp : float > 0
        How much likelier the best chord is than the next.

    Returns
    -------
    share : ndarray of float32, shape (n_frames, n_chords)
        Rows sum to 1. Deaf to gain.

    Raises
    ------
    ParameterError
        If the shapes do not fit each other or a number is out of range.
    """
    notes, low = as_frames(frames, "frames"), as_frames(bass, "bass")
    known, near = as_array(shapes, "shapes", 2), as_vector(weights, "weights")
    if notes.shape[1] != 12 or notes.shape != low.shape or known.shape[1] != 12 or not len(near) % 2:
        raise ParameterError(f"{notes.shape}, {low.shape}, {known.shape} and {near.shape} do not fit each other.")
    out = np.empty((len(notes), len(known)), np.float32)
    _weigh(notes, low, known, near, as_number(root, "root"), as_number(sharp, "sharp", above=0.0), out)
    return out
