"""Directions to compare sounds by without the gateway: so small that a page keeps those of thousands."""

from __future__ import annotations

import base64
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from api.answers import Json
from api.deps import Parts, Reader
from api.schemas import Sent
from api.shapes import PROBLEMS, Shape
from api.similarity import quantised
from workers.model import ASPECTS

_MOST = 1000

router = APIRouter(prefix="/v1/samples", tags=["samples"], responses=PROBLEMS)


class DirectionsRequest(Sent):
    """Of which samples."""

    ids: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field(min_length=1, max_length=_MOST)


class DirectionsShape(Shape):
    """A row of 128 signed bytes for each of `ids`, in base64: the direction of each aspect, 127 long, or zeros where
    nothing is said of it. The product of two rows within an aspect, over 127 squared, is how alike they are in it."""

    aspects: dict[str, Annotated[list[int], Field(min_length=2, max_length=2)]] = Field(
        description="Which of the 128 belong to it, the last one not."
    )
    ids: list[str] = Field(description="Those asked for that exist and are not silent.")
    spaces: list[int | None] = Field(description="Rows of different spaces are not to be compared.")
    directions: str


@router.post("/directions", summary="What sounds are compared by", responses={200: {"model": DirectionsShape}})
def directions(parts: Parts, who: Reader, asked: DirectionsRequest) -> Response:
    """For clients that go on searching while the gateway is away; `POST /v1/search` is exact, this to about 0.01."""
    samples = parts.samples.many(list(dict.fromkeys(asked.ids)), owner=who.sees)
    vectors = parts.samples.vectors(list(samples))
    rows = quantised(vectors)
    return Json(
        {
            "aspects": ASPECTS,
            "ids": list(rows),
            "spaces": [samples[one].space for one in rows],
            "directions": base64.b64encode(b"".join(rows.values())).decode("ascii"),
        }
    )
