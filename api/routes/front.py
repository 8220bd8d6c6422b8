"""The pages that people see first: the web app where it was built, else a small page of the gateway's own."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.deps import Parts
from api.front import docs_page, front_page
from api.webapp import WebApp
from workers.errors import NotFound

router = APIRouter(include_in_schema=False)


@router.get("/")
@router.get("/jobs")
@router.get("/failed")
@router.get("/map")
@router.get("/cluster")
@router.get("/sample/{sample_id}")
async def app(request: Request, parts: Parts) -> Response:
    """The web app, which reads the address itself."""
    web: WebApp = request.app.state.web
    return web.page(request.headers) if web.built else _status(parts)


@router.get("/index.html")
@router.get("/sw.js")
@router.get("/workbox-{name}.js")
@router.get("/manifest.webmanifest")
@router.get("/assets/{name}")
@router.get("/icons/{name}")
async def file(request: Request) -> Response:
    """A file of the web app."""
    web: WebApp = request.app.state.web
    found = web.file(request.url.path.removeprefix("/"), request.headers)
    if found is None:
        raise NotFound("file")
    return found


@router.get("/status")
async def status(parts: Parts) -> Response:
    """What works, what is being done, and where to go on; on a page that needs no build."""
    return _status(parts)


def _status(parts: Parts) -> Response:
    settings = parts.settings
    root = min(settings.roots, key=lambda name: (name == "demo", name), default="library")
    scheme = "https" if settings.gateway.tls_cert else "http"
    origin = f"{scheme}://{settings.gateway.host}:{settings.gateway.port}"
    return front_page(settings.flower.url, origin, root)


@router.get("/docs")
async def docs(request: Request) -> Response:
    """The API, described."""
    return docs_page(request.app.openapi())
