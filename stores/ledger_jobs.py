"""The ledger: jobs, as the gateway asks for them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from pymongo.errors import DuplicateKeyError

from stores import cursor as cursors
from stores import outcome
from stores.documents import ACTIVE, DONE, DROPPED, SPLIT, job_of, new_job, rows_of, stored_counts
from stores.filepages import Stretch, file_page
from stores.identity import ChunkId, created_s, new_job_id
from stores.ledger_book import SCAN_ENDED, LedgerBook
from stores.mongo_door import NOW, Document, is_over, mongo_errors, setting_if
from stores.records import FileRow, Job, JobState, NewJob, Page, Status
from workers.errors import IdempotencyReused, StoreUnavailable, SubmissionInFlight

_RECEIVING = str(JobState.RECEIVING)
_ENDED = [str(state) for state in JobState if state.ended]
_LIST_WINDOWS_S = (3600.0, 86400.0, 30 * 86400.0)
"""Jobs are listed newest first from windows of time, so that a short page does not read all there ever were."""


class LedgerJobs(LedgerBook):
    """Jobs from submission to the pages that show them."""

    @mongo_errors()
    def create_job(self, new: NewJob) -> tuple[Job, bool]:
        job_id = new_job_id(time.time())
        for _ in range(3):
            try:
                fresh = {"$setOnInsert": new_job(new), "$currentDate": {"created_at": True}}
                self._jobs.update_one({"_id": job_id}, fresh, upsert=True)
            except DuplicateKeyError:
                known = self._jobs.find_one({"owner": new.owner, "key": new.idempotency_key})
                if known is None:
                    continue  # it was dropped in between
                return self._first_request(known, new), False
            return self.job(job_id), True
        raise StoreUnavailable("(another request with the same key comes and goes)")

    def _first_request(self, known: Document, new: NewJob) -> Job:
        if known["fingerprint"] != new.fingerprint:
            raise IdempotencyReused
        if known["state"] == _RECEIVING:
            raise SubmissionInFlight
        return job_of(known, self._counts(self._chunks, known))

    @mongo_errors()
    def accept_job(self, job_id: str) -> Job:
        self._jobs.update_one({"_id": job_id, "state": _RECEIVING}, {"$set": {"state": str(JobState.RUNNING)}})
        return self._seen(self._find_job(self._jobs, job_id))

    @mongo_errors()
    def drop_job(self, job_id: str) -> None:
        if self._hide({"_id": job_id, "state": _RECEIVING}):
            self._forget(job_id)

    @mongo_errors()
    def drop_abandoned(self, idle_s: float = outcome.ABANDONED_S) -> int:
        last_sign = {"$ifNull": ["$touched_at", {"$toLong": "$created_at"}]}
        old = {"$lt": [last_sign, {"$subtract": [NOW, int(idle_s * 1000)]}]}
        stages: list[Document] = [{"$match": {"state": _RECEIVING}}, {"$match": {"$expr": old}}]
        for job in self._jobs.aggregate([*stages, {"$project": {"touched_at": 1}}]):
            self._hide({"_id": job["_id"], "state": _RECEIVING, "touched_at": job.get("touched_at")})
        gone = [job["_id"] for job in self._jobs.find({"state": DROPPED}, {"_id": 1})]
        for job_id in gone:
            self._forget(job_id)
        return len(gone)

    def _hide(self, asked: Document) -> bool:
        """Hide a job and free its key first: nobody can accept it while its chunks go."""
        update = {"$set": {"state": DROPPED}, "$unset": {"key": ""}}
        return self._jobs.update_one(asked, update).matched_count == 1

    def _forget(self, job_id: str) -> None:
        self._chunks.delete_many({"job": job_id})
        self._jobs.delete_one({"_id": job_id, "state": DROPPED})

    @mongo_errors()
    def job(self, job_id: str, *, owner: str | None = None) -> Job:
        return self._seen(self._find_job(self._listed_jobs, job_id, owner))

    def _seen(self, document: Document) -> Job:
        return job_of(document, self._counts(self._listed_chunks, document))

    @mongo_errors()
    def jobs(self, *, owner: str | None, cursor: str | None, limit: int) -> Page[Job]:
        question = ("jobs", owner)
        below = str(cursors.read(question, cursor, (str,))[0]) if cursor else "~"
        found: list[Document] = []
        for window in _windows_below(below):
            asked: Document = (
                {"state": {"$ne": DROPPED}} if owner is None else {"state": {"$ne": DROPPED}, "owner": owner}
            )
            ahead = limit + 1 - len(found)
            stages: list[Document] = [{"$match": {"v": 1, "_id": window}}, {"$match": asked}]
            found += self._listed_jobs.aggregate([*stages, {"$sort": {"_id": -1}}, {"$limit": ahead}])
            if len(found) > limit:
                break
        page = tuple(self._seen(document) for document in found[:limit])
        return Page(page, cursors.write(question, (page[-1].id,)) if len(found) > limit else None)

    @mongo_errors()
    def request_cancel(self, job_id: str, *, owner: str | None = None) -> Job:
        self._find_job(self._jobs, job_id, owner)
        asked = {"_id": job_id, "state": {"$nin": [*_ENDED, DROPPED]}}
        # In the same write a scan ends that nobody is at: a write costs the embedded server as much as ten questions.
        idle_scan = {"$and": [{"$eq": ["$state", str(JobState.SCANNING)]}, is_over("scan_until")]}
        cancelled = {"$set": {"cancel_requested": True, "paused": False}}
        self._jobs.update_one(asked, [cancelled, *setting_if(idle_scan, SCAN_ENDED)])
        return self._seen(self._find_job(self._jobs, job_id))

    @mongo_errors()
    def pause(self, job_id: str, *, owner: str | None = None) -> Job:
        self._find_job(self._jobs, job_id, owner)
        asked = {"_id": job_id, "state": {"$in": ACTIVE}, "cancel_requested": False}
        self._jobs.update_one(asked, {"$set": {"paused": True}})
        return self._seen(self._find_job(self._jobs, job_id))

    @mongo_errors()
    def resume(self, job_id: str, *, owner: str | None = None) -> Job:
        self._find_job(self._jobs, job_id, owner)
        asked = {"_id": job_id, "state": {"$in": ACTIVE}, "paused": True}
        # What was published before that and not claimed was passed over.
        self._jobs.update_one(asked, [{"$set": {"paused": False, "resumed_at": NOW}}])
        return self._seen(self._find_job(self._jobs, job_id))

    @mongo_errors()
    def files(self, job_id: str, *, status: Status | None, cursor: str | None, limit: int) -> Page[FileRow]:
        job = self._find_job(self._listed_jobs, job_id)
        # With a filter most chunks are passed over by their tallies: fetch what they hold only where it is wanted.
        shape = None if status is None else {"files": 0, "rows": 0}

        def fetch(start: int, end: int) -> list[Stretch]:
            return [self._stretch(chunk, whole=shape is None) for chunk in self._pieces(job_id, start, end, shape)]

        return file_page(job_id, job["chunks"], fetch, status=status, cursor=cursor, limit=limit)

    @mongo_errors()
    def chunk_rows(self, job_id: str, n: int) -> list[FileRow]:
        return [row for chunk in self._pieces(job_id, n, n + 1, None) for row in rows_of(chunk)]

    def _pieces(self, job_id: str, start: int, end: int, shape: Document | None) -> Iterator[Document]:
        """Chunks of a window in order, split ones by their parts; by their ids, the cheapest question there is."""
        whole = self._by_ids([str(ChunkId(job_id, n)) for n in range(start, end)], shape)
        for chunk in whole:
            if chunk["state"] == SPLIT:
                yield from self._by_ids([str(ChunkId(job_id, chunk["n"], i + 1)) for i in range(chunk["size"])], shape)
            else:
                yield chunk

    def _by_ids(self, ids: Sequence[str], shape: Document | None) -> list[Document]:
        found = self._listed_chunks.find({"_id": {"$in": ids}}, shape)
        return sorted(found, key=lambda chunk: (chunk["n"], chunk["part"]))

    def _stretch(self, chunk: Document, *, whole: bool) -> Stretch:
        def rows() -> list[FileRow]:
            full: Any = chunk if whole else self._listed_chunks.find_one({"_id": chunk["_id"]})
            return rows_of(full)

        ended = chunk["counts"] if chunk["state"] == DONE else None
        return Stretch(chunk["n"], chunk["part"], chunk["size"], ended, rows)

    @mongo_errors()
    def active_jobs(self) -> list[Job]:
        asked = {"state": {"$in": [str(JobState.SCANNING), str(JobState.RUNNING)]}}
        found = sorted(self._jobs.find(asked), key=lambda document: str(document["_id"]))
        return [job_of(document, stored_counts(document)) for document in found]

    @mongo_errors()
    def active_count(self) -> int:
        return self._jobs.count_documents({"state": {"$in": ACTIVE}})


def _windows_below(below: str) -> Iterator[Document]:
    """Ranges of job ids from `below` down, each longer in time than the one before."""
    upper = below
    start = time.time() if below == "~" else created_s(below, time.time())
    for length in _LIST_WINDOWS_S:
        lower = new_job_id(max(0.0, start - length))
        yield {"$lt": upper, "$gte": lower}
        upper = lower
    yield {"$lt": upper}
