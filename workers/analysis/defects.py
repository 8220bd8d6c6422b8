"""What is wrong with a file, in words a musician can act on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workers.analysis.mono import Mono
from workers.kernels.waveform import Ends, Survey, find_ends
from workers.model import Defect

CLIP_RUN = 3
"""Samples in a row, of one sign, that are as high as the highest (`SAME_LEVEL` of it, near full scale): cut off."""
NEAR_FULL_SCALE = 0.98
SAME_LEVEL = 0.9995
_DC = 0.005
_SILENT_S = 0.1
_AUDIBLE = 1e-3
"""-60 dB below the peak."""


def find_defects(
    y: NDArray[np.float32],
    sr: int,
    seen: Survey,
    mono: Mono,
    kind: str,
    *,
    bad_samples: int,
    truncated: bool,
    rest_s: float = 0.0,
) -> tuple[Defect, ...]:
    """Every defect found in a signal, (frames, channels), at its own rate, that was walked over.

    A silence of up to `rest_s` at its end is no defect: in a loop that was cut to its beats it is a rest.
    """
    ends = None
    if not mono.silent:
        ceiling = SAME_LEVEL * mono.top if mono.top >= NEAR_FULL_SCALE else 0.0
        ends = find_ends(y, seen.peaks, threshold=audible(mono.dc, mono.top), ceiling=ceiling, run=CLIP_RUN)
    found = of_the_whole(
        ends, len(y), sr, dc=mono.dc, cancels=mono.cancels, bad_samples=bad_samples, truncated=truncated, rest_s=rest_s
    )
    if kind == "loop":
        found.extend(_seam(y, seen.peak))
    return tuple(found)


def audible(dc: float, top: float) -> float:
    """The level below which a file is silent."""
    return abs(dc) + _AUDIBLE * top


def of_the_whole(
    ends: Ends | None,
    n: int,
    sr: int,
    *,
    dc: float,
    cancels: bool,
    bad_samples: int,
    truncated: bool,
    rest_s: float = 0.0,
) -> list[Defect]:
    """What is wrong with `n` frames that begin and end so; ``None`` where they are silent."""
    found = [*_damage(bad_samples, truncated), *_offset(dc)]
    if ends is not None:
        found += [*_clipping(ends, sr), *_silence(ends, n, sr, rest_s)]
    if cancels:
        found.append(
            Defect("phase_cancelling", "The channels cancel each other: played in mono, the sound all but vanishes.")
        )
    return found


def _damage(bad_samples: int, truncated: bool) -> list[Defect]:
    found = []
    if bad_samples:
        message = "Some samples are not numbers (NaN or infinite) and were taken as 0."
        found.append(Defect("non_finite_samples", message, amount=float(bad_samples)))
    if truncated:
        found.append(Defect("truncated", "The file ends before its header says it should."))
    return found


def _offset(dc: float) -> list[Defect]:
    if abs(dc) < _DC:
        return []
    return [Defect("dc_offset", "The waveform does not swing around zero.", amount=round(dc, 5))]


def _clipping(ends: Ends, sr: int) -> list[Defect]:
    if not ends.runs:
        return []
    at_s = round(ends.first_run / sr, 4)
    return [Defect("clipping", "Peaks are cut off flat at full scale.", at_s, float(ends.runs))]


def _silence(ends: Ends, n: int, sr: int, rest_s: float) -> list[Defect]:
    head, tail = ends.first / sr, (n - ends.last) / sr
    found = []
    if head > _SILENT_S:
        found.append(Defect("silent_head", "The sound begins late.", 0.0, round(head, 3)))
    if tail > max(_SILENT_S, rest_s):
        found.append(Defect("silent_tail", "Silence at the end.", round(ends.last / sr, 3), round(tail, 3)))
    return found


def seam_step(y: NDArray[np.float32]) -> tuple[float, float]:
    """The step from the last sample of (frames, channels) to the first, and the largest of those near either end."""
    head, tail = y[:32].mean(axis=1), y[-32:].mean(axis=1)
    usual = max(np.abs(np.diff(head)).max(initial=0), np.abs(np.diff(tail)).max(initial=0))
    return abs(float(head[0] - tail[-1])), float(usual)


def seam_step_db(y: NDArray[np.float32]) -> float:
    """How much larger than any nearby the step at a loop's seam is, in dB, -60 to 60; from 6 on it may click."""
    jump, usual = seam_step(y)
    if jump == usual:
        return 0.0
    return round(float(np.clip(20 * np.log10(max(jump, 1e-9) / max(usual, 1e-9)), -60, 60)), 1)


def _seam(y: NDArray[np.float32], peak: float) -> list[Defect]:
    """A step from the last sample to the first that is larger than any nearby would explain."""
    if len(y) < 64:
        return []
    jump, usual = seam_step(y)
    if jump < 0.1 * peak or jump < 2 * usual:
        return []
    return [Defect("click_at_seam", "The loop clicks where its end meets its start.", 0.0, round(jump, 4))]
