"""A manifest: one `{"root", "path"}` object a line (NDJSON), read as it arrives, in constant memory.

`path_b64` in place of `path`, or beside it, has the bytes of a name that no text can hold.
"""

from __future__ import annotations

import json
import os
from base64 import b64decode
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from anyio import CancelScope
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from api.errors import Problem
from api.files import flaw_of_bytes
from stores.doors import Ledger
from stores.records import FileRef, FileRow, Job, NewJob
from workers.errors import IdempotencyReused, OutsideRoot, StoreError
from workers.naming import named

MAX_LINE: Final = 65_536
"""Bytes of a line: a path of 4,096 bytes, every one of them escaped, and room for the rest."""

_log = structlog.get_logger(__name__)


@dataclass
class ManifestReader:
    """Cuts incoming bytes into lines and lines into files. Holds one unfinished line and what was not taken yet."""

    roots: Collection[str]
    check: Callable[[str, str], None] = lambda root, path: None
    """Raises `OutsideRoot` for a (root, path) that is not for this caller."""
    line: int = 0
    """Lines taken so far."""
    _tail: bytes = b""
    _pending: deque[bytes] = field(default_factory=deque)

    def feed(self, data: bytes) -> None:
        """Bytes that came in. `Problem` (422) where a line has no end in sight."""
        *whole, self._tail = (self._tail + data).split(b"\n")
        self._pending.extend(whole)
        if len(self._tail) > MAX_LINE:
            raise self._bad(len(self._pending), f"is longer than {MAX_LINE} bytes")

    def end(self) -> None:
        """Nothing more will come: the last line needs no newline."""
        self._pending.append(self._tail)
        self._tail = b""

    def take(self, most: int) -> list[FileRef]:
        """The next files, at most so many lines' worth. `Problem` (422) names the first bad line."""
        files: list[FileRef] = []
        for _ in range(min(most, len(self._pending))):
            raw = self._pending.popleft()
            if self.line == 0:
                raw = raw.removeprefix(b"\xef\xbb\xbf")
            if raw.strip():
                files.append(self._file(raw))
            self.line += 1
        return files

    @property
    def waiting(self) -> bool:
        """Whether whole lines wait to be taken."""
        return bool(self._pending)

    def _file(self, raw: bytes) -> FileRef:
        if len(raw) > MAX_LINE:
            raise self._bad(0, f"is longer than {MAX_LINE} bytes")
        try:
            said: Any = json.loads(raw)
        except (ValueError, RecursionError):
            raise self._bad(0, "is not JSON") from None
        if not isinstance(said, dict) or not {"root"} < said.keys() <= {"root", "path", "path_b64"}:
            raise self._bad(0, 'must be an object with "root" and "path" (or "path_b64") and nothing else')
        root = said["root"]
        if not isinstance(root, str) or root not in self.roots:
            raise self._bad(0, "names no library root of ours; see GET /v1/roots")
        name = self._name(said)
        try:
            self.check(root, os.fsdecode(name))
        except OutsideRoot as error:
            raise self._bad(0, f"is refused. {error.message.rstrip('.')}") from error
        return FileRef(root, *named(name))

    def _name(self, said: Mapping[str, Any]) -> bytes:
        """The path as the operating system has it."""
        given = said.get("path_b64")
        field, path = ("path", said.get("path")) if given is None else ("path_b64", given)
        if not isinstance(path, str) or not path:
            raise self._bad(0, f'"{field}" must be a text that is not empty')
        try:
            name = path.encode("utf-8") if given is None else b64decode(path, validate=True)
        except UnicodeEncodeError:
            raise self._bad(0, '"path" is not valid Unicode') from None
        except ValueError:
            raise self._bad(0, '"path_b64" is not base64') from None
        flaw = flaw_of_bytes(name)
        if flaw or not name:
            raise self._bad(0, f'"{field}" {flaw or "is empty"}')
        return name

    def _bad(self, ahead: int, what: str) -> Problem:
        number = self.line + ahead + 1
        return Problem(422, "bad_manifest_line", f"Line {number} {what}. No job was made.", line=number)


