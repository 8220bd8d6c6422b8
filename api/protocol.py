"""HTTP as uvicorn reads it, with what is no HTTP refused in the shape of every other refusal."""

from __future__ import annotations

from typing import Final

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from api.answers import dump
from api.errors import PROBLEM_TYPE, URN

_PROBLEM: Final = dump(
    {
        "type": URN + "malformed_request",
        "title": "Bad Request",
        "status": 400,
        "code": "malformed_request",
        "detail": "This is not HTTP as this gateway reads it: a broken header, an unknown method, or a line too long.",
    }
)


class Protocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """Whichever of uvicorn's two parsers is installed; no application ever sees such a request."""

    def send_400_response(self, _: str) -> None:
        """Answer and hang up: where the next request would begin cannot be told."""
        head = (
            "HTTP/1.1 400 Bad Request\r\n"
            f"content-type: {PROBLEM_TYPE}\r\n"
            f"content-length: {len(_PROBLEM)}\r\n"
            "cache-control: no-store\r\n"
            "connection: close\r\n\r\n"
        )
        self.transport.write(head.encode("ascii") + _PROBLEM)
        self.transport.close()
