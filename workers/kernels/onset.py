"""Where something begins (row K8)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workers.errors import ParameterError
from workers.kernels.arguments import Float32, as_count, as_frames, as_spectrogram
from workers.kernels.compiled import kernel, warms


@kernel
def _mean_rise_by_frame(frames: Float32, lag: int, edges: NDArray[np.int64]) -> Float32:
    n_frames = frames.shape[0]
    n_bands = edges.shape[0] - 1
    envelope = np.zeros((n_bands, n_frames), np.float32)
    for t in range(lag, n_frames):
        now = frames[t]
        before = frames[t - lag]
        for band in range(n_bands):
            # slices, because an index known to begin at 0 needs no test for negative ones
            a = now[edges[band] : edges[band + 1]]
            b = before[edges[band] : edges[band + 1]]
            rise = np.float32(0)
            for f in range(a.shape[0]):
                rise += max(np.float32(0), a[f] - b[f])
            envelope[band, t] = rise / np.float32(a.shape[0])
    return envelope


@kernel
def _mean_rise_by_band(S: Float32, lag: int) -> Float32:
    n_mels, n_frames = S.shape
    envelope = np.zeros(n_frames, np.float32)
    rises = envelope[lag:]
    for f in range(n_mels):
        now = S[f, lag:]
        before = S[f]
        for t in range(rises.shape[0]):
            rises[t] += max(np.float32(0), now[t] - before[t])
    share = np.float32(1) / np.float32(n_mels)
    for t in range(n_frames):
        envelope[t] *= share
    return envelope


def compute_onset_strength(S_db: ArrayLike, *, lag: int = 1) -> Float32:
    """Compute the spectral-flux onset strength envelope (row K8).

    At frame ``t`` it is ``mean_f max(0, S[f, t] - S[f, t - lag])`` [1]_.

    Parameters
    ----------
    S_db : array of float32, shape (n_mels, n_frames), C or Fortran order
        Log-power mel spectrogram, in dB.
    lag : int >= 1
        Distance between the two frames compared, in frames.

    Returns
    -------
    onset_envelope : ndarray of float32, shape (n_frames,)
        Mean rise, in dB. Never negative; its first `lag` frames are 0. Deaf to gain, and later frames change nothing
        before them.

    Raises
    ------
    ParameterError
        If `S_db` is not a non-empty matrix, or ``lag < 1``.

    References
    ----------
    .. [1] S. Böck and G. Widmer, "Maximum filter vibrato suppression for onset detection", DAFx, 2013.
    """
    S, by_frame = as_spectrogram(S_db, "S_db")
    lag = as_count(lag, "lag")
    if by_frame:
        envelope: Float32 = _mean_rise_by_frame(S, lag, np.array([0, S.shape[1]]))[0]
        return envelope
    if lag >= S.shape[1]:
        return np.zeros(S.shape[1], np.float32)
    by_band: Float32 = _mean_rise_by_band(S, lag)
    return by_band


def onset_strength_multi(S_db: ArrayLike, band_edges: ArrayLike, *, lag: int = 1) -> Float32:
    """Compute the onset strength envelope of several bands: kick, snare, hats.

    ``env[b, t] = mean_(f = e_b)^(e_(b+1) - 1) max(0, S[f, t] - S[f, t - lag])``, with ``e`` the `band_edges`.

    Parameters
    ----------
    S_db : array of float32, shape (n_mels, n_frames)
        Log-power mel spectrogram, in dB.
    band_edges : array of int, shape (n_bands + 1,)
        First row of each band, and the end of the last: rising, from 0 to `n_mels`.
    lag : int >= 1
        Distance between the two frames compared, in frames.

    Returns
    -------
    onset_envelopes : ndarray of float32, shape (n_bands, n_frames)
        Mean rise in each band, in dB. Never negative; the first `lag` frames are 0.

    Raises
    ------
    ParameterError
        If `S_db` is not a non-empty matrix, the edges do not rise within it, or ``lag < 1``.
    """
    frames = as_frames(S_db, "S_db")
    edges = np.asarray(band_edges)
    if edges.ndim != 1 or edges.size < 2 or edges.dtype.kind not in "iu":
        raise ParameterError("band_edges must be a vector of two or more whole numbers.")
    edges = edges.astype(np.int64)
    if edges[0] < 0 or edges[-1] > frames.shape[1] or not (np.diff(edges) > 0).all():
        raise ParameterError(f"band_edges must rise within 0 and {frames.shape[1]}.")
    envelopes: Float32 = _mean_rise_by_frame(frames, as_count(lag, "lag"), edges)
    return envelopes


@warms
def _warm() -> None:
    compute_onset_strength(np.ones((2, 3), np.float32))
    compute_onset_strength(np.ones((2, 3), np.float32, order="F"))
