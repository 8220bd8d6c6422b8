"""What a search answers, for the description of the API."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from api.shapes import JobShape, SampleShape, Shape


class FitKeyShape(Shape):
    """How its key, or its note, stands to that of the sound asked for (null: one of them has neither)."""

    relation: Literal["same", "relative", "neighbour", "in scale", "same note", "fifth"] | None
    transpose: int = Field(description="Semitones that it has to be moved by for it.")


class FitTempoShape(Shape):
    """How it keeps time with the sound asked for (null: one of them has no tempo)."""

    stretch_percent: float | None = Field(description="By so much it has to be played faster; slower where negative.")
    times: float | None = Field(description="At the same tempo (1), at half (0.5) or at double time (2).")


class FitShape(Shape):
    """Why a sound fits."""

    key: FitKeyShape
    tempo: FitTempoShape
    complement: float | None = Field(description="0: the same balance of its spectrum, 1: the opposite one.")
    why: str


class HitShape(Shape):
    """A neighbour: how alike, in all and aspect by aspect (null: not comparable), and what each brings to the score."""

    sample: SampleShape
    score: float
    aspects: dict[str, float | None]
    shares: dict[str, float] = Field(description="They add up to the score.")
    fits: FitShape | None = Field(None, description="Only where it was asked what fits.")


class HitsShape(Shape):
    """Neighbours, nearest first."""

    items: list[HitShape]


class HitsPageShape(HitsShape):
    """The hits of a saved search: all on one page."""

    next: None = None


class SavedShape(Shape):
    """A saved search: `query` or `search`, as it was sent."""

    name: str
    query: dict[str, Any] | None = Field(None, description="What `GET /v1/samples` takes.")
    search: dict[str, Any] | None = Field(None, description="What `POST /v1/search` takes.")
    updated_at: str


class SavedSearchesShape(Shape):
    """Saved searches, by name."""

    items: list[SavedShape]


class SoundHitsShape(HitsShape):
    """Neighbours of a sound that was sent."""

    sample_id: str = Field(description="The sound's own.")


class SoundLaterShape(Shape):
    """A sound that was not analysed in time."""

    detail: str
    sample_id: str = Field(description="To be searched by when the job has ended.")
    job: JobShape


class LinkShape(Shape):
    """Two copies of one sound, and how their spectrograms agree where they lie best on each other."""

    between: tuple[str, str]
    same_audio: bool = Field(description="They decode to the same samples, each and every one.")
    shape_db: float = Field(description="Mean difference of what can be heard, levels taken out.")
    steady: float = Field(description="Share of the time in which the gain between them is the same within 2 dB.")


class GroupShape(Shape):
    """Copies of one sound."""

    kind: Literal["exact", "audio", "near"]
    keep: str = Field(description="The id of the one to keep.")
    why: str
    samples: list[SampleShape]
    links: list[LinkShape]


class DuplicatesShape(Shape):
    """Groups of copies, and how many samples were looked at for them."""

    items: list[GroupShape]
    looked_at: int
    next: str | None


class CopiesShape(Shape):
    """The copies of one sample."""

    group: GroupShape | None
