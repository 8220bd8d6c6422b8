"""The ledger: files that failed, until another job tries them again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from stores import quarantine
from stores.documents import deaths_of, rows_of
from stores.identity import ChunkId
from stores.ledger_jobs import LedgerJobs
from stores.mongo_door import Document, mongo_errors
from stores.records import Cause, FailedFile, FileRow, Job, Page
from workers.errors import NotFound


class LedgerQuarantine(LedgerJobs):
    """Failed files, page by page, by cause, and out of it again."""

    @mongo_errors()
    def failures(self, *, owner: str | None, cause: str | None, cursor: str | None, limit: int) -> Page[FailedFile]:
        return quarantine.failed_page(
            self._jobs_of(owner), self._failed_chunks, owner=owner, cause=cause, cursor=cursor, limit=limit
        )

    @mongo_errors()
    def causes(self, *, owner: str | None) -> list[Cause]:
        return quarantine.causes_of(self._jobs_of(owner), self._failed_chunks, owner)

    @mongo_errors()
    def failure(self, file_id: str, *, owner: str | None) -> FailedFile:
        chunk_id, place = quarantine.parse_file_id(file_id)
        self._find_job(self._listed_jobs, chunk_id.job, owner)
        kept = self._listed_chunks.find_one({"_id": str(chunk_id), "failed": True})
        found = dict(self._failed(kept).left()) if kept else {}
        if kept is None or place not in found:
            raise NotFound("There is no such file in the quarantine.")
        return quarantine.failed_file(self._failed(kept), place, found[place])

    @mongo_errors()
    def release(self, file_ids: Sequence[str], job_id: str) -> None:
        by_chunk: dict[ChunkId, list[int]] = defaultdict(list)
        for chunk_id, place in map(quarantine.parse_file_id, file_ids):
            by_chunk[chunk_id].append(place)
        for chunk_id, places in by_chunk.items():
            asked = {"_id": str(chunk_id), "failed": True}
            self._chunks.update_one(asked, {"$set": {f"released.{place}": job_id for place in places}})
            kept = self._chunks.find_one(asked)
            if kept is not None and not any(self._failed(kept).left()):
                self._chunks.update_one(asked, {"$unset": {"failed": ""}})

    def _jobs_of(self, owner: str | None) -> quarantine.Jobs:
        def jobs(cursor: str | None, limit: int) -> Page[Job]:
            return self.jobs(owner=owner, cursor=cursor, limit=limit)

        return jobs

    def _failed_chunks(self, job_id: str, n: int, part: int) -> Iterator[quarantine.FailedChunk]:
        asked = {"failed": True, "job": job_id, "n": {"$gte": n}}
        for kept in self._listed_chunks.find(asked, {"files": 0, "rows": 0}).sort([("n", 1), ("part", 1)]):
            if (kept["n"], kept["part"]) >= (n, part):
                yield self._failed(kept)

    def _failed(self, kept: Document) -> quarantine.FailedChunk:
        def rows() -> list[FileRow]:
            full = kept if "files" in kept else self._listed_chunks.find_one({"_id": kept["_id"]})
            return rows_of(full) if full else []

        return quarantine.FailedChunk(
            id=ChunkId(kept["job"], kept["n"], kept["part"]),
            causes=kept["causes"],
            released=frozenset(map(int, kept.get("released", {}))),
            attempt=kept["attempt"],
            deaths=deaths_of(kept),
            rows=rows,
        )
