"""A sample's file as an answer: whole, or one range of it (RFC 9110)."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from starlette.responses import Response

from api.errors import Problem
from api.files import open_beneath
from api.listening import Listening
from api.streams import FileStream
from stores.records import Sample
from workers.errors import FileError, Vanished

_TYPES: Final[Mapping[str, str]] = {
    "WAV": "audio/wav",
    "WAVEX": "audio/wav",
    "RF64": "audio/wav",
    "W64": "audio/x-w64",
    "AIFF": "audio/aiff",
    "AIFC": "audio/aiff",
    "FLAC": "audio/flac",
    "OGG": "audio/ogg",
    "OPUS": "audio/ogg",
    "MP3": "audio/mpeg",
    "MPEG": "audio/mpeg",
    "MP4": "audio/mp4",
    "M4A": "audio/mp4",
    "AAC": "audio/aac",
    "CAF": "audio/x-caf",
    "AU": "audio/basic",
}
_KEEP: Final = {"Cache-Control": "private, max-age=86400, immutable"}
"""The id of a sample is its content."""
_RANGE: Final = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*", re.ASCII)


def open_audio(sample: Sample, roots: Mapping[str, Path], headers: Mapping[str, str]) -> Response:
    """The sample's file as it is now. `Vanished` (404) where none of its places can be opened any more."""
    fd = _open(sample, roots)
    try:
        return _answer(fd, sample, headers)
    except BaseException:
        os.close(fd)
        raise


def open_wav(sample: Sample, roots: Mapping[str, Path], listening: Listening) -> Response:
    """The beginning of the sample as WAV, which every browser plays.

    Raises
    ------
    FileError
        `Vanished` (404) where none of its places can be opened any more; it cannot be decoded.
    """
    fd = _open(sample, roots)
    try:
        sound = listening.wav(fd, sample.files[0].path)
    finally:
        os.close(fd)
    return Response(sound, media_type="audio/wav", headers=_KEEP)


def _open(sample: Sample, roots: Mapping[str, Path]) -> int:
    for file in sample.files:
        if file.root in roots:
            try:
                return open_beneath(roots[file.root], file.raw or file.path.encode("utf-8", "surrogateescape"))
            except FileError:
                continue
    raise Vanished


def _answer(fd: int, sample: Sample, headers: Mapping[str, str]) -> Response:
    status = os.fstat(fd)
    size, tag = status.st_size, f'"{status.st_mtime_ns:x}-{status.st_size:x}"'
    said = {"Accept-Ranges": "bytes", "ETag": tag, "Cache-Control": "private, no-cache"}
    if headers.get("if-none-match") == tag:
        os.close(fd)
        return Response(status_code=304, headers=said)
    start, end, partial = 0, size, False
    if headers.get("if-range", tag) == tag:
        start, end, partial = span_of(headers.get("range"), size)
    if partial:
        said["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    audio = sample.analysis.get("audio") or {}
    kind = _TYPES.get(str(audio.get("container", "")).upper(), "application/octet-stream")
    return FileStream(fd, start, end, status_code=206 if partial else 200, media_type=kind, headers=said)


def span_of(header: str | None, size: int) -> tuple[int, int, bool]:
    """(start, end, whether it is a range) of a Range header. What is not one range of bytes is ignored.

    Raises
    ------
    Problem
        416 where nothing of the range is there.
    """
    found = _RANGE.fullmatch(header) if header else None
    if found is None or found.groups() == ("", ""):
        return 0, size, False
    first, last = found.groups()
    if first:
        start, end = int(first), min(int(last) + 1 if last else size, size)
        if last and int(last) < int(first):
            return 0, size, False
    else:
        start, end = max(0, size - int(last)), size
    if start >= size or start >= end:
        raise Problem(
            416, "range_not_satisfiable", f"The file has {size} bytes.", headers={"Content-Range": f"bytes */{size}"}
        )
    return start, end, True
