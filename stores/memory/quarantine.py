"""The ledger's twin: files that failed, until another job tries them again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stores import outcome, quarantine
from stores.memory.book import KeptChunk
from stores.memory.jobs import MemoryJobs
from stores.records import Cause, FailedFile, FileRow, Job, Page
from workers.errors import NotFound


class MemoryQuarantine(MemoryJobs):
    """Failed files, page by page, by cause, and out of it again."""

    def failures(self, *, owner: str | None, cause: str | None, cursor: str | None, limit: int) -> Page[FailedFile]:
        with self._lock:
            return quarantine.failed_page(
                self._jobs_of(owner), self._failed_chunks, owner=owner, cause=cause, cursor=cursor, limit=limit
            )

    def causes(self, *, owner: str | None) -> list[Cause]:
        with self._lock:
            return quarantine.causes_of(self._jobs_of(owner), self._failed_chunks, owner)

    def failure(self, file_id: str, *, owner: str | None) -> FailedFile:
        chunk_id, place = quarantine.parse_file_id(file_id)
        with self._lock:
            self._kept(chunk_id.job, owner)
            for chunk in self._failed_chunks(chunk_id.job, chunk_id.n, chunk_id.part):
                if chunk.id == chunk_id and place in (found := dict(chunk.left())):
                    return quarantine.failed_file(chunk, place, found[place])
        raise NotFound("There is no such file in the quarantine.")

    def release(self, file_ids: Sequence[str], job_id: str) -> None:
        with self._lock:
            for chunk_id, place in map(quarantine.parse_file_id, file_ids):
                found = self._chunk(str(chunk_id))
                if found is not None:
                    found[1].released[place] = job_id

    def _jobs_of(self, owner: str | None) -> quarantine.Jobs:
        def jobs(cursor: str | None, limit: int) -> Page[Job]:
            return self.jobs(owner=owner, cursor=cursor, limit=limit)

        return jobs

    def _failed_chunks(self, job_id: str, n: int, part: int) -> Iterator[quarantine.FailedChunk]:
        for piece in self._kept(job_id).pieces():
            causes = outcome.causes(piece.rows or ())
            if causes and (piece.id.n, piece.id.part) >= (n, part):
                yield _failed(piece, causes)


def _failed(piece: KeptChunk, causes: dict[str, int]) -> quarantine.FailedChunk:
    def rows() -> list[FileRow]:
        pairs = zip(piece.files, piece.rows or (), strict=True)
        return [FileRow(piece.first + i, file, row) for i, (file, row) in enumerate(pairs)]

    return quarantine.FailedChunk(
        id=piece.id,
        causes=causes,
        released=frozenset(piece.released),
        attempt=piece.attempt,
        deaths=tuple(death for _, death in sorted(piece.deaths.items())),
        rows=rows,
    )
