"""Questions that a caller keeps by a name: checked when they are kept, asked anew whenever they are wanted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from api.answers import instant
from api.asking import SavedRequest
from api.errors import Problem, refuse_field
from api.filters import marks_asked, sample_filter, search_filter
from api.listing import listing
from api.parts import Parts
from api.schemas import JobsQuery, SamplesQuery
from api.searching import Searching
from api.security import Caller
from api.similarity import weights_of
from stores import filters
from stores.records import SavedSearch
from workers.model import VECTOR_DIMENSIONS


def keep(parts: Parts, who: Caller, name: str, asked: SavedRequest) -> SavedSearch:
    """Keep a question that makes sense.

    Raises
    ------
    Problem, BadFilter
        It names a field or a value that there is not, or its name is none.
    TooManySearches
        The caller keeps as many as may be.
    """
    if name != name.strip() or not name.isprintable():
        raise refuse_field("name", "is a few words that can be printed, without blanks around them")
    if asked.query is not None:
        filters.check(sample_filter(asked.query, who.sees))
    if asked.search is not None:
        search_filter(asked.search.where, who.sees)
        marks_asked(asked.search.where)
        weights_of(asked.search.aspects, [1.0] * VECTOR_DIMENSIONS)
    return parts.searches.put(who.owner, name, asked.model_dump(mode="json", exclude_unset=True))


def results(parts: Parts, who: Caller, name: str, page: JobsQuery) -> Mapping[str, Any]:
    """What a kept question finds now: a page of samples, or the hits of a search, of which there is one page.

    Raises
    ------
    NotFound
        The caller keeps none of that name, or a sample that it names is gone.
    Problem
        409: it was kept by another version and makes no sense to this one. And all that the question itself raises.
    """
    asked = _read(parts.searches.get(who.owner, name))
    if asked.query is not None:
        said = asked.query.model_dump(exclude_unset=True)
        return listing(parts, who, SamplesQuery(**said, cursor=page.cursor, limit=page.limit))
    assert asked.search is not None
    if page.cursor is not None:
        raise refuse_field("cursor", "a search by likeness has one page")
    search = asked.search
    if page.limit is not None:
        search = search.model_copy(update={"limit": min(page.limit, 100)})
    return {**Searching(parts, who).search(search.like, search), "next": None}


def saved_view(saved: SavedSearch) -> dict[str, Any]:
    """A kept question as JSON."""
    return {"name": saved.name, **saved.asked, "updated_at": instant(saved.updated_at)}


def _read(saved: SavedSearch) -> SavedRequest:
    try:
        return SavedRequest.model_validate(saved.asked)
    except ValidationError as error:
        raise Problem(409, "search_outdated", "This search was kept by another version: keep it anew.") from error
