"""The map: a place for every sound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query
from starlette.responses import Response

from api.answers import Json
from api.deps import Parts, Reader
from api.filters import sample_filter
from api.marked import Marked
from api.schemas import MapQuery
from api.shapes import PROBLEMS, MapShape
from stores.records import Outline
from workers import atlas
from workers.model import VECTOR_DIMENSIONS

router = APIRouter(prefix="/v1/map", tags=["samples"], responses=PROBLEMS)


@router.get("", summary="A map of the samples that match", responses={200: {"model": MapShape}})
def points(parts: Parts, who: Reader, query: Annotated[MapQuery, Query()]) -> Response:
    """A page of points: what sounds alike lies close together. A sound's place never changes within a version.

    Tempo and key are what was measured.
    """
    where = sample_filter(query, who.sees)
    among = Marked(parts.marks, parts.samples, who.owner, who.sees).among(where, query)
    page = parts.samples.outlines(where, cursor=query.cursor, limit=query.limit, among=among)
    return Json({**_columns(page.items), "next": page.next})


def _columns(outlines: Sequence[Outline]) -> dict[str, Any]:
    """The points of those that have a place, column by column."""
    known = atlas.load()
    placed = [each for each in outlines if each.vector and each.space in (None, known.space)]
    vectors = np.frombuffer(b"".join(each.vector for each in placed), "<f4").reshape(len(placed), VECTOR_DIMENSIONS)
    places = np.round(atlas.place(vectors).astype(np.float64), 4)
    return {
        "version": f"{known.space}.{known.version}",
        "ids": [each.id for each in placed],
        "names": [each.name for each in placed],
        "x": places[:, 0].tolist(),
        "y": places[:, 1].tolist(),
        "kinds": [each.kind for each in placed],
        "bpm": [each.bpm for each in placed],
        "keys": [each.key for each in placed],
        "unplaced": len(outlines) - len(placed),
    }
