"""The ledger: walking a job's source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pymongo.errors import DuplicateKeyError

from stores import outcome
from stores.documents import DROPPED, TAKES_CHUNKS, ended, files_of, job_of, new_chunk, place_key, stored_counts
from stores.identity import ChunkId, new_token
from stores.ledger_book import LedgerBook
from stores.mongo_door import NOW, Document, is_over, later, literal, mongo_errors, setting_if
from stores.records import FileRef, Job, JobState, Reason, Row, ScanClaim
from workers.errors import NotFound

_SCANNING = str(JobState.SCANNING)


class LedgerScans(LedgerBook):
    """Who walks a source, how far it was walked, and the chunks found."""

    @mongo_errors()
    def claim_scan(self, job_id: str, lease_s: float) -> ScanClaim | None:
        token = new_token()
        asked = {"_id": job_id, "state": _SCANNING, "cancel_requested": False, "paused": {"$ne": True}}
        lease = {"scan_token": literal(token), "scan_until": later(lease_s)}
        self._jobs.update_one(asked, setting_if(is_over("scan_until"), lease))
        job = self._jobs.find_one({**asked, "scan_token": token})
        if job is None:
            self._end_cancelled_scan(job_id)
            return None
        job = self._count_written(job)
        last = self._chunks.find_one({"_id": str(ChunkId(job_id, job["chunks"] - 1))}) if job["chunks"] else None
        after = files_of(last)[-1] if last else None
        return ScanClaim(job_of(job, stored_counts(job)), token, job["chunks"], job["submitted"], after)

    def _count_written(self, job: Document) -> Document:
        """Count chunks whose writer died before it could."""
        while self._count(job["_id"], job["chunks"]):
            job = self._find_job(self._jobs, job["_id"])
        return job

    def _count(self, job_id: str, n: int) -> bool:
        """Let the job's row say that chunk `n` is there. False if it is not, or the job takes none any more."""
        chunk = self._chunks.find_one({"_id": str(ChunkId(job_id, n))}, {"first": 1, "size": 1})
        return chunk is not None and self._count_as(job_id, n, chunk["first"] + chunk["size"])

    def _count_as(self, job_id: str, n: int, submitted: int) -> bool:
        """The same for a chunk that is known to be there, and with which so many files are."""
        asked = {"_id": job_id, "state": {"$in": TAKES_CHUNKS}}
        known: Any = {"chunks": n + 1, "submitted": submitted}
        return self._jobs.update_one(asked, [{"$set": {**_at_least(known), "touched_at": NOW}}]).matched_count == 1

    @mongo_errors()
    def add_chunk(
        self, job_id: str, n: int, first: int, files: Sequence[FileRef], rows: Sequence[Row] | None = None
    ) -> bool:
        chunk, writer = ChunkId(job_id, n), new_token()
        ends: Document = {}
        if rows is not None:
            outcome.check_rows(rows, len(files))
            ends = ended(rows)
        try:
            self._chunks.insert_one({**new_chunk(chunk, first, files), **ends, "writer": writer})
        except DuplicateKeyError:
            # Ours, if only the answer was lost: the driver sends a write again, and not every server remembers it.
            if self._chunks.find_one({"_id": str(chunk), "writer": writer}, {"_id": 1}) is None:
                self._count(job_id, n)
                return False
        if self._count_as(job_id, n, first + len(files)):
            return True
        # The job ended its scan meanwhile. Chunks are counted only while it scans, so this is for good.
        job = self._jobs.find_one({"_id": job_id, "state": {"$ne": DROPPED}}, {"chunks": 1})
        if job is not None and job["chunks"] > n:
            return True
        self._chunks.delete_one({"_id": str(chunk)})
        if job is None:
            raise NotFound("job")
        return False

    @mongo_errors()
    def renew_scan(self, job_id: str, token: str, lease_s: float) -> bool:
        held: Document = {"_id": job_id, "state": _SCANNING, "scan_token": token}
        asked = {**held, "cancel_requested": False, "paused": {"$ne": True}}
        if self._jobs.update_one(asked, [{"$set": {"scan_until": later(lease_s)}}]).matched_count:
            return True
        self._end_cancelled_scan(job_id, token)
        # Paused: whoever resumes it may begin at once.
        self._jobs.update_one({**held, "paused": True}, {"$unset": {"scan_token": "", "scan_until": ""}})
        return False

    @mongo_errors()
    def release_scan(self, job_id: str, token: str) -> None:
        asked = {"_id": job_id, "state": _SCANNING, "scan_token": token}
        self._jobs.update_one(asked, {"$unset": {"scan_token": "", "scan_until": ""}})
        self._end_cancelled_scan(job_id)

    @mongo_errors()
    def finish_scan(self, job_id: str, token: str, reason: Reason | None = None) -> bool:
        update: Document = {"state": str(JobState.RUNNING), "reason": [reason.code, reason.message] if reason else None}
        held = {"_id": job_id, "scan_token": token}
        if self._jobs.update_one({**held, "state": _SCANNING}, {"$set": update}).matched_count:
            return True
        return self._jobs.find_one({**held, "state": {"$ne": _SCANNING}}, {"_id": 1}) is not None

    @mongo_errors()
    def earlier(self, job_id: str) -> Job | None:
        key = place_key(self._find_job(self._jobs, job_id))
        known = None if key is None else self._sources.find_one({"_id": key})
        asked = None if known is None else {"_id": known["job"], "state": str(JobState.COMPLETE)}
        found = None if asked is None else self._jobs.find_one(asked)
        return None if found is None or found["_id"] == job_id else job_of(found, stored_counts(found))

    @mongo_errors()
    def idle_scans(self) -> list[str]:
        stages: list[Document] = [
            {"$match": {"state": _SCANNING}},
            {"$match": {"paused": {"$ne": True}}},
            {"$match": {"$expr": {"$and": [{"$not": ["$cancel_requested"]}, is_over("scan_until")]}}},
            {"$project": {"_id": 1}},
        ]
        return sorted(job["_id"] for job in self._jobs.aggregate(stages))


def _at_least(values: dict[str, int]) -> Document:
    return {name: {"$max": [f"${name}", value]} for name, value in values.items()}
