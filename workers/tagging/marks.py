"""What is written into a file: tempo, beats, key and root note, as far as they are known well enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SURE = 0.8
"""Answers less certain than this are not written, unless asked for: a tag is believed by those who read it."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What to write; ``None`` leaves alone what the file says."""

    bpm: float | None = None
    """Beats per minute, to two places."""
    beats: int | None = None
    """Beats of a loop, where it is cut to a whole number of them."""
    tonic: str | None = None
    """One of `workers.model.TONICS`."""
    mode: str | None = None
    """``major`` or ``minor``."""
    root_midi: int | None = None
    """The note that the sound has when it is played as it is, C4 being 60."""
    root_cents: float = 0.0
    """How far it is above that note, -50 to 50."""
    one_shot: bool = False
    """Not to be stretched: what is written for a loop's tempo stays away."""

    @property
    def key(self) -> str | None:
        """The key as ID3's TKEY has it: ``Am``, ``F#m``, ``C``."""
        if self.tonic is None or self.mode is None:
            return None
        return self.tonic + ("m" if self.mode == "minor" else "")

    @property
    def tempo(self) -> str | None:
        """The tempo as tags have it: ``120``, ``127.98``."""
        return None if self.bpm is None else f"{self.bpm:.2f}".rstrip("0").rstrip(".")

    def __bool__(self) -> bool:
        return any(value is not None for value in (self.bpm, self.key, self.root_midi))


def marks_of(analysis: Mapping[str, Any], *, at_least: float = SURE) -> Marks:
    """What an analysis (as `analyze` and ``GET /v1/samples/{id}`` have it) says with confidence `at_least`."""
    kind = analysis["kind"]["label"]
    tempo, key, pitch = analysis["tempo"], analysis["key"], analysis["pitch"]
    one_shot = kind == "one-shot"
    timed = not one_shot and tempo["bpm"] is not None and tempo["confidence"] >= at_least
    keyed = not one_shot and key["tonic"] is not None and key["confidence"] >= at_least
    noted = pitch["midi"] is not None and pitch["confidence"] >= at_least
    return Marks(
        bpm=round(tempo["bpm"], 2) if timed else None,
        beats=tempo["beats"] if timed and kind == "loop" else None,
        tonic=key["tonic"] if keyed else None,
        mode=key["mode"] if keyed else None,
        root_midi=pitch["midi"] if noted else None,
        root_cents=(pitch["cents"] or 0.0) if noted else 0.0,
        one_shot=one_shot,
    )
