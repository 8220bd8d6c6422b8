"""Taking a job in: checked in constant time, safe in the ledger before anybody is told."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from api import manifest
from api.errors import Problem, refuse_field
from api.files import flaw_of
from api.parts import Parts
from api.quotas import FILES, JOBS
from api.schemas import JobRequest
from api.security import Caller
from stores.records import FileRef, FolderSource, Job, NewJob, Priority, SamplesSource, Source
from tasks.pattern import compile_pattern
from workers.errors import NotFound, StoreError, Vanished
from workers.model import ANALYZER_VERSION

_LONGEST_KEY: Final = 255
_MANIFEST_CHUNK: Final = 100
"""Most files in a chunk whose sizes are unknown: they may all be tracks, and a chunk must end within its time."""


class Submission:
    """One request for a job. `Problem` (429) where its key has asked for too many."""

    def __init__(self, parts: Parts, who: Caller, idempotency_key: str | None) -> None:
        self._parts = parts
        self._who = who
        self._key = _checked_key(idempotency_key)
        parts.quotas.take(who.key_id, JOBS)

    async def folder(self, body: bytes) -> Job:
        """A folder below a root, or a single file; `body` is a `JobRequest` as JSON.

        Raises
        ------
        NotFound, OutsideRoot, BadPattern, Problem
            The root or the path is not there, leads out, or the pattern or the path makes no sense.
        """
        try:
            asked = JobRequest.model_validate_json(body)
        except ValidationError as error:
            raise RequestValidationError(error.errors(include_input=False, include_url=False)) from None
        return await run_in_threadpool(self._folder, asked)

    async def manifest(self, request: Request, priority: Priority | None) -> Job:
        """A list of files, one a line; see `api.manifest.receive`."""
        wanted = priority or Priority.NORMAL
        new = self._new(wanted, None, "manifest", "manifest", wanted.value)
        settings = self._parts.settings
        most = min(settings.queue.chunk_files, _MANIFEST_CHUNK)
        reader = manifest.ManifestReader(settings.root_names, self._line)
        await run_in_threadpool(self._parts.pressure.check)
        return await manifest.receive(request, self._parts.ledger, new, reader, most)

    def _line(self, root: str, path: str) -> None:
        self._parts.fence.check(self._who, root, path)
        self._parts.quotas.take(self._who.key_id, FILES)

    def recompute(self) -> tuple[Job, bool]:
        """A job over every sample of an older analyser that the caller sees, and whether it is new.

        One at a time: while there is one that has not ended, it is the one.
        """
        source = SamplesSource(ANALYZER_VERSION, self._who.sees)
        ledger = self._parts.ledger
        for job in ledger.active_jobs():
            if job.source == source and job.owner == self._who.owner and not job.cancel_requested:
                return job, False
        self._parts.pressure.check()
        self._parts.tabs.settle(self._who.key_id)
        job, is_new = ledger.create_job(self._new(Priority.BULK, source, f"recompute with {ANALYZER_VERSION}"))
        if is_new:
            self._parts.tabs.open(self._who.key_id, job.id)
        return job, is_new

    def one_file(self, file: FileRef, priority: Priority, label: str) -> Job:
        """A job of a single file."""
        return self.files([file], priority, label)

    def files(self, files: Sequence[FileRef], priority: Priority, label: str) -> Job:
        """A job of these files, at least one."""
        ledger = self._parts.ledger
        self._parts.quotas.take(self._who.key_id, FILES, len(files))
        said = [text for file in files for text in (file.root, file.path)]
        new = self._new(priority, None, label, "file", priority.value, *said)
        self._parts.pressure.check()
        job, is_new = ledger.create_job(new)
        if not is_new:
            return job
        most = min(self._parts.settings.queue.chunk_files, _MANIFEST_CHUNK)
        try:
            for n, first in enumerate(range(0, len(files), most)):
                ledger.add_chunk(job.id, n, first, files[first : first + most])
            return ledger.accept_job(job.id)
        except StoreError:
            manifest.drop(ledger, job.id)
            raise

    def _folder(self, asked: JobRequest) -> Job:
        source = asked.source
        flaw = flaw_of(source.path)
        if flaw:
            raise refuse_field("source.path", flaw)
        self._parts.fence.check(self._who, source.root, source.path)
        pattern = compile_pattern(source.pattern)
        try:
            place = self._parts.places.locate(source.root, source.path)
        except Vanished as error:
            raise NotFound(f"There is no folder {source.path!r} below {source.root!r}.") from error
        self._parts.fence.check(self._who, source.root, place.relative)  # again: where its links really lead
        label = f"{source.root}/{source.path}".rstrip("/")
        if not place.is_folder:
            return self.one_file(FileRef(source.root, place.relative), asked.priority, label)
        walked = FolderSource(source.root, place.relative, pattern.source, source.rescan)
        said = (source.root, source.path, source.pattern, *(["rescan"] if source.rescan else []))
        new = self._new(asked.priority, walked, label, "folder", *said)
        self._parts.tabs.settle(self._who.key_id)
        self._parts.quotas.take(self._who.key_id, FILES)
        self._parts.pressure.check()
        job, is_new = self._parts.ledger.create_job(new)
        if is_new:
            self._parts.tabs.open(self._who.key_id, job.id)
        return job

    def _new(self, priority: Priority, source: Source | None, label: str, *request: str) -> NewJob:
        said = "\0".join((priority.value, *request)).encode("utf-8", "surrogatepass")
        return NewJob(
            owner=self._who.owner,
            priority=priority,
            source=source,
            idempotency_key=self._key,
            fingerprint=hashlib.sha256(said).hexdigest(),
            label=label[:300],
        )


def _checked_key(key: str | None) -> str | None:
    if key is None:
        return None
    if not 0 < len(key) <= _LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise Problem(422, "bad_idempotency_key", f"Idempotency-Key: 1 to {_LONGEST_KEY} printable ASCII characters.")
    return key
