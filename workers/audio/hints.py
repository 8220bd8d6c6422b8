"""What people and programs wrote down about a sound: RIFF and AIFF chunks, and the file's name.

Hints are evidence, not truth: a name says 120 where the loop runs at 60, and an ``acid`` chunk is often a default.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hints:
    """Everything found; ``None`` where nothing was said."""

    name_bpm: float | None = None
    name_tonic: str | None = None
    """One of `workers.model.TONICS`."""
    name_mode: str | None = None
    """``major`` or ``minor``."""
    name_note: str | None = None
    """A one-shot's root as written in sharps with its octave (``C3``); octaves differ between makers."""
    name_midi: int | None = None
    """The same as a MIDI number, C4 being 60."""
    acid_bpm: float | None = None
    acid_beats: int | None = None
    acid_root_midi: int | None = None
    acid_oneshot: bool | None = None
    smpl_root_midi: int | None = None
    loop_frames: tuple[int, int] | None = None
    """The sampler's loop, first frame and the one behind the last."""
