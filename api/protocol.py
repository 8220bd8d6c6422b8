"""HTTP as uvicorn reads it, with what is no HTTP, or never ends, refused in the shape of every other refusal.

uvicorn waits for a request's head for ever, and with one of its two parsers takes one of any length: a stranger without
a key could hold every connection, or fill the memory.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from api.answers import dump
from api.browser import HEADERS
from api.errors import PROBLEM_TYPE, URN

HEAD_S: Final = 20.0
"""A head that is not there after so long is given up, however slowly it goes on."""
MOST_HEAD: Final = 65_536
"""Bytes of a head."""

_REFUSALS: Final = {
    400: (
        "Bad Request",
        "malformed_request",
        "This is not HTTP as this gateway reads it: a broken header, an unknown method, or a line too long.",
    ),
    408: ("Request Timeout", "head_stalled", f"The request's head was not there within {HEAD_S:g} s."),
    431: ("Request Header Fields Too Large", "head_too_large", f"The request's head has more than {MOST_HEAD} bytes."),
}


class Protocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """Whichever of uvicorn's two parsers is installed; no application ever sees a request that is refused here."""

    head_s: float = HEAD_S

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._in_head = True
        self._head = 0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody waits any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came in, unless the head it belongs to is too long."""
        if self._reads_head():
            self._head += len(data)
            if self._head > MOST_HEAD + len(data):  # what came before this was too much already
                self._refuse(431)
                return
            self._wait()
        super().data_received(data)
        if not self._reads_head():
            self._head = 0
            self._stop_waiting()

    def on_headers_complete(self) -> None:
        """httptools: from here on it is the body, which has its own limits."""
        self._in_head, self._head = False, 0
        self._stop_waiting()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """httptools: the next bytes are the next request's head."""
        self._in_head = True
        super().on_message_complete()

    def send_400_response(self, _: str) -> None:
        """Answer and hang up: where the next request would begin cannot be told."""
        self._refuse(400)

    def _reads_head(self) -> bool:
        conn = getattr(self, "conn", None)  # h11's, which has no callbacks
        return self._in_head if conn is None else str(conn.their_state) == "IDLE"

    def _wait(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.head_s, self._too_slow)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._deadline = None
        busy = self.cycle is not None and not self.cycle.response_complete
        if not busy and not self.transport.is_closing():
            self._refuse(408)

    def _refuse(self, status: int) -> None:
        title, code, detail = _REFUSALS[status]
        body = dump({"type": URN + code, "title": title, "status": status, "code": code, "detail": detail})
        headers = {
            "content-type": PROBLEM_TYPE,
            "content-length": str(len(body)),
            "cache-control": "no-store",
            "connection": "close",
            **HEADERS,
        }
        lines = [f"HTTP/1.1 {status} {title}", *(f"{name.lower()}: {value}" for name, value in headers.items())]
        self.transport.write("\r\n".join([*lines, "", ""]).encode("ascii") + body)
        self.transport.close()
