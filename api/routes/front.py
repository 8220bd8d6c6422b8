"""The pages that people see first."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.deps import Parts
from api.front import docs_page, front_page

router = APIRouter(include_in_schema=False)


@router.get("/")
async def front(parts: Parts) -> Response:
    """What works, what is being done, and where to go on."""
    settings = parts.settings
    root = min(settings.roots, key=lambda name: (name == "demo", name), default="library")
    scheme = "https" if settings.gateway.tls_cert else "http"
    origin = f"{scheme}://{settings.gateway.host}:{settings.gateway.port}"
    return front_page(settings.flower.url, origin, root)


@router.get("/docs")
async def docs(request: Request) -> Response:
    """The API, described."""
    return docs_page(request.app.openapi())
