"""Copies: the same bytes at several places, the same sound in another form."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from api.answers import Json
from api.deps import Parts, Reader
from api.duplicates import Duplicates
from api.hit_shapes import CopiesShape, DuplicatesShape
from api.marked import Marked
from api.parts import Parts as _Parts
from api.schemas import DuplicatesQuery
from api.security import Caller
from api.shapes import PROBLEMS

router = APIRouter(prefix="/v1", tags=["duplicates"], responses=PROBLEMS)
SampleId = Annotated[str, Path(max_length=200)]
_STEP = 100


@router.get("/duplicates", summary="Groups of copies", responses={200: {"model": DuplicatesShape}})
def duplicates(parts: Parts, who: Reader, query: Annotated[DuplicatesQuery, Query()]) -> Response:
    """The groups that begin among the next `limit` samples: a page may have none, and `next` leads on to the last.

    `exact`: the same bytes at several places. `audio`: the same samples in different files, as in a WAV and the FLAC
    made of it, or two MP3s of which only the tags differ. `near`: the same sound louder or softer, cut, faded, in
    another format, at another rate, in mono or stereo; `links` say which was found to be a copy of which. `keep` is a
    suggestion: nothing is ever merged or removed.
    """
    with parts.turns.one():
        groups, page = Duplicates(parts, who.sees).page(query.kind, query.cursor, query.limit or _STEP)
    items = [_view(parts, who, group) for group in groups]
    return Json({"items": items, "looked_at": len(page.items), "next": page.next})


@router.get("/samples/{sample_id}/duplicates", summary="Copies of it", responses={200: {"model": CopiesShape}})
def copies(parts: Parts, who: Reader, sample_id: SampleId) -> Response:
    """The group that this sample is in, also through copies of its copies; null where it has none."""
    with parts.turns.one():
        group = Duplicates(parts, who.sees).of(sample_id)
    return Json({"group": None if group is None else _view(parts, who, group)})


def _view(parts: _Parts, who: Caller, group: dict[str, Any]) -> dict[str, Any]:
    views = Marked(parts.marks, parts.samples, who.owner, who.sees).views(group["samples"])
    return {**group, "samples": views}
