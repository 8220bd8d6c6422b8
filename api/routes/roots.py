"""Library roots: their names, never where they are."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from api.answers import Json
from api.deps import Parts, Reader
from api.errors import refuse_field
from api.files import flaw_of
from api.schemas import FoldersQuery
from api.shapes import PROBLEMS, FoldersShape, RootsShape

router = APIRouter(prefix="/v1/roots", tags=["roots"], responses=PROBLEMS)


@router.get("", summary="Library roots", responses={200: {"model": RootsShape}})
def roots(parts: Parts, _: Reader) -> Response:
    """Only what is below one of them can be submitted."""
    found = sorted(parts.places.available().items())
    return Json({"items": [{"name": name, "available": there} for name, there in found]})


@router.get("/{name}/folders", summary="Folders in a folder of a root", responses={200: {"model": FoldersShape}})
def folders(
    parts: Parts, who: Reader, name: Annotated[str, Path(max_length=200)], query: Annotated[FoldersQuery, Query()]
) -> Response:
    """Sorted by name; hidden ones and links are left out, and uploads are for admins only."""
    flaw = flaw_of(query.path)
    if flaw:
        raise refuse_field("path", flaw)
    parts.fence.check(who, name, query.path)
    names, truncated = parts.places.folders(name, query.path, query.limit)
    prefix = f"{query.path}/" if query.path else ""
    items = [{"name": one, "path": prefix + one} for one in names]
    return Json({"root": name, "path": query.path, "items": items, "truncated": truncated})
