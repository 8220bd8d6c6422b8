"""How a signal's level goes, and where it rises: the curves that onsets, tempo and shape are read from."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workers.errors import ParameterError
from workers.kernels.arguments import Doubles, Float32, as_array, as_count, as_number, as_vector
from workers.kernels.compiled import kernel, warms
from workers.kernels.frames import log2_lanes
from workers.kernels.lanes import higher, highest, load, root, splat, store, total
from workers.kernels.vectors import LANES

SMOOTHED = 5
"""Steps of the amplitude envelope that are averaged."""


class Amplitude(NamedTuple):
    """What `amplitude_envelope` returns."""

    envelope: Doubles
    """(ceil(n_samples / hop),)."""
    crossings: int
    """How many neighbouring samples have opposite signs."""


@kernel
def _amplitude(y: Float32, hop: int, power: Doubles, envelope: Doubles) -> int:
    n = y.shape[0]
    count = power.shape[0]
    share = 1.0 / hop
    for step in range(count):
        begin = step * hop
        end = min(n, begin + hop)
        squares = np.float64(0)
        i = begin
        if end - begin >= LANES:
            added = splat(np.float32(0))
            while i + LANES <= end:
                v = load(y, i)
                added += v * v
                i += LANES
            squares += total(added)
        while i < end:
            squares += np.float64(y[i]) * np.float64(y[i])
            i += 1
        power[step] = squares * share
    reach = SMOOTHED // 2 if count >= SMOOTHED else 0
    for step in range(count):
        near = 0.0
        for other in range(max(0, step - reach), min(count, step + reach + 1)):
            near += power[other]
        envelope[step] = math.sqrt(near / (2 * reach + 1))
    crossings = 0
    now = y[1:]
    for i in range(now.shape[0]):
        crossings += (now[i] < 0) != (y[i] < 0)
    return crossings


def amplitude_envelope(y: ArrayLike, hop: int) -> Amplitude:
    """Compute the amplitude of a signal, step by step, and count its zero crossings.

    ``e[s] = sqrt(mean_{|r - s| <= 2} mean_{r hop <= k < (r + 1) hop} y[k]^2)`` with zeros outside the signal;
    signals of fewer than 5 steps are not smoothed.

    Parameters
    ----------
    y : array of float32, shape (n_samples,)
        The signal.
    hop : int >= 1
        Samples in a step.

    Returns
    -------
    found : Amplitude
        The envelope and the crossings. Gain moves the one and not the other.

    Raises
    ------
    ParameterError
        If `y` is not a non-empty vector or ``hop < 1``.
    """
    signal: Float32 = as_vector(y, "y")
    hop = as_count(hop, "hop")
    count = -(-len(signal) // hop)
    envelope = np.empty(count)
    crossings = _amplitude(signal, hop, np.empty(count), envelope)
    return Amplitude(envelope, crossings)


class Shape(NamedTuple):
    """What `describe_shape` returns; lengths in steps of the envelope."""

    top: float
    """Highest value."""
    attack: int
    """From the first tenth of the top to the first nine tenths."""
    decay: int
    """From the top to the first value below a tenth of it; -1 if there is none."""
    loud: int
    """How many values are above a tenth of the top."""
    centre: float
    """Centre of gravity, from 0, the start, to 1."""
    tail: float
    """Mean of the last twentieth."""


@kernel
def _shape(e: Doubles) -> tuple[float, int, int, int, float, float]:
    n = e.shape[0]
    peak = 0
    for i in range(n):
        if e[i] > e[peak]:
            peak = i
    top = e[peak]
    first = 0
    while e[first] < 0.1 * top:
        first += 1
    high = first
    while e[high] < 0.9 * top:
        high += 1
    decay = -1
    for i in range(peak, n):
        if e[i] < 0.1 * top:
            decay = i - peak
            break
    loud = 0
    added = 0.0
    weighted = 0.0
    for i in range(n):
        loud += e[i] > 0.1 * top
        added += e[i]
        weighted += e[i] * i
    last = max(1, n // 20)
    tail = 0.0
    for i in range(n - last, n):
        tail += e[i]
    centre = weighted / added / max(1, n - 1) if added > 0 else 0.0
    return top, high - first, decay, loud, centre, tail / last


def describe_shape(e: ArrayLike) -> Shape:
    """Describe how an amplitude envelope rises and falls.

    Parameters
    ----------
    e : array of float64, shape (n,), not negative
        The envelope.

    Returns
    -------
    shape : Shape
        Deaf to gain but for `top` and `tail`. Attack and decay of silence are 0 and -1.

    Raises
    ------
    ParameterError
        If `e` is not a non-empty vector.
    """
    return Shape(*_shape(as_vector(e, "e", keep_double=True).astype(np.float64, copy=False)))


class Rises(NamedTuple):
    """What `onset_envelopes` returns; float64, one value a frame."""

    rows: Doubles
    """First `full`, then the bands, last `energy`, (n_bands + 2, n_frames)."""
    start: float
    """Mean over rows of how far the loudest of the first ``lag + 1`` frames lies above the floor, in dB."""

    @property
    def full(self) -> Doubles:
        """Mean rise over all rows of the spectrogram, in dB, (n_frames,)."""
        return np.asarray(self.rows[0])

    @property
    def bands(self) -> Doubles:
        """Mean rise in each band, in dB, (n_bands, n_frames)."""
        return self.rows[1:-1]

    @property
    def energy(self) -> Doubles:
        """Sum over rows of the rise of amplitude."""
        return np.asarray(self.rows[-1])


@kernel
def _rises(M: Float32, n_frames: int, edges: NDArray[np.int64], lag: int, range_db: float, out: Doubles) -> float:
    """Fill the rows of `out`: full, the bands, energy."""
    rows, width = M.shape
    n_bands = edges.shape[0] - 1
    top = splat(np.float32(1e-12))
    for m in range(rows):
        for t in range(0, n_frames, LANES):
            top = higher(top, load(M[m], t))
    scale = np.float32(1) / np.float32(highest(top))
    floor = splat(np.float32(10 ** (-range_db / 10)))
    zero = splat(np.float32(0))
    db = np.empty(lag + width, np.float32)
    amplitude = np.empty(lag + width, np.float32)
    rise = np.zeros((n_bands, width), np.float32)
    grown = np.zeros(width, np.float32)
    start = 0.0
    for band in range(n_bands):
        for m in range(edges[band], edges[band + 1]):
            row = M[m]
            for t in range(0, width, LANES):
                v = load(row, t)
                store(db, lag + t, log2_lanes(v * scale + floor) * np.float32(3.0103))
                store(amplitude, lag + t, root(v))
            loudest = db[lag]
            for t in range(1, min(n_frames, lag + 1)):
                loudest = max(loudest, db[lag + t])
            start += loudest + range_db
            for t in range(lag):
                db[t] = 1e30  # what comes first has not risen
                amplitude[t] = 1e30
            for t in range(0, width, LANES):
                store(rise[band], t, load(rise[band], t) + higher(load(db, lag + t) - load(db, t), zero))
                more = higher(load(amplitude, lag + t) - load(amplitude, t), zero)
                store(grown, t, load(grown, t) + more)
    for t in range(n_frames):
        whole = 0.0
        for band in range(n_bands):
            whole += rise[band, t]
            out[1 + band, t] = rise[band, t] / np.float32(edges[band + 1] - edges[band])
        out[0, t] = whole / rows
        out[1 + n_bands, t] = grown[t]
    return float(start / rows)


def onset_envelopes(M: Float32, band_edges: NDArray[np.int64], *, lag: int = 2, range_db: float = 50.0) -> Rises:
    """Compute the rises of a mel spectrogram: in bands and in all, of decibels and of amplitude.

    ``10 log10(M / max M + 10^(-range_db / 10))`` is what rises, as in `onset_strength_multi`; of amplitude it is
    ``energy[t] = sum_m max(0, sqrt(M[m, t]) - sqrt(M[m, t - lag]))``.

    Parameters
    ----------
    M : ndarray of float32, shape (n_mels, n_frames)
        Mel spectrogram, power.
    band_edges : ndarray of int, shape (n_bands + 1,)
        First row of each band, and the end of the last: rising, from 0 to `n_mels`.
    lag : int >= 1
        Distance between the two frames compared, in frames.
    range_db : float > 0
        What lies further below the loudest cell does not rise.

    Returns
    -------
    rises : Rises
        Never negative; the first `lag` frames are 0. Deaf to gain but for `energy`, which grows with it.

    Raises
    ------
    ParameterError
        If `M` is not a non-empty matrix, the edges do not rise from its first row to its last, or a number is out of
        range.
    """
    cells = np.asarray(M)
    if cells.ndim != 2 or cells.size == 0:
        raise ParameterError(f"M must be a non-empty matrix, not of shape {cells.shape}.")
    edges = np.ascontiguousarray(band_edges, np.int64)
    rows, n_frames = cells.shape
    if edges.ndim != 1 or edges[0] != 0 or edges[-1] != rows or not (np.diff(edges) > 0).all():
        raise ParameterError(f"band_edges must rise from 0 to {rows}.")
    lag = as_count(lag, "lag")
    range_db = as_number(range_db, "range_db", above=0.0)
    padded = np.zeros((rows, -(-n_frames // LANES) * LANES), np.float32)
    padded[:, :n_frames] = cells
    out = np.empty((len(edges) + 1, n_frames))
    return Rises(out, _rises(padded, n_frames, edges, lag, range_db, out))


@kernel
def _local_mean(e: Doubles, reach: int, out: Doubles) -> None:
    n = e.shape[0]
    running = 0.0
    for t in range(min(n, reach)):
        running += e[t]
    for t in range(n):
        if t + reach < n:
            running += e[t + reach]
        if t - reach - 1 >= 0:
            running -= e[t - reach - 1]
        out[t] = running / (min(n, t + reach + 1) - max(0, t - reach))


@kernel
def _sharpen(e: Doubles, weights: Doubles, reach: int, share: float, out: Doubles) -> None:
    n = e.shape[0]
    half = weights.shape[0] // 2
    smooth = np.zeros(n)
    for t in range(n):
        for k in range(max(-half, -t), min(half, n - 1 - t) + 1):
            smooth[t] += weights[half + k] * e[t + k]
    _local_mean(smooth, reach, out)
    for t in range(n):
        out[t] = max(0.0, smooth[t] - share * out[t])


@kernel
def _sharpen_all(rows: Doubles, weights: Doubles, reach: int, share: float, out: Doubles) -> None:
    for i in range(rows.shape[0]):
        _sharpen(rows[i], weights, reach, share, out[i])


WEIGHTS = np.hanning(7)[1:-1] / np.hanning(7).sum()


def sharpen(e: ArrayLike, reach: int, *, share: float = 0.8) -> Doubles:
    """Smooth an envelope over five values and take most of its slow part away.

    ``max(0, s[t] - share mean_{|u - t| <= reach} s[u])``, where ``s`` is `e` under a Hann window of five.

    Parameters
    ----------
    e : array of float64, shape (n,)
        The envelope.
    reach : int >= 1
        How far the mean reaches to either side.
    share : float
        How much of the mean is taken.

    Returns
    -------
    sharp : ndarray of float64, shape (n,)
        Never negative.

    Raises
    ------
    ParameterError
        If `e` is not a non-empty vector or ``reach < 1``.
    """
    envelope = as_vector(e, "e", keep_double=True).astype(np.float64, copy=False)
    return np.asarray(sharpen_all(envelope[np.newaxis], reach, share=share)[0])


def sharpen_all(rows: ArrayLike, reach: int, *, share: float = 0.8) -> Doubles:
    """`sharpen` of each row of a matrix, (n_rows, n).

    ``max(0, s[t] - share mean_{|u - t| <= reach} s[u])``. Raises ParameterError as `sharpen`.
    """
    envelopes = as_array(rows, "rows", 2, keep_double=True).astype(np.float64, copy=False)
    out = np.empty(envelopes.shape)
    _sharpen_all(envelopes, WEIGHTS, as_count(reach, "reach"), as_number(share, "share"), out)
    return out


def local_mean(e: ArrayLike, reach: int) -> Doubles:
    """The mean of an envelope over `reach` values to either side, fewer at its ends, (n,).

    ``mean_{|u - t| <= reach} e[u]``. Raises ParameterError as `sharpen`.
    """
    envelope = as_vector(e, "e", keep_double=True).astype(np.float64, copy=False)
    out = np.empty(len(envelope))
    _local_mean(envelope, as_count(reach, "reach"), out)
    return out


@warms
def _warm() -> None:
    amplitude_envelope(np.ones(4, np.float32), 2)
    describe_shape(local_mean(np.ones(4), 2))
