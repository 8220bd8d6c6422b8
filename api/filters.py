"""What samples are asked for: the query's text and the search's `where` become a `SampleFilter` or Chroma's filter."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from api.errors import refuse_field
from api.schemas import SamplesQuery, Where
from api.spelling import spelled
from stores import filters
from stores.records import SampleFilter

_NUMBER = re.compile(r"[+-]?(\d{1,12}(\.\d{0,12})?|\.\d{1,12})", re.ASCII)
Bounds = tuple[float | None, float | None]


def parse_range(field: str, text: str) -> Bounds:
    """``118..122``, ``118..``, ``..122`` or ``120`` as bounds; a `Problem` (422) names the field otherwise."""
    low, dots, high = text.partition("..")
    if not dots:
        exact = _number(field, low)
        return exact, exact
    if not low and not high:
        raise refuse_field(field, "a range needs at least one end, as in 118..122, 118.. or ..122")
    bounds = (_number(field, low) if low else None, _number(field, high) if high else None)
    if bounds[0] is not None and bounds[1] is not None and bounds[0] > bounds[1]:
        raise refuse_field(field, f"the range ends ({bounds[1]:g}) before it begins ({bounds[0]:g})")
    return bounds


def _number(field: str, text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise refuse_field(field, "must be a number, or a range as in 118..122, 118.. or ..122")
    number = float(text)
    if not math.isfinite(number):
        raise refuse_field(field, "is not a finite number")
    return number


def sample_filter(query: SamplesQuery, owner: str | None) -> SampleFilter:
    """The query's filter. Raises a `Problem` (422) or `BadFilter`, each naming the field."""
    where = SampleFilter(
        bpm=None if query.bpm is None else parse_range("bpm", query.bpm),
        duration_s=None if query.duration is None else parse_range("duration", query.duration),
        key=query.key,
        camelot=query.camelot,
        tonic=query.tonic,
        mode=query.mode,
        kind=query.kind,
        note=query.note,
        text=query.text,
        defect=query.defect,
        owner=owner,
    )
    return spelled(where)


def search_filter(where: Where) -> SampleFilter:
    """A search's `where`.

    Raises
    ------
    BadFilter
        A field has a value that no sample has.
    """
    asked = spelled(
        SampleFilter(
            bpm=where.bpm,
            duration_s=where.duration,
            key=where.key,
            camelot=where.camelot,
            tonic=where.tonic,
            mode=where.mode,
            kind=where.kind,
        )
    )
    filters.check(asked)
    return asked


def index_filter(asked: SampleFilter) -> dict[str, Any] | None:
    """The same in Chroma's filter language; ``None`` where nothing is asked."""
    ranges: Mapping[str, Bounds | None] = {"bpm": asked.bpm, "duration_s": asked.duration_s}
    clauses: list[dict[str, Any]] = []
    for name, bounds in ranges.items():
        low, high = bounds or (None, None)
        clauses += [{name: {"$gte": float(low)}}] if low is not None else []
        clauses += [{name: {"$lte": float(high)}}] if high is not None else []
    for name in ("key", "camelot", "tonic", "mode", "kind"):
        value = getattr(asked, name)
        clauses += [{name: {"$eq": value}}] if value is not None else []
    if len(clauses) < 2:
        return clauses[0] if clauses else None
    return {"$and": clauses}
