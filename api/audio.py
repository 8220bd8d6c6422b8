"""A sample's file, on disk or in a bucket, as an answer: whole, or one range of it (RFC 9110)."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.responses import Response

from api.errors import Problem
from api.files import open_beneath
from api.listening import Listening
from api.shelves import Places
from api.streams import FileStream, ObjectStream
from stores.buckets import Bucket
from stores.fetching import fetch, nameless
from stores.records import FileRef, Sample

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


def open_audio(sample: Sample, places: Places, headers: Mapping[str, str]) -> Response:
    """The sample's file as it is now.

    Raises
    ------
    Vanished, BucketAway, Problem
    """
    return places.first(
        sample,
        lambda root, file: _from_folder(root, file, sample, headers),
        lambda bucket, file: _from_bucket(bucket, file, sample, headers),
    )


def open_wav(sample: Sample, places: Places, listening: Listening) -> Response:
    """The beginning of the sample as WAV, which every browser plays.

    Raises
    ------
    FileError
        `Vanished` (404) where none of its places can be opened any more; it cannot be decoded.
    BucketAway
    """
    fd = places.first(sample, lambda root, file: open_beneath(root, _raw(file)), _brought)
    try:
        sound = listening.wav(fd, sample.files[0].path)
    finally:
        os.close(fd)
    return Response(sound, media_type="audio/wav", headers=_KEEP)


def _brought(bucket: Bucket, file: FileRef) -> int:
    """A file of our own with a whole object in it."""
    with ExitStack() as unless_whole:
        fd = nameless(bucket.settings.spool_dir)
        unless_whole.callback(os.close, fd)
        fetch(bucket, _raw(file).decode(), fd, bucket.settings.spool_mb << 20)
        unless_whole.pop_all()
    return fd


def _from_folder(root: Path, file: FileRef, sample: Sample, headers: Mapping[str, str]) -> Response:
    with ExitStack() as unless_sent:
        fd = open_beneath(root, _raw(file))
        unless_sent.callback(os.close, fd)
        status = os.fstat(fd)
        wanted = _wanted(sample, headers, status.st_size, f"{status.st_mtime_ns:x}-{status.st_size:x}")
        if wanted.status == 304:
            return Response(status_code=304, headers=wanted.said)
        stream = FileStream(
            fd, wanted.start, wanted.end, status_code=wanted.status, media_type=wanted.kind, headers=wanted.said
        )
        unless_sent.pop_all()
    return stream


def _from_bucket(bucket: Bucket, file: FileRef, sample: Sample, headers: Mapping[str, str]) -> Response:
    thing = bucket.look(_raw(file).decode())
    wanted = _wanted(sample, headers, thing.size, thing.etag.strip('"'))
    if wanted.status == 304:
        return Response(status_code=304, headers=wanted.said)
    pieces = bucket.stream(thing, wanted.start, wanted.end)
    length = wanted.end - wanted.start
    return ObjectStream(pieces, length, status_code=wanted.status, media_type=wanted.kind, headers=wanted.said)


def _raw(file: FileRef) -> bytes:
    return file.raw or file.path.encode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which bytes are answered with, and what is said of them."""

    status: int
    kind: str
    said: Mapping[str, str]
    start: int = 0
    end: int = 0


def _wanted(sample: Sample, headers: Mapping[str, str], size: int, mark: str) -> _Wanted:
    tag = f'"{mark}"'
    said = {"Accept-Ranges": "bytes", "ETag": tag, "Cache-Control": "private, no-cache"}
    audio = sample.analysis.get("audio") or {}
    kind = _TYPES.get(str(audio.get("container", "")).upper(), "application/octet-stream")
    if headers.get("if-none-match") == tag:
        return _Wanted(304, kind, said)
    start, end, partial = 0, size, False
    if headers.get("if-range", tag) == tag:
        start, end, partial = span_of(headers.get("range"), size)
    if partial:
        said["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return _Wanted(206 if partial else 200, kind, said, start, end)


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
