"""What sounds alike."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from api.answers import Json
from api.deps import Parts, Reader
from api.filters import search_filter
from api.index import Found
from api.marked import Marked
from api.schemas import SearchRequest
from api.shapes import PROBLEMS, HitsShape
from api.similarity import unit
from workers.model import VECTOR_VERSION

router = APIRouter(prefix="/v1/search", tags=["search"], responses=PROBLEMS)


@router.post("", summary="What sounds alike, and in which respect", responses={200: {"model": HitsShape}})
def search(parts: Parts, who: Reader, asked: SearchRequest) -> Response:
    """Nearest first; `score` is the weighted mean of the aspects' similarities. The sample itself is left out unless it
    is asked for."""
    like = asked.like
    space: int | None = VECTOR_VERSION
    if like.vector:
        query = unit(like.vector)
    else:
        query, space = parts.index.vector_of(like.sample or "", who.sees)
    found = parts.index.search(
        query,
        asked.aspects,
        search_filter(asked.where),
        owner=who.sees,
        limit=asked.limit,
        space=space,
        itself=like.sample,
        with_itself=asked.include_self,
    )
    views = Marked(parts.marks, parts.samples, who.owner, who.sees).views([hit.sample for hit in found])
    return Json({"items": [_view(hit, sample) for hit, sample in zip(found, views, strict=True)]})


def _view(hit: Found, sample: dict[str, Any]) -> dict[str, object]:
    aspects = {name: None if value is None else round(value, 4) for name, value in hit.likeness.aspects.items()}
    return {"sample": sample, "score": round(hit.likeness.score, 4), "aspects": aspects}
