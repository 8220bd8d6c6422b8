"""Time laid over itself at a period: what happens where in the bar, and where the beats are."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workers.errors import ParameterError
from workers.kernels.arguments import Doubles, Float32, as_array, as_count, as_number, as_vector
from workers.kernels.compiled import kernel, warms

_LEAST_PERIOD = 2.0


@kernel
def _fold(envelopes: Float32, periods: Doubles, beats: int, steps: int) -> Float32:
    n_envelopes, n_frames = envelopes.shape
    folded = np.zeros((periods.shape[0], n_envelopes, beats * steps), np.float32)
    place = np.empty(n_frames, np.int64)
    for c in range(periods.shape[0]):
        step = steps / periods[c]
        turn = 0
        for t in range(n_frames):
            at = int(t * step) - turn  # a subtraction now and then instead of a division each time
            while at >= beats * steps:
                at -= beats * steps
                turn += beats * steps
            place[t] = at
        for e in range(n_envelopes):
            row = folded[c, e]
            envelope = envelopes[e]
            for t in range(n_frames):
                row[place[t]] += envelope[t]
    return folded


def fold_envelopes(envelopes: ArrayLike, periods: ArrayLike, *, beats: int = 12, steps: int = 12) -> Float32:
    """Sum envelopes over time, modulo some beats of each period.

    ``folded[c, e, b] = sum_(t : floor(steps t / P_c) mod (beats steps) = b) env[e, t]``. Its Fourier transform is the
    Fourier tempogram at every multiple of ``1 / (beats P_c)`` [1]_: 12 beats hold bars of 2, 3, 4 and 6.

    Parameters
    ----------
    envelopes : array of float32, shape (n_envelopes, n_frames)
    periods : array of float, shape (n_periods,), all at least 2
        Length of a beat, in frames.
    beats, steps : int >= 1
        Beats that are laid over each other, and parts of each beat.

    Returns
    -------
    folded : ndarray of float32, shape (n_periods, n_envelopes, beats * steps)
        Each row sums to its envelope's sum.

    Raises
    ------
    ParameterError
        If a shape is wrong or a period is less than 2 frames or not finite.

    References
    ----------
    .. [1] P. Grosche, M. Müller and F. Kurth, "Cyclic tempogram", ICASSP, 2010.
    """
    rows = as_array(envelopes, "envelopes", 2)
    lengths = as_vector(periods, "periods", keep_double=True).astype(np.float64)
    if not (np.isfinite(lengths).all() and (lengths >= _LEAST_PERIOD).all()):
        raise ParameterError(f"periods must be finite and at least {_LEAST_PERIOD:g} frames.")
    folded: Float32 = _fold(rows, lengths, as_count(beats, "beats"), as_count(steps, "steps"))
    return folded


@kernel(in_order=True)
def _track(envelope: Float32, period: float, tightness: float) -> NDArray[np.int64]:
    n = envelope.shape[0]
    nearest = max(1, int(np.round(period / 2)))
    farthest = int(np.round(2 * period))
    cost = np.empty(farthest + 1, np.float64)
    for d in range(1, farthest + 1):
        cost[d] = tightness * np.log(d / period) ** 2
    score = np.empty(n, np.float64)
    before = np.full(n, -1, np.int64)
    for t in range(n):
        best = 0.0
        for d in range(nearest, min(farthest, t) + 1):
            through = score[t - d] - cost[d]
            if through > best:
                best = through
                before[t] = t - d
        score[t] = envelope[t] + best
    last = n - 1
    for t in range(max(0, n - int(np.ceil(period))), n):
        if score[t] > score[last]:
            last = t
    count = 0
    t = last
    while t >= 0:
        count += 1
        t = before[t]
    beats = np.empty(count, np.int64)
    t = last
    for i in range(count - 1, -1, -1):
        beats[i] = t
        t = before[t]
    return beats


def track_beats(envelope: ArrayLike, period: float, *, tightness: float = 100.0) -> NDArray[np.int64]:
    """Place beats about a period apart where an onset envelope is high, by dynamic programming.

    The beats ``t_1 < t_2 < ...`` maximise ``sum_i e(t_i) - tightness sum_i log((t_(i+1) - t_i) / period)^2`` [1]_
    among those whose last lies within a period of the end and whose distances lie between half and twice the period.

    Parameters
    ----------
    envelope : array of float32, shape (n_frames,), never negative
        Onset strength, best scaled so that its spread is 1.
    period : float >= 2
        Expected distance of beats, in frames.
    tightness : float >= 0
        What a beat out of place costs.

    Returns
    -------
    beats : ndarray of int64, shape (n_beats,), n_beats >= 1
        Frames, rising.

    Raises
    ------
    ParameterError
        If the envelope is not a non-empty vector, or a number is out of range.

    References
    ----------
    .. [1] D. Ellis, "Beat tracking by dynamic programming", Journal of New Music Research 36, 2007.
    """
    e = as_vector(envelope, "envelope")
    beats: NDArray[np.int64] = _track(
        e, as_number(period, "period", least=_LEAST_PERIOD), as_number(tightness, "tightness", least=0.0)
    )
    return beats


@warms
def _warm() -> None:
    fold_envelopes(np.ones((1, 4), np.float32), np.array([2.0]))
    track_beats(np.ones(8, np.float32), 2.0)