async def receive(request: Request, ledger: Ledger, new: NewJob, reader: ManifestReader, most: int) -> Job:
    """Keep a manifest as a job of chunks of at most `most` files while it comes in.

    With a known idempotency key the lines are compared with the files of the first request's job instead: the same
    list gives that job, another one is refused. So no hash of the whole body has to be known before its first byte.

    Raises
    ------
    Problem
        422 for a bad line or an empty manifest; the job is dropped, as it is when the client goes away.
    IdempotencyReused, SubmissionInFlight
        As `Ledger.create_job`.
    """
    job, is_new = await run_in_threadpool(ledger.create_job, new)
    if not is_new:
        await _compare(_batches(request, reader, most), ledger, job)
        return job
    try:
        await _keep(_batches(request, reader, most), ledger, job, most)
        return await run_in_threadpool(ledger.accept_job, job.id)
    except BaseException:
        with CancelScope(shield=True):
            await run_in_threadpool(drop, ledger, job.id)
        raise


async def _batches(request: Request, reader: ManifestReader, most: int) -> AsyncIterator[list[FileRef]]:
    async for data in request.stream():
        reader.feed(data)
        while reader.waiting:
            yield reader.take(most)
    reader.end()
    while reader.waiting:
        yield reader.take(most)


async def _keep(batches: AsyncIterator[list[FileRef]], ledger: Ledger, job: Job, most: int) -> None:
    chunk = first = 0
    held: list[FileRef] = []

    async def write(size: int) -> None:
        nonlocal chunk, first, held
        files, held = held[:size], held[size:]
        if not await run_in_threadpool(ledger.add_chunk, job.id, chunk, first, files):
            raise Problem(409, "submission_interrupted", "This job was given up while it came in; send it again.")
        chunk, first = chunk + 1, first + len(files)

    async for files in batches:
        held += files
        while len(held) >= (size := chunk_size(first, most)):
            await write(size)
    if not held and not first:
        raise Problem(422, "empty_manifest", "The manifest names no file. No job was made.")
    while held:
        await write(chunk_size(first, most))


def chunk_size(files_before: int, most: int) -> int:
    """How many files the next chunk gets: small at first, so that a short list too is shared among the workers."""
    return max(1, min(most, max(8, files_before // 8)))


async def _compare(batches: AsyncIterator[list[FileRef]], ledger: Ledger, job: Job) -> None:
    kept = _Kept(ledger, job.id)
    async for files in batches:
        for file in files:
            row = await kept.next()
            if row is None or (row.file.root, row.file.path) != (file.root, file.path):
                raise IdempotencyReused
    if await kept.next() is not None:
        raise IdempotencyReused


class _Kept:
    """The files of a job one after the other, a page at a time."""

    def __init__(self, ledger: Ledger, job_id: str) -> None:
        self._ledger = ledger
        self._job_id = job_id
        self._rows: deque[FileRow] = deque()
        self._cursor: str | None = None
        self._more = True

    async def next(self) -> FileRow | None:
        """The next file; ``None`` at the end."""
        while not self._rows and self._more:
            page = await run_in_threadpool(
                self._ledger.files, self._job_id, status=None, cursor=self._cursor, limit=1000
            )
            self._rows.extend(page.items)
            self._cursor, self._more = page.next, page.next is not None
        return self._rows.popleft() if self._rows else None


def drop(ledger: Ledger, job_id: str) -> None:
    """Forget a job that was not accepted, if the ledger can be reached."""
    try:
        ledger.drop_job(job_id)
    except StoreError as error:
        # It stays `receiving`: never accepted, so nothing was promised.
        _log.warning("a half received job stays behind", job=job_id, error=error.message)
