"""A page of samples, as one caller asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from api.filters import sample_filter, sample_sort
from api.marked import Marked
from api.parts import Parts
from api.schemas import SamplesQuery
from api.security import Caller
from api.views import page_view
from stores.records import Page, Sample


def listing(parts: Parts, who: Caller, query: SamplesQuery) -> Mapping[str, Any]:
    """The page, each sample with what the caller says of it. A `Problem` (422) or `BadFilter` names a wrong field."""
    where = sample_filter(query, who.sees)
    limit = query.limit or parts.settings.gateway.page_size
    marked = Marked(parts.marks, parts.samples, who.owner, who.sees)
    among, sort = marked.among(where, query), sample_sort(query.sort)

    def ask() -> Page[Sample]:
        with parts.turns.one() if sort else nullcontext():
            return parts.samples.page(where, cursor=query.cursor, limit=limit, sort=sort, among=among)

    page = parts.listed.get((where, query.cursor, limit, sort, among), ask)
    return page_view(marked.views(page.items), page)
