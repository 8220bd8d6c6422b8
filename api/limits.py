"""How much a client may send, and how slowly: enforced while the body streams in."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import Problem
from config.settings import GatewaySettings

NDJSON: Final = "application/x-ndjson"
IDLE_S: Final = 60.0
"""A body of which nothing arrives for so long is given up: a stalled manifest would hold its Idempotency-Key."""


def content_type(headers: Headers) -> str:
    """The media type alone, in lower case, without parameters."""
    return headers.get("content-type", "").split(";", 1)[0].strip().lower()


class BodyLimit:
    """ASGI middleware: refuse with 413 what is longer than its kind may be, with 408 what stalls.

    Manifests (NDJSON) and uploads may have ``max_body_mb``, everything else ``max_json_kb``. A declared length is
    believed only to refuse early; bytes are counted as they come.
    """

    def __init__(self, app: ASGIApp, settings: GatewaySettings, idle_s: float = IDLE_S) -> None:
        self.app = app
        self.large = int(settings.max_body_mb * 1_000_000)
        self.small = settings.max_json_kb * 1000
        self.idle_s = idle_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        limit = self._limit(scope, headers)
        declared = headers.get("content-length", "")
        if declared.isdecimal() and int(declared[:20]) > limit:
            await _too_large(limit).response()(scope, receive, send)
            return
        await self.app(scope, _counted(receive, limit, self.idle_s), send)

    def _limit(self, scope: Scope, headers: Headers) -> int:
        path = scope["path"]
        if path in ("/v1/uploads", "/v1/uploads/zip", "/v1/search/sound") or path.startswith("/v1/uploads/resumable/"):
            return self.large
        if path == "/v1/jobs" and content_type(headers) == NDJSON:
            return self.large
        return self.small


def _counted(receive: Receive, limit: int, idle_s: float) -> Receive:
    seen = 0
    more = True

    async def counted() -> Message:
        nonlocal seen, more
        if not more:  # the body is in: this call waits for the client to go away, for as long as it likes
            return await receive()
        try:
            async with asyncio.timeout(idle_s):
                message = await receive()
        except TimeoutError:
            raise Problem(408, "body_stalled", f"Nothing of the body arrived for {idle_s:g} s.") from None
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            more = bool(message.get("more_body", False))
            if seen > limit:
                raise _too_large(limit)
        return message

    return counted


def _too_large(limit: int) -> Problem:
    # The rest of the body is not read: the connection cannot be used again.
    return Problem(
        413,
        "body_too_large",
        f"The body is larger than the {limit} bytes allowed here.",
        headers={"Connection": "close"},
        limit_bytes=limit,
    )
