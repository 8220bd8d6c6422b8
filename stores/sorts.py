"""Sorted pages of samples on MongoDB, read in steps along an index: what is asked for costs by what a step holds."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from stores import cursor as cursors
from stores.idranges import walk
from stores.mongo_door import Document, Documents
from stores.records import Order, Sort
from stores.versions import LISTED
from workers.errors import BadCursor

FIELDS: Final[Mapping[Order, str]] = {
    Order.BPM: "analysis.tempo.bpm",
    Order.DURATION: "analysis.audio.duration_s",
    Order.LOUDNESS: "analysis.loudness.integrated_lufs",
    Order.ADDED: "created_at",
}
"""Where the number is by which samples are sorted; each has an index behind ``v``."""

_LOWEST: Final[Mapping[Order, float | datetime]] = {
    **dict.fromkeys(FIELDS, -math.inf),
    Order.ADDED: datetime(1970, 1, 1, tzinfo=UTC),
}
"""The embedded server reads all that have no value for a range without a lower end."""
_LOOKED_AT: Final = 400
_EACH: Final = 2
_FRESH_S: Final = 30.0
_SPAN: Final = 1 / 64
_MOST_CELLS: Final = 8
_FIRST_AGE_S: Final = 60.0
_AGES: Final = 24


@dataclass(frozen=True, slots=True)
class Place:
    """Behind which sample a page begins; `value` as text, empty where it is not known of that sample."""

    value: str
    id: str


class Edges:
    """Where a step ends and the next begins, for each order: values of some samples of this library, so that each
    step holds about as many. The embedded server reads all that a step holds, 0.1 ms each, however few are wanted.
    """

    def __init__(self) -> None:
        self._known: Mapping[Order, Sequence[Any]] = {}
        self._until = 0.0

    def of(self, by: Order, samples: Documents) -> Sequence[Any]:
        """The edges, lowest first; read anew twice a minute."""
        if time.monotonic() > self._until:
            self._known = _looked_up(samples)
            self._until = time.monotonic() + _FRESH_S
        edges = self._known[by]
        return [*edges, *(age for age in _ages() if not edges or age > edges[-1])] if by is Order.ADDED else edges


def _looked_up(samples: Documents) -> Mapping[Order, Sequence[Any]]:
    """Values of some hundred samples: ids are hashes, so a range of them is as good as drawn by lot."""
    part = min(1.0, _LOOKED_AT / max(1, samples.estimated_document_count()))
    window, _ = next(walk("", part))
    fields = dict.fromkeys(FIELDS.values(), 1)
    stages: list[Document] = [
        {"$match": {"v": LISTED, "_id": window}},
        {"$limit": 2 * _LOOKED_AT},
        {"$project": fields},
    ]
    found = list(samples.aggregate(stages))
    values = {by: sorted({value for each in found if (value := _at(each, by)) is not None}) for by in FIELDS}
    return {by: known[::_EACH] for by, known in values.items()}


def page(
    samples: Documents, asked: Document, sort: Sort, after: Place | None, limit: int, edges: Edges
) -> list[Document]:
    """The first samples behind `after`: those with the number in its order, then those without."""
    found: list[Document] = []
    within = asked.get(FIELDS[sort.by])
    known = edges.of(sort.by, samples)
    for step, order in _steps(sort, after, within if isinstance(within, dict) else None, known):
        stages: list[Document] = [{"$match": {"v": LISTED, **step}}, {"$match": asked}, {"$sort": order}]
        found += samples.aggregate([*stages, {"$limit": limit - len(found)}, {"$project": {"vector": 0}}])
        if len(found) >= limit:
            break
    return found


def place_of(document: Mapping[str, Any], sort: Sort) -> Place:
    """Where a sample stands, to go on behind it."""
    value = _at(document, sort.by)
    said = value.isoformat() if isinstance(value, datetime) else "" if value is None else repr(float(value))
    return Place(said, document["_id"])


def _at(document: Mapping[str, Any], by: Order) -> Any:
    value: Any = document
    for name in FIELDS[by].split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def value_of(place: Place, sort: Sort) -> float | datetime | None:
    """The number at a place; raises `ValueError` for one that was not made by `place_of`."""
    if not place.value:
        return None
    if sort.by is Order.ADDED:
        added = datetime.fromisoformat(place.value)
        if added.tzinfo is None:
            raise ValueError("not a time that a sample has")
        return added
    value = float(place.value)
    if not math.isfinite(value):
        raise ValueError("not a number that a sample has")
    return value


def cursor(question: object, place: Place) -> str:
    """Where to go on behind a sample."""
    return cursors.write(question, (place.value, place.id))


def place_at(question: object, cursor: str, sort: Sort) -> Place:
    """The sample behind which to go on; raises `BadCursor` where we did not make it, or for another question."""
    place = Place(*map(str, cursors.read(question, cursor, (str, str))))
    try:
        value_of(place, sort)
    except ValueError:
        raise BadCursor from None
    return place


def _steps(
    sort: Sort, after: Place | None, within: Document | None, edges: Sequence[Any]
) -> Iterator[tuple[Document, Document]]:
    """What each step asks for, and in which order what it gives is. `within`: nothing outside of it is asked for."""
    field, way = FIELDS[sort.by], -1 if sort.descending else 1
    ordered = {field: way, "_id": 1}
    value = None if after is None else value_of(after, sort)
    if after is not None and value is not None:
        yield {field: value, "_id": {"$gt": after.id}}, ordered
    if after is None or value is not None:
        for bounds in _ranges(edges, value, descending=sort.descending):
            bounds = {"$gte": _LOWEST[sort.by], **bounds} if "$gt" not in bounds else bounds
            if within is None or _meet(bounds, within):
                yield {field: bounds}, ordered
    if within is not None:
        return
    behind = "" if after is None or value is not None else after.id
    for window, _ in walk(behind, _SPAN):
        yield {field: None, "_id": window}, {"_id": 1}


def _meet(bounds: Document, within: Document) -> bool:
    too_high = "$gte" in bounds and "$lte" in within and bounds["$gte"] > within["$lte"]
    too_low = "$lt" in bounds and "$gte" in within and bounds["$lt"] <= within["$gte"]
    return not too_high and not too_low


def _ages() -> Sequence[datetime]:
    """What came lately lies behind the edges that were looked up before it came."""
    now = datetime.now(UTC)
    return [now - timedelta(seconds=_FIRST_AGE_S * 2**n) for n in reversed(range(_AGES))]


def _ranges(edges: Sequence[Any], after: Any | None, *, descending: bool) -> Iterator[Document]:
    """Ranges from one end to the other, or from behind a value."""
    for low, high in _widening(list(pairwise([None, *edges, None])), descending=descending, after=after):
        if after is None:
            bounds = {"$gte": low, "$lt": high}
        elif descending:
            bounds = {"$gte": low, "$lt": after if high is None or high > after else high}
        else:
            bounds = {"$gte": low, "$lt": high} if low is not None and low > after else {"$gt": after, "$lt": high}
        yield {operator: bound for operator, bound in bounds.items() if bound is not None}


def _widening(
    cells: list[tuple[Any, Any]], *, descending: bool, after: Any | None
) -> Iterator[tuple[Any | None, Any | None]]:
    """The cells that are still ahead, several together as long as what came did not suffice."""
    if descending:
        ahead = [(low, high) for low, high in reversed(cells) if after is None or low is None or low < after]
    else:
        ahead = [(low, high) for low, high in cells if after is None or high is None or high > after]
    width = 1
    while ahead:
        together, ahead = ahead[:width], ahead[width:]
        yield (together[-1][0], together[0][1]) if descending else (together[0][0], together[-1][1])
        width = min(2 * width, _MOST_CELLS)
