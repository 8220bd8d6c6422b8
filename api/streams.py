"""Answers that are streamed: events, and files with ranges."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Mapping
from typing import Final

from anyio import CancelScope
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

_PIECE: Final = 256 * 1024


class EventStream(StreamingResponse):
    """Server-sent events. However it ends, the generator is closed at once and its listener gone."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncIterator[bytes]) -> None:
        super().__init__(events, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            if isinstance(self.body_iterator, AsyncGenerator):
                with CancelScope(shield=True):
                    await self.body_iterator.aclose()


class _Held(StreamingResponse):
    """Bytes of something that is let go at the end, however that comes about."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if scope["method"] == "HEAD":
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                await send({"type": "http.response.body", "body": b""})
            else:
                await super().__call__(scope, receive, send)
        finally:
            self.let_go()

    def let_go(self) -> None:
        """Close what is open."""
        raise NotImplementedError


class FileStream(_Held):
    """Bytes `start` to `end` of an open file.

    The length is that of the moment it was opened; a file that shrinks meanwhile breaks the connection.
    """

    def __init__(
        self, fd: int, start: int, end: int, *, status_code: int, media_type: str, headers: Mapping[str, str]
    ) -> None:
        self._fd = fd
        said = {**headers, "Content-Length": str(end - start)}
        super().__init__(_read(fd, start, end), status_code=status_code, media_type=media_type, headers=said)

    def let_go(self) -> None:
        """Close the file."""
        os.close(self._fd)


class ObjectStream(_Held):
    """The pieces of an object, `length` bytes in all, as they come. One that breaks off breaks the connection."""

    def __init__(
        self,
        pieces: Generator[bytes, None, None],
        length: int,
        *,
        status_code: int,
        media_type: str,
        headers: Mapping[str, str],
    ) -> None:
        self._pieces = pieces
        said = {**headers, "Content-Length": str(length)}
        super().__init__(iterate_in_threadpool(pieces), status_code=status_code, media_type=media_type, headers=said)

    def let_go(self) -> None:
        """Close the connection to the store."""
        self._pieces.close()


async def _read(fd: int, start: int, end: int) -> AsyncIterator[bytes]:
    while start < end:
        piece = await run_in_threadpool(os.pread, fd, min(_PIECE, end - start), start)
        if not piece:
            return
        start += len(piece)
        yield piece
