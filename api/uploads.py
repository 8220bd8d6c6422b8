"""Files that clients send: streamed to disk while hashed, and in their place only when whole and durable."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
from anyio import CancelScope
from starlette.concurrency import run_in_threadpool

from api.errors import Problem, refuse_field
from api.fence import Belongings

_BUFFER: Final = 1 << 20
_LONGEST_NAME: Final = 200
_RETRY_DISK_S: Final = "60"
"""Somebody has to make room first."""
_STALE_S: Final = 86400.0
_UNSAFE: Final = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Stored:
    """An upload in its place."""

    path: str
    """Below the root `uploads`."""
    sha256: str
    size: int
    known: bool
    """The same owner had sent the same content before."""


class Uploads:
    """The built-in root `uploads`: ``<first two of the hash>/<hash>/<name>``, so that equal content meets."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self.incoming = folder / ".incoming"
        self._most = most_bytes
        self._belongings = Belongings(folder)

    async def receive(self, owner: str, name: str, expected: str | None, body: AsyncIterator[bytes]) -> Stored:
        """Keep a body as a file.

        Raises
        ------
        Problem
            422 for an empty body, a name that is none, or another hash than the client said; 413 where it is too
            long; 503 where the disk is full. Nothing stays behind.
        """
        safe = safe_name(name)
        part = await run_in_threadpool(self._begin)
        try:
            held = bytearray()
            async for data in body:
                held += data
                if len(held) >= _BUFFER:
                    await run_in_threadpool(part.write, bytes(held), self._most)
                    held.clear()
            await run_in_threadpool(part.write, bytes(held), self._most)
            return await run_in_threadpool(self._settle, part, owner, safe, expected)
        finally:
            with CancelScope(shield=True):
                await run_in_threadpool(part.discard)

    def adopt(self, owner: str, name: str, part: Path, sha256: str) -> Stored:
        """Move a whole, durable file of this content to its place. `Problem` (503) where the disk refuses."""
        return self._place_it(part, os.path.getsize(part), owner, safe_name(name), sha256)

    def held(self, owner: str, sha256: str) -> Path | None:
        """A file of this content that `owner` sent."""
        kept = _entries(self._place(sha256)) if self._belongings.sent(owner, sha256) else []
        return kept[0] if kept else None

    def holds(self, sha256: Iterable[str], owner: str | None) -> set[str]:
        """Which of these contents are stored and, with an `owner`, were sent by them. Hashes in lower-case hex."""
        asked = sha256 if owner is None else [one for one in sha256 if self._belongings.sent(owner, one)]
        return {one for one in asked if any(_entries(self._place(one)))}

    def sweep(self) -> None:
        """Remove what a gateway that was killed left half received, once it is a day old."""
        for path in _entries(self.incoming):
            if time.time() - os.lstat(path).st_mtime > _STALE_S:
                _log.info("half an upload is removed", name=path.name)
                path.unlink(missing_ok=True)

    def _begin(self) -> _Part:
        try:
            self.incoming.mkdir(parents=True, exist_ok=True)
            return _Part(self.incoming / secrets.token_hex(16))
        except OSError as error:
            raise disk_problem(error) from error

    def _settle(self, part: _Part, owner: str, name: str, expected: str | None) -> Stored:
        sha256 = part.finish()
        if not part.size:
            raise Problem(422, "empty_file", "The body is empty: there is no file to keep.")
        if expected is not None and expected.lower() != sha256:
            raise Problem(
                422, "hash_mismatch", "The content that arrived has another SHA-256 than was said.", sha256=sha256
            )
        return self._place_it(part.path, part.size, owner, name, sha256)

    def _place_it(self, part: Path, size: int, owner: str, name: str, sha256: str) -> Stored:
        place = self._place(sha256)
        known = self._belongings.sent(owner, sha256)
        try:
            place.mkdir(parents=True, exist_ok=True)
            os.replace(part, place / name)
            self._belongings.add(owner, sha256, name)
            for folder in (place, place.parent, self._folder):
                _sync(folder)
        except OSError as error:
            raise disk_problem(error) from error
        return Stored(f"{sha256[:2]}/{sha256}/{name}", sha256, size, known)

    def _place(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256


class _Part:
    """A file that is coming in."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._hash = hashlib.sha256()
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)

    def write(self, data: bytes, most: int) -> None:
        self.size += len(data)
        if self.size > most:
            raise Problem(413, "file_too_large", f"The file is larger than the {most} bytes allowed.", limit_bytes=most)
        self._hash.update(data)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._fd, rest) :]
        except OSError as error:
            raise disk_problem(error) from error

    def finish(self) -> str:
        """Make it durable; its SHA-256."""
        try:
            os.fsync(self._fd)
        except OSError as error:
            raise disk_problem(error) from error
        return self._hash.hexdigest()

    def discard(self) -> None:
        """Close it, and remove it unless it was moved to its place."""
        os.close(self._fd)
        self.path.unlink(missing_ok=True)


def safe_name(name: str) -> str:
    """A client's file name as one that any disk takes: its last part, no control characters, not hidden, not long.

    Raises a `Problem` (422) where nothing is left of it.
    """
    last = name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    clean = _UNSAFE.sub("_", last).strip().lstrip(".").strip()
    stem, dot, extension = clean.rpartition(".")
    if dot and len(extension) <= 10:
        clean = _cut(stem, _LONGEST_NAME - len(extension.encode("utf-8", "replace")) - 1) + dot + extension
    clean = _cut(clean, _LONGEST_NAME)
    if not clean.strip("._ "):
        raise refuse_field("name", "is not the name of a file")
    return clean


def _cut(text: str, most: int) -> str:
    return text.encode("utf-8", "replace")[:most].decode("utf-8", "ignore")


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def disk_problem(error: OSError) -> Problem:
    """What a client is told of a disk that refuses."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        headers = {"Retry-After": _RETRY_DISK_S}
        return Problem(503, "disk_full", "There is no room left for uploads; try again later.", headers=headers)
    _log.error("uploads cannot be written", error=str(error))
    headers = {"Retry-After": _RETRY_DISK_S}
    return Problem(503, "disk_error", "The folder for uploads cannot be written to.", headers=headers)
