"""The vector index: how it is, and having it made anew. Needs the admin scope, or a key-free gateway on loopback."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from api.answers import Json
from api.deps import Admin, Parts
from api.index import audit_of
from api.shapes import PROBLEMS, IndexShape
from stores.doors import Pulse, Samples
from workers.errors import StoreUnavailable

router = APIRouter(prefix="/v1/index", tags=["index"], responses=PROBLEMS)
_FRESH = {"Cache-Control": "no-store"}


@router.get("", summary="How the vector index is", responses={200: {"model": IndexShape}})
def index(parts: Parts, _: Admin) -> Response:
    """Which generation answers searches, whether another is being made, and what the last audit found."""
    return Json(_view(parts.samples, parts.pulse), headers=_FRESH)


@router.post("/rebuild", status_code=202, summary="Make the index anew", responses={202: {"model": IndexShape}})
def rebuild(parts: Parts, _: Admin) -> Response:
    """From the vectors in the ledger, beside the old one, which answers searches until the new one is whole.

    While one is being made, another request changes nothing.
    """
    present = parts.samples.generation()
    if parts.samples.serving() == present:
        parts.samples.next_generation(present, beside=True)
    return Json(_view(parts.samples, parts.pulse), status_code=202, headers=_FRESH)


def _view(samples: Samples, pulse: Pulse) -> dict[str, object]:
    serving, present = samples.serving(), samples.generation()
    return {
        "serving": serving,
        "building": None if serving == present else present,
        "samples": samples.count(),
        "indexed": samples.indexed_count(roughly=True),
        "audit": _audit(pulse),
    }


def _audit(pulse: Pulse) -> dict[str, int] | None:
    try:
        return audit_of(pulse.alive())
    except StoreUnavailable:
        return None
