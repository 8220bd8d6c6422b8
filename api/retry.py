"""Trying again what failed: a new job of exactly those files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from api import manifest
from api.schemas import RetryRequest
from api.submit import Submission
from config.settings import Settings
from stores.records import FailedFile, FileRef, Job
from tasks.cutting import Cutter
from workers.errors import KilledWorker, NotFound, SubmissionInFlight

MOST: Final = 20_000
"""Files that one call tries again; what is left stays in quarantine for the next."""
_PAGE: Final = 1000


class Retry(Submission):
    """One request to try again. Each caller's own files only, whatever else they may see."""

    def again(self, asked: RetryRequest) -> Job:
        """The job of these files. The same files asked for again, while it was not said that they are, are that job.

        Raises
        ------
        NotFound
            None of them is in quarantine.
        """
        failed = list(self._named(asked.files) if asked.files is not None else self._of_cause(asked.cause))
        ids = [file.id for file in failed]
        if not failed and self._key is None:
            raise _none(asked.cause)
        said = [asked.cause or "", *(asked.files or ())] if self._key else ids
        label = f"quarantine: {asked.cause or ('1 file' if len(failed) == 1 else f'{len(failed)} files')}"
        new = self._new(asked.priority, None, label, "quarantine", *said)
        if self._key is None:
            # Asked twice because an answer was lost: these files make one job.
            new = replace(new, idempotency_key=f"quarantine {new.fingerprint}")
        job, is_new = self._parts.ledger.create_job(new)
        if is_new:
            job = self._fill(job, failed, asked.cause)
        if is_new or self._key is None:
            self._parts.ledger.release(ids, job.id)
        return job

    def _named(self, file_ids: Sequence[str]) -> Iterator[FailedFile]:
        for file_id in dict.fromkeys(file_ids):
            yield self._parts.ledger.failure(file_id, owner=self._who.owner)

    def _of_cause(self, cause: str | None) -> Iterator[FailedFile]:
        cursor, left = None, MOST
        while left:
            limit = min(left, _PAGE)
            page = self._parts.ledger.failures(owner=self._who.owner, cause=cause, cursor=cursor, limit=limit)
            yield from page.items
            cursor, left = page.next, left - len(page.items)
            if cursor is None:
                return

    def _fill(self, job: Job, failed: Sequence[FailedFile], cause: str | None) -> Job:
        ledger = self._parts.ledger
        try:
            if not failed:
                raise _none(cause)
            self._allow(failed)
            first = 0
            for n, files in enumerate(_chunks(failed, self._parts.settings)):
                if not ledger.add_chunk(job.id, n, first, files):
                    raise SubmissionInFlight  # it was taken for given up, and dropped
                first += len(files)
            return ledger.accept_job(job.id)
        except BaseException:
            manifest.drop(ledger, job.id)
            raise

    def _allow(self, failed: Sequence[FailedFile]) -> None:
        for file in failed:
            self._line(file.file.root, file.file.path)


def _chunks(failed: Sequence[FailedFile], settings: Settings) -> Iterator[list[FileRef]]:
    """Files that killed workers each alone, the others as a scan would cut them. What the scan said is forgotten."""
    cutter = Cutter(settings.queue.chunk_cost_s, settings.queue.chunk_files, settings.decode.max_analyzed_s)
    for each in failed:
        file = replace(each.file, reason=None)
        if each.reason.code == KilledWorker.code:
            yield [file]
        else:
            yield from cutter.add(file)
    yield from cutter.end()


def _none(cause: str | None) -> NotFound:
    if cause is None:
        return NotFound("There is no such file in the quarantine.")
    return NotFound(f"No file in the quarantine failed as {cause[:64]!r}; GET /v1/quarantine counts the causes.")
