"""Alive, able to work, and figures."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.answers import Json
from api.deps import Parts
from api.errors import problem
from api.metrics import CONTENT_TYPE
from api.shapes import PROBLEMS, HealthShape, ReadyShape

router = APIRouter(tags=["health"])


@router.get("/health", summary="Alive", responses={200: {"model": HealthShape}})
async def health() -> Response:
    """200 as long as this process runs."""
    return Json({"status": "alive"})


@router.get("/ready", summary="Able to work", responses={200: {"model": ReadyShape}, 503: PROBLEMS["default"]})
async def ready(parts: Parts) -> Response:
    """200 once every part works, else 503 with what each part says."""
    states = await parts.readiness.parts()
    said = {name: asdict(state) for name, state in states.items()}
    missing = [f"{name}: {state.detail}" for name, state in states.items() if not state.ok]
    if missing:
        return problem(503, "not_ready", "; ".join(missing), headers={"Retry-After": "2"}, parts=said)
    return Json({"status": "ready", "parts": said}, headers={"Cache-Control": "no-store"})


@router.get("/metrics", summary="Figures for Prometheus", response_class=Response)
async def metrics(parts: Parts) -> Response:
    """This gateway's requests, the cluster's queues, files and processes."""
    parts.metrics.streams.set(parts.hub.listeners)
    return Response(await run_in_threadpool(parts.metrics.text), media_type=CONTENT_TYPE)
