"""How often a signal changes sign (row K4)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from workers.errors import ParameterError
from workers.kernels.arguments import Float32, as_count, as_number, as_vector
from workers.kernels.compiled import kernel, warms


@kernel
def _count_changes(y: Float32, begin: int, end: int, threshold: float) -> int:
    if end <= begin:
        return 0
    limit = np.float32(threshold)
    now = y[begin:end]
    before = y[begin - 1 : end - 1]
    changes = 0
    for k in range(now.shape[0]):
        changes += (now[k] < limit) != (before[k] < limit)
    return changes


@kernel
def _crossing_rate(y: Float32, frame_length: int, hop_length: int, n_frames: int, threshold: float) -> Float32:
    n = y.shape[0]
    pad = frame_length // 2
    rate = np.empty(n_frames, np.float32)
    seen = np.empty(n_frames, np.int64)  # sign changes up to each frame's first sample
    first = 0
    last = 0
    position = 0
    changes = 0
    while last < n_frames:
        stop = min(max(last * hop_length - pad + frame_length - 1, 0), n - 1)
        if first < n_frames:
            stop = min(stop, min(max(first * hop_length - pad, 0), n - 1))
        changes += _count_changes(y, position + 1, stop + 1, threshold)
        position = stop
        while first < n_frames and min(max(first * hop_length - pad, 0), n - 1) == position:
            seen[first] = changes
            first += 1
        while last < first and min(max(last * hop_length - pad + frame_length - 1, 0), n - 1) == position:
            rate[last] = np.float32(changes - seen[last]) / np.float32(frame_length)
            last += 1
    return rate


def compute_zero_crossing_rate_batch(
    y: ArrayLike, *, frame_length: int = 2048, hop_length: int = 512, threshold: float = 1e-10
) -> Float32:
    """Compute the share of samples at which a signal changes sign, frame by frame (row K4).

    ``z[t] = #{k in frame t, k not its first: (y[k] < -threshold) != (y[k - 1] < -threshold)} / frame_length`` [1]_.

    Frame ``t`` is centred on sample ``t * hop_length``; beyond the ends the signal keeps its last value. Sign changes
    are counted from mark to mark, so that each sample is looked at once however much the frames overlap.

    Parameters
    ----------
    y : array of float32, shape (n_samples,)
        The signal. Other types are converted.
    frame_length, hop_length : int >= 1
        Samples in a frame, and between two frames.
    threshold : float >= 0
        Values this close to 0 count as positive.

    Returns
    -------
    rate : ndarray of float32, shape (1 + n_samples // hop_length,) for an even `frame_length`
        From 0 to 1. Deaf to gain where no value is near the threshold.

    Raises
    ------
    ParameterError
        If `y` is not a non-empty vector, a number is out of range, or an odd frame is longer than the padded signal.

    References
    ----------
    .. [1] B. Kedem, "Spectral analysis and discrimination by zero-crossings", Proc. IEEE 74(11), 1986.
    """
    signal = as_vector(y, "y")
    frame_length = as_count(frame_length, "frame_length")
    hop_length = as_count(hop_length, "hop_length")
    limit = -as_number(threshold, "threshold", least=0.0)
    surplus = len(signal) + 2 * (frame_length // 2) - frame_length
    if surplus < 0:
        raise ParameterError(f"y has {len(signal)} samples: too few for a frame of {frame_length}.")
    rate: Float32 = _crossing_rate(signal, frame_length, hop_length, 1 + surplus // hop_length, limit)
    return rate


@warms
def _warm() -> None:
    compute_zero_crossing_rate_batch(np.ones(4, np.float32), frame_length=2, hop_length=2)
