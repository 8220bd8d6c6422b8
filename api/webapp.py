"""The web app: files that a build made, sent as they are.

Every file has its brotli and gzip beside it, so nothing is compressed here. Names under ``/assets/`` hold the hash of
their content and are kept by the browser for ever; the rest is asked for each time.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response

DIST: Final = Path(__file__).resolve().parent.parent / "web" / "dist"
"""Where ``make web`` puts it. Not there without Node.js: then the gateway has its own small page."""

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; media-src 'self' blob:; manifest-src 'self'; worker-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
_MAY_RECORD: Final = {"Permissions-Policy": "camera=(), geolocation=(), microphone=(self)"}
"""To search by what is hummed; the browser asks the user first."""
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_TYPES: Final[Mapping[str, str]] = {
    ".js": "text/javascript",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
    ".avif": "image/avif",
    ".webp": "image/webp",
}


class WebApp:
    """The files of one build, known once."""

    def __init__(self, folder: Path = DIST) -> None:
        self._folder = folder
        self._files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}

    @property
    def built(self) -> bool:
        """Whether there is a build."""
        return "index.html" in self._files

    def page(self, headers: Headers) -> Response:
        """The app itself: every page is this file, and the address says which."""
        return self._file("index.html", headers, "no-cache")

    def file(self, path: str, headers: Headers) -> Response | None:
        """A file of the build; ``None`` where there is no such."""
        if path not in self._files or path.endswith((".br", ".gz")):
            return None
        return self._file(path, headers, _FOR_EVER if path.startswith("assets/") else "no-cache")

    def _file(self, path: str, headers: Headers, kept: str) -> Response:
        suffix = Path(path).suffix
        kind = _TYPES.get(suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"
        sent = {"Cache-Control": kept, "Vary": "Accept-Encoding", "Content-Security-Policy": _POLICY, **_MAY_RECORD}
        for coding, ending in (("br", ".br"), ("gzip", ".gz")):
            if path + ending in self._files and coding in headers.get("accept-encoding", ""):
                return FileResponse(
                    self._folder / (path + ending), media_type=kind, headers={**sent, "Content-Encoding": coding}
                )
        return FileResponse(self._folder / path, media_type=kind, headers=sent)
