"""When a request came in and which trace its client is in, for the first span of a job that it submits."""

from __future__ import annotations

import time

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from config.tracing import asked


class Asked:
    """ASGI middleware: notes both in `config.tracing.asked`. Only where there are traces."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            asked.set((time.time_ns(), Headers(scope=scope).get("traceparent", "")))
        await self.app(scope, receive, send)
