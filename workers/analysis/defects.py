"""What is wrong with a file, in words a musician can act on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workers.analysis.mono import Mono
from workers.model import Defect

_CLIP_RUN = 3
_DC = 0.005
_SILENT_S = 0.1
_AUDIBLE = 1e-3


def find_defects(
    y: NDArray[np.float32], sr: int, mono: Mono, kind: str, *, bad_samples: int, truncated: bool
) -> tuple[Defect, ...]:
    """Every defect found in a signal, (frames, channels), at its own rate."""
    found = [
        *_damage(bad_samples, truncated),
        *_clipping(y, sr),
        *_dc_offset(y),
        *([] if mono.silent else _silent_ends(y, sr)),
    ]
    if mono.cancels:
        found.append(
            Defect("phase_cancelling", "The channels cancel each other: played in mono, the sound all but vanishes.")
        )
    if kind == "loop":
        found.extend(_seam(y, sr))
    return tuple(found)


def _damage(bad_samples: int, truncated: bool) -> list[Defect]:
    found = []
    if bad_samples:
        message = "Some samples are not numbers (NaN or infinite) and were taken as 0."
        found.append(Defect("non_finite_samples", message, amount=float(bad_samples)))
    if truncated:
        found.append(Defect("truncated", "The file ends before its header says it should."))
    return found


def _clipping(y: NDArray[np.float32], sr: int) -> list[Defect]:
    """Runs of at least `_CLIP_RUN` equal samples at the top."""
    peak = float(np.abs(y).max()) if y.size else 0.0
    if peak < 0.98:
        return []
    runs, first = 0, len(y)
    for channel in y.T:
        at = np.flatnonzero(np.abs(channel) >= 0.9995 * peak)
        if len(at) < _CLIP_RUN:
            continue
        flat = at[_CLIP_RUN - 1 :] - at[: 1 - _CLIP_RUN] == _CLIP_RUN - 1
        starts = flat & ~np.concatenate([[False], flat[:-1]])
        runs += int(np.count_nonzero(starts))
        if starts.any():
            first = min(first, int(at[int(np.argmax(starts))]))
    if not runs:
        return []
    return [Defect("clipping", "Peaks are cut off flat at full scale.", round(first / sr, 4), float(runs))]


def _dc_offset(y: NDArray[np.float32]) -> list[Defect]:
    if not y.size:
        return []
    offset = max((float(channel.mean(dtype=np.float64)) for channel in y.T), key=abs)
    if abs(offset) < _DC:
        return []
    return [Defect("dc_offset", "The waveform does not swing around zero.", amount=round(offset, 5))]


def _silent_ends(y: NDArray[np.float32], sr: int) -> list[Defect]:
    loud = np.abs(y[:, 0])
    for channel in range(1, y.shape[1]):
        np.maximum(loud, np.abs(y[:, channel]), out=loud)
    audible = loud > _AUDIBLE * float(loud.max())
    head = int(audible.argmax()) / sr
    tail = int(audible[::-1].argmax()) / sr
    found = []
    if head > _SILENT_S:
        found.append(Defect("silent_head", "The sound begins late.", 0.0, round(head, 3)))
    if tail > _SILENT_S:
        found.append(Defect("silent_tail", "Silence at the end.", round(len(y) / sr - tail, 3), round(tail, 3)))
    return found


def _seam(y: NDArray[np.float32], sr: int) -> list[Defect]:
    """A step from the last sample to the first that is larger than any nearby would explain."""
    if len(y) < 64:
        return []
    mono = y.mean(axis=1)
    jump = abs(float(mono[0] - mono[-1]))
    edges = np.concatenate([np.diff(mono[:32]), np.diff(mono[-32:])])
    usual = float(np.abs(edges).max())
    if jump < 0.05 * float(np.abs(mono).max()) or jump < 3 * usual:
        return []
    return [Defect("click_at_seam", "The loop clicks where its end meets its start.", 0.0, round(jump, 4))]
