"""Saved searches: questions kept by a name."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from api.answers import Json
from api.asking import SavedRequest
from api.deps import Parts, Reader, Writer
from api.hit_shapes import HitsPageShape, SavedSearchesShape, SavedShape
from api.saved import keep, results, saved_view
from api.schemas import JobsQuery
from api.shapes import PROBLEMS, SamplesShape

router = APIRouter(prefix="/v1/searches", tags=["search"], responses=PROBLEMS)
Name = Annotated[str, Path(min_length=1, max_length=100, examples=["dusty loops"], description="Without slashes.")]


@router.get("", summary="Your saved searches", responses={200: {"model": SavedSearchesShape}})
def searches(parts: Parts, who: Reader) -> Response:
    """All of them, by name. Others do not see yours."""
    return Json({"items": [saved_view(each) for each in parts.searches.list(who.owner)]})


@router.get("/{name}", summary="One saved search", responses={200: {"model": SavedShape}})
def saved(parts: Parts, who: Reader, name: Name) -> Response:
    """The question, as it was sent."""
    return Json(saved_view(parts.searches.get(who.owner, name)))


@router.put("/{name}", summary="Keep a search", responses={200: {"model": SavedShape}})
def save(parts: Parts, who: Writer, name: Name, asked: SavedRequest) -> Response:
    """Takes the place of the one of that name. What makes no sense is refused now, and not when it is asked."""
    return Json(saved_view(keep(parts, who, name, asked)))


@router.delete("/{name}", status_code=204, summary="Forget a search", response_class=Response)
def forget(parts: Parts, who: Writer, name: Name) -> Response:
    """The samples that it finds stay what they are."""
    parts.searches.remove(who.owner, name)
    return Response(status_code=204)


@router.get("/{name}/results", summary="What it finds now", responses={200: {"model": SamplesShape | HitsPageShape}})
def found(parts: Parts, who: Reader, name: Name, page: Annotated[JobsQuery, Query()]) -> Response:
    """A page of samples for a `query`, the hits for a `search`: asked anew, so that new samples are among them."""
    return Json(results(parts, who, name, page))
