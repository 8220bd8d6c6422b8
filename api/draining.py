"""Reading on behind an answer that came before the whole request: else its sender may never see why it was refused.

A server that closes a connection with bytes unread makes the kernel reset it, and the reset overtakes the answer: a
client in the middle of an upload sees "connection reset" where 401, 413 or 422 was said.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

DRAIN_S: Final = 5.0
"""Longest that a request is read for nothing. A well-behaved client stops as soon as it has the answer."""


class Draining:
    """ASGI middleware: hold back the end of an early answer until its request has come in, or for `longest_s`.

    The answer itself is out before that, and complete by its Content-Length: nobody waits longer for it.
    """

    def __init__(self, app: ASGIApp, longest_s: float = DRAIN_S) -> None:
        self.app = app
        self.longest_s = longest_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(Headers(scope=scope)):
            await self.app(scope, receive, send)
            return
        over = False

        async def watched() -> Message:
            nonlocal over
            message = await receive()
            over = over or message["type"] != "http.request" or not message.get("more_body", False)
            return message

        async def drain() -> None:
            while not over:
                await watched()

        async def held(message: Message) -> None:
            if over or message["type"] != "http.response.body" or message.get("more_body", False):
                await send(message)
                return
            await send({**message, "more_body": True})
            with contextlib.suppress(TimeoutError):  # it had its time to read the answer
                await asyncio.wait_for(drain(), self.longest_s)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

        await self.app(scope, watched, held)


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
