"""Zip archives that clients send: received, looked at, and their files put into their places."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from anyio import CancelScope
from starlette.concurrency import run_in_threadpool

from api.errors import Problem
from api.placing import put
from api.unpack import Bounds, Entry, opened, unfold
from api.uploads import Stored, Uploads, disk_problem
from stores.records import FileRef


@dataclass(frozen=True, slots=True)
class Place:
    """Where an archive's files go, and whose they are."""

    owner: str
    root: str
    folder: Path | None
    """Of the root; none for `uploads`, where files lie by their hash."""
    below: str
    check: Callable[[str], object]
    """Raises where a path below the root is not for this caller."""

    def of(self, entry: Entry) -> str:
        """A file's path below the root."""
        return f"{self.below}/{entry.path}" if self.below else entry.path


class Archives:
    """Archives into one place: a library root and a folder in it, or the root `uploads`."""

    def __init__(self, uploads: Uploads, bounds: Bounds, most_bytes: int) -> None:
        self._uploads = uploads
        self._bounds = bounds
        self._most = most_bytes

    async def receive(self, body: AsyncIterator[bytes], place: Place) -> list[tuple[FileRef, Stored]]:
        """Take an archive in; every file of it with where it is.

        Raises
        ------
        Problem, OutsideRoot
            422, 413 or 403 for what is no archive, leads where it may not, or is beyond the bounds: nothing was
            written then. 409 where another file has a name, 503 for the disk: files before it are in their places.
        """
        made: list[tuple[FileRef, Stored]] = []
        with self._part() as archive:
            await self._keep(archive, body)
            with CancelScope(shield=True):
                made += await run_in_threadpool(self._unfold, archive, place)
        return made

    async def _keep(self, archive: Path, body: AsyncIterator[bytes]) -> None:
        size = 0
        with archive.open("xb") as file:
            async for data in body:
                size += len(data)
                if size > self._most:
                    said = f"The archive is larger than the {self._most} bytes allowed."
                    raise Problem(413, "file_too_large", said, limit_bytes=self._most)
                await run_in_threadpool(file.write, data)

    def _unfold(self, archive: Path, place: Place) -> list[tuple[FileRef, Stored]]:
        made = []
        with opened(archive, self._bounds) as (unfolded, entries):
            for entry in entries:
                place.check(place.of(entry))
            for entry in entries:
                if entry.info.file_size:
                    with self._part() as part:
                        with part.open("xb") as file:
                            sha256 = unfold(unfolded, entry, file)
                        stored = self._settle(sha256, part, entry, place)
                    made.append((FileRef(place.root, stored.path, size=stored.size), stored))
        return made

    def _settle(self, sha256: str, part: Path, entry: Entry, place: Place) -> Stored:
        if place.folder is None:
            return self._uploads.adopt(place.owner, entry.path, part, sha256)
        known = put(place.folder, place.of(entry), part, sha256)
        return Stored(place.of(entry), sha256, entry.info.file_size, known)

    @contextmanager
    def _part(self) -> Iterator[Path]:
        part = self._uploads.incoming / secrets.token_hex(16)
        try:
            self._uploads.incoming.mkdir(parents=True, exist_ok=True)
            yield part
        except OSError as error:
            raise disk_problem(error) from error
        finally:
            part.unlink(missing_ok=True)
