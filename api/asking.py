"""What a search is asked with, checked field by field."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, model_validator

from api.schemas import RELATION, Bounds, Finite, KeyRelation, ListingQuery, Query, Sent
from stores.descriptors import DESCRIPTORS
from workers.model import ASPECTS, VECTOR_DIMENSIONS

SampleId = Annotated[str, Field(min_length=1, max_length=200)]
OneOf = (
    Annotated[str, Field(max_length=32)] | Annotated[list[Annotated[str, Field(max_length=32)]], Field(max_length=50)]
)
Tags = (
    Annotated[str, Field(min_length=1, max_length=40)]
    | Annotated[list[Annotated[str, Field(min_length=1, max_length=40)]], Field(min_length=1, max_length=20)]
)
Weight = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]


class Like(Sent):
    """What to compare with: a sample, several, or a vector."""

    sample: SampleId | None = None
    samples: list[SampleId] | None = Field(
        None, min_length=1, max_length=20, description="What they have in common: in each aspect their mean direction."
    )
    vector: list[Finite] | None = Field(None, min_length=VECTOR_DIMENSIONS, max_length=VECTOR_DIMENSIONS)

    @model_validator(mode="after")
    def _one(self) -> Like:
        if sum(said is not None for said in (self.sample, self.samples, self.vector)) != 1:
            raise ValueError("give either a sample's id, the ids of several samples, or a vector")
        return self

    @property
    def ids(self) -> list[str]:
        """The samples asked for, each once."""
        return list(dict.fromkeys(self.samples or ([self.sample] if self.sample else [])))


class Where(Sent):
    """Which samples may be found, in the words of `GET /v1/samples`. A list: any of its values."""

    bpm: Bounds | None = Field(None, examples=[[118, 122]])
    bpm_octaves: bool = Field(False, description="Also those of half and of twice the tempo.")
    duration: Bounds | None = Field(None, description="Seconds.", examples=[[0.1, 2]])
    range: dict[Annotated[str, Field(max_length=60)], Bounds] = Field(
        {},
        max_length=20,
        examples=[{"loudness.integrated_lufs": [-20, -10]}],
        description=f"Any other number of the analysis by its place. {', '.join(DESCRIPTORS)}.",
    )
    key: OneOf | None = Field(None, examples=["C minor"])
    key_relation: KeyRelation = Field("same", description=RELATION)
    camelot: OneOf | None = None
    tonic: OneOf | None = None
    mode: OneOf | None = None
    kind: OneOf | None = Field(None, examples=["loop", ["loop", "track"]])
    instrument: OneOf | None = Field(None, examples=[["kick", "snare"]])
    note: OneOf | None = Field(None, examples=["A4", "A"])
    text: str | None = Field(None, max_length=500, examples=["kick"], description="Words that all stand in a path.")
    defect: OneOf | None = Field(None, examples=["clipping"])
    tag: Tags | None = Field(None, description="A tag of yours.", examples=["dusty"])
    favourite: bool = Field(False, description="Only your favourites.")
    corrected: bool = Field(False, description="Only those whose tempo, key or kind you corrected.")


class Fits(Sent):
    """How far a sound may be bent to fit."""

    stretch_percent: float = Field(
        8, ge=0, le=50, allow_inf_nan=False, description="At most so much faster or slower, at half or double time too."
    )
    transpose: int = Field(2, ge=0, le=6, description="At most so many semitones up or down.")


class SoundRequest(Sent):
    """A search but for what to compare with."""

    aspects: dict[str, Weight] | None = Field(
        None, max_length=16, description=f"Weight of each of {', '.join(ASPECTS)}; all alike by default."
    )
    where: Where = Where()
    limit: int = Field(20, ge=1, le=100)
    include_self: bool = Field(False, description="Whether the samples that are asked for are among the hits.")
    different: bool = Field(
        False, description="Of the nearest, those that are least alike: each as far as can be from those before it."
    )
    fits: bool | Fits = Field(
        False,
        description="What goes with one sample, not what is like it: in key, in tempo, where its spectrum is free.",
    )

    @property
    def fitting(self) -> Fits | None:
        """How far what fits may be bent; ``None`` where what is alike is asked for."""
        return (Fits() if self.fits else None) if isinstance(self.fits, bool) else self.fits

    @model_validator(mode="after")
    def _said_once(self) -> SoundRequest:
        if self.fitting and self.aspects is not None:
            raise ValueError("aspects weigh what is alike; fits goes by key, tempo and spectrum")
        return self


class SearchRequest(SoundRequest):
    """What sounds like this, and in which respect; or what goes with it."""

    like: Like

    @model_validator(mode="after")
    def _one_to_fit(self) -> SearchRequest:
        if self.fitting and self.like.sample is None:
            raise ValueError("fits needs one sample: its key and its tempo are what others must go with")
        return self

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "like": {"sample": "9f2c...-1.5.0-0"},
                    "aspects": {"timbre": 1, "rhythm": 0.5},
                    "where": {"bpm": [118, 122], "key": "C minor"},
                    "limit": 20,
                }
            ]
        }
    )


class SavedRequest(Sent):
    """A question to keep: one of a listing, or a search."""

    query: ListingQuery | None = Field(
        None,
        examples=[{"kind": "loop", "bpm": "118..122", "sort": "-loudness"}],
        description="What `GET /v1/samples` takes, but for `cursor` and `limit`.",
    )
    search: SearchRequest | None = Field(None, description="What `POST /v1/search` takes.")

    @model_validator(mode="after")
    def _one_question(self) -> SavedRequest:
        if (self.query is None) == (self.search is None):
            raise ValueError("give either a query or a search")
        return self

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"query": {"kind": "loop", "bpm": "118..122", "sort": "-loudness"}}]}
    )


class SoundQuery(Query):
    """With a sound: its name, how long to wait, and the search."""

    name: str = Field(
        "sound.wav", min_length=1, max_length=1024, description="The file's name: it may say tempo and key."
    )
    wait_s: float = Field(10, ge=0, le=30, description="Seconds to wait for its analysis.", allow_inf_nan=False)
    search: str = Field(
        "{}",
        max_length=20_000,
        examples=['{"aspects": {"timbre": 1}, "where": {"kind": "one-shot"}}'],
        description="The rest of a search as JSON: all but `like`.",
    )
