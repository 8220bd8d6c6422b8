"""The gateway: thin, and never without an answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI

from api import errors
from api.asked import Asked
from api.browser import Browser
from api.deps import once
from api.draining import Draining
from api.limits import BodyLimit
from api.metrics import Timing
from api.parts import Parts, Stores
from api.quotas import RateHeaders
from api.routes import (
    atlas,
    directions,
    duplicates,
    exports,
    front,
    health,
    index,
    jobs,
    keys,
    quarantine,
    recompute,
    report,
    resumable,
    roots,
    samples,
    search,
    searches,
    uploads,
)
from api.schemas import JobRequest
from api.shapes import ProblemShape
from api.webapp import WebApp
from config.settings import Settings
from stores.doors import Pulse, Vectors
from tasks.send import Sends
from workers.model import ANALYZER_VERSION

_ROUTES = (
    health,
    jobs,
    report,
    recompute,
    quarantine,
    uploads,
    resumable,
    samples,
    directions,
    atlas,
    search,
    duplicates,
    exports,
    keys,
    roots,
    index,
    searches,
    front,
)


class _Described(FastAPI):
    """FastAPI, and in its schema what it cannot see: the shape of problems, which also replaces its own 422, and that
    of a body which a route reads by itself."""

    def openapi(self) -> dict[str, Any]:
        """The schema, made once."""
        if self.openapi_schema is None:
            schema = super().openapi()
            kept = schema.setdefault("components", {}).setdefault("schemas", {})
            for model in (ProblemShape, JobRequest):
                shape = model.model_json_schema(ref_template="#/components/schemas/{model}")
                kept |= {**shape.pop("$defs", {}), model.__name__: shape}
            for operations in schema["paths"].values():
                for operation in operations.values():
                    operation["responses"].pop("422", None)
            for unused in ("HTTPValidationError", "ValidationError"):
                kept.pop(unused, None)
        return super().openapi()


def create_app(
    settings: Settings,
    *,
    stores: Stores | None = None,
    vectors: Vectors | None = None,
    pulse: Pulse | None = None,
    sender: Sends | None = None,
) -> FastAPI:
    """The gateway over these doors; those not given are opened here, and closed when it stops."""
    with contextlib.ExitStack() as opened:
        parts = _assemble(settings, opened, stores, vectors, pulse, sender)
        closing = opened.pop_all()
    app = _Described(
        title="SampleMind",
        version=ANALYZER_VERSION,
        description="Analyses audio sample libraries: tempo, key, note, loudness, timbre, similarity, defects.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan(parts, closing),
    )
    app.state.parts = parts
    app.state.web = WebApp()
    errors.install(app)
    for module in _ROUTES:
        app.include_router(module.router, dependencies=[Depends(once)])
    # The last one added is the first to see a request.
    app.add_middleware(BodyLimit, settings=settings.gateway)
    app.add_middleware(errors.CatchAll)
    app.add_middleware(RateHeaders)
    app.add_middleware(Timing, metrics=parts.metrics)
    if settings.tracing.endpoint is not None:
        app.add_middleware(Asked)
    app.add_middleware(Browser, settings=settings.gateway)
    app.add_middleware(Draining)
    return app


def _assemble(
    settings: Settings,
    opened: contextlib.ExitStack,
    stores: Stores | None,
    vectors: Vectors | None,
    pulse: Pulse | None,
    sender: Sends | None,
) -> Parts:
    # Imported here, so that a gateway over other doors needs no driver.
    if stores is None:
        from stores.mongo import connect

        stores = connect(settings.mongo, pool="gateway")
        opened.callback(stores.close)
    if vectors is None:
        from stores.vectors import ChromaVectors

        vectors = chroma = ChromaVectors(settings.chroma)
        opened.callback(chroma.close)
    if pulse is None:
        from tasks.rabbit import pulse_of

        pulse = redis = pulse_of(settings)
        opened.callback(redis.close)
    if sender is None:
        from tasks.send import Sender

        sender = publisher = Sender(settings)
        opened.callback(publisher.close)
    return Parts.assemble(settings, stores, vectors, pulse, sender)


def _lifespan(
    parts: Parts, closing: contextlib.ExitStack
) -> Callable[[FastAPI], contextlib.AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        preparing = asyncio.create_task(parts.prepare(), name="prepare the ledger")
        reading = asyncio.create_task(parts.read_ahead(), name="read the index")
        sweeping = asyncio.create_task(asyncio.to_thread(parts.uploads.sweep), name="sweep uploads")
        try:
            yield
        finally:
            preparing.cancel()
            reading.cancel()
            await parts.close()
            await asyncio.gather(preparing, reading, sweeping, return_exceptions=True)
            await asyncio.to_thread(closing.close)

    return lifespan
