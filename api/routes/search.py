"""What sounds alike, and what goes together."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.answers import Json
from api.asking import SearchRequest, SoundQuery
from api.deps import Parts, Reader, Writer
from api.hit_shapes import HitsShape, SoundHitsShape, SoundLaterShape
from api.searching import Searching
from api.shapes import FILE_BODY, PROBLEMS
from api.sounds import search_by_sound

router = APIRouter(prefix="/v1/search", tags=["search"], responses=PROBLEMS)


@router.post("", summary="What sounds alike, and in which respect", responses={200: {"model": HitsShape}})
def search(parts: Parts, who: Reader, asked: SearchRequest) -> Response:
    """Nearest first; `score` is the weighted mean of the aspects' similarities, and `shares` what each brings to it.
    The samples asked for are left out unless `include_self`.

    With `fits`: what goes with one sample. `score` is the mean of three parts: how near its key is, how little it has
    to be stretched, and how far the balance of its spectrum is the opposite; `fits` says why.

    With `different`: of the nearest, those that are least alike, each as far as can be from those before it.
    """
    return Json(Searching(parts, who).search(asked.like, asked))


@router.post(
    "/sound",
    summary="What sounds like a file or a recording",
    responses={200: {"model": SoundHitsShape}, 202: {"model": SoundLaterShape}},
    openapi_extra={"requestBody": FILE_BODY},
)
async def sound(request: Request, parts: Parts, who: Writer, query: Annotated[SoundQuery, Query()]) -> Response:
    """The sound's bytes are the body; it is kept as an upload and analysed ahead of every other job.

    Where that takes longer than `wait_s` the answer is 202 with the job, and the id to search by when it has ended. A
    sound that cannot be read is refused with 422 and the reason.
    """
    return await search_by_sound(request, parts, who, query)
