"""What samples are asked for: the query's text and the search's `where` become a `SampleFilter` or Chroma's filter."""

from __future__ import annotations

import math
import re
from typing import Any

from api.asking import Where
from api.errors import refuse_field
from api.schemas import FacetsQuery, MarkedQuery, SortName
from api.spelling import related, spelled
from stores import filters
from stores.records import Bounds, Choice, Order, SampleFilter, Sort

_CHOSEN = ("key", "camelot", "tonic", "mode", "kind", "instrument", "note", "defect")
"""Filters of a search that take one value or several."""

_NUMBER = re.compile(r"[+-]?(\d{1,12}(\.\d{0,12})?|\.\d{1,12})", re.ASCII)


def parse_range(field: str, text: str) -> Bounds:
    """``118..122``, ``118..``, ``..122`` or ``120`` as bounds; a `Problem` (422) names the field otherwise."""
    low, dots, high = text.partition("..")
    if "..." in text:
        raise refuse_field(field, "a range has two dots, as in 118..122")
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


def sample_filter(query: FacetsQuery, owner: str | None) -> SampleFilter:
    """The query's filter. Raises a `Problem` (422) or `BadFilter`, each naming the field."""
    _check_company(query)
    where = SampleFilter(
        bpm=None if query.bpm is None else parse_range("bpm", query.bpm),
        bpm_octaves=query.bpm_octaves,
        duration_s=None if query.duration is None else parse_range("duration", query.duration),
        numbers=tuple(map(_number_range, query.range)),
        key=_several(query.key),
        camelot=_several(query.camelot),
        tonic=_several(query.tonic),
        mode=_several(query.mode),
        kind=_several(query.kind),
        instrument=_several(query.instrument),
        note=_several(query.note),
        text=query.text,
        defect=_several(query.defect),
        owner=owner,
    )
    return related(spelled(where), query.key_relation)


def _check_company(asked: FacetsQuery | Where) -> None:
    """What only says how another field is meant is nothing without it."""
    if asked.bpm_octaves and asked.bpm is None:
        raise refuse_field("bpm_octaves", "says how bpm is meant, and there is no bpm")
    if asked.key_relation != "same" and asked.key is None and asked.camelot is None:
        raise refuse_field("key_relation", "says how key or camelot is meant, and there is neither")


def _several(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(each.strip() for each in text.split(","))


def _number_range(text: str) -> tuple[str, Bounds]:
    place, colon, said = text.partition(":")
    if not colon:
        raise refuse_field("range", "is written place:from..to, as in loudness.integrated_lufs:-20..-10")
    return place, parse_range(place[:60], said)


def sample_sort(name: SortName | None) -> Sort | None:
    """``-bpm`` is by tempo, the fastest first."""
    return None if name is None else Sort(Order(name.removeprefix("-")), name.startswith("-"))


def search_filter(where: Where, owner: str | None = None) -> SampleFilter:
    """A search's `where`.

    Raises
    ------
    BadFilter
        A field has a value that no sample has.
    """
    _check_company(where)
    chosen = {name: _chosen(getattr(where, name)) for name in _CHOSEN}
    asked = SampleFilter(
        bpm=where.bpm,
        bpm_octaves=where.bpm_octaves,
        duration_s=where.duration,
        numbers=tuple(where.range.items()),
        text=where.text,
        owner=owner,
        **chosen,
    )
    asked = related(spelled(asked), where.key_relation)
    filters.check(asked)
    return asked


def marks_asked(where: Where) -> MarkedQuery:
    """What a search's `where` asks of the caller's own marks."""
    tags = filters.chosen(_chosen(where.tag))
    for tag in tags:
        if "," in tag or not tag.strip():
            raise refuse_field("where.tag", "a tag is a word or a few, without commas")
    said = ",".join(tags) or None
    return MarkedQuery.model_construct(tag=said, favourite=where.favourite, corrected=where.corrected)


def index_filter(asked: SampleFilter) -> dict[str, Any] | None:
    """The same in Chroma's filter language; ``None`` where nothing is asked."""
    tempi = [_within("bpm", bounds) for bounds in filters.tempi(asked)]
    clauses = [*_within("duration_s", asked.duration_s)]
    clauses += tempi[0] if len(tempi) == 1 else [{"$or": [_all(each) for each in tempi]}]
    for name in ("key", "camelot", "tonic", "mode", "kind"):
        values = filters.chosen(getattr(asked, name))
        clauses += [{name: {"$in": list(values)} if len(values) > 1 else {"$eq": values[0]}}] if values else []
    return _all(clauses) if clauses else None


def _chosen(values: str | list[str] | None) -> Choice | None:
    return tuple(values) if isinstance(values, list) else values


def beyond_index(asked: SampleFilter) -> bool:
    """Whether it asks for what only the ledger knows."""
    others = (asked.numbers, asked.instrument, asked.note, asked.text, asked.defect)
    return any(one not in (None, ()) for one in others)


def _within(name: str, bounds: Bounds | None) -> list[dict[str, Any]]:
    low, high = bounds or (None, None)
    clauses = [(operator, bound) for operator, bound in (("$gte", low), ("$lte", high)) if bound is not None]
    return [{name: {operator: float(bound)}} for operator, bound in clauses]


def _all(clauses: list[dict[str, Any]]) -> dict[str, Any]:
    return clauses[0] if len(clauses) == 1 else {"$and": clauses}
