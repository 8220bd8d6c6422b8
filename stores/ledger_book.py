"""The ledger's collections, and the questions that all its parts ask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pymongo import ReadPreference
from pymongo.read_concern import ReadConcern

from stores import outcome
from stores.documents import DONE, DROPPED, OPEN
from stores.mongo_door import Document, Documents, Expression, MongoDatabase, is_over, setting_if
from stores.outcome import Tally
from stores.records import Counts, JobState
from workers.errors import NotFound

FREE: Expression = {"$and": [{"$eq": ["$state", OPEN]}, is_over("lease_until")]}
"""Whether a chunk is open and nobody works on it, by the server's clock."""

SCAN_ENDED: dict[str, Any] = {"state": str(JobState.RUNNING), "scan_token": None}


class LedgerBook:
    """Jobs, chunks and parts. What decides is read from the primary, and only what a majority has; lists may lag."""

    def __init__(self, database: MongoDatabase) -> None:
        self._database = database
        deciding = database.with_options(read_preference=ReadPreference.PRIMARY, read_concern=ReadConcern("majority"))
        self._jobs: Documents = deciding["jobs"]
        self._chunks: Documents = deciding["chunks"]
        self._parts: Documents = deciding["parts"]
        self._sources: Documents = deciding["sources"]
        self._meta: Documents = deciding["meta"]
        self._listed_jobs: Documents = database["jobs"]
        self._listed_chunks: Documents = database["chunks"]

    def _find_job(self, jobs: Documents, job_id: str, owner: str | None = None) -> Document:
        """A job's document; `NotFound` where there is none of this owner, or it is being dropped."""
        asked: Document = {"_id": job_id, "state": {"$ne": DROPPED}}
        found = jobs.find_one(asked if owner is None else {**asked, "owner": owner})
        if found is None:
            raise NotFound("job")
        return found

    def _done_since(self, chunks: Documents, job_id: str, n: int, below: int | None = None) -> list[Document]:
        """Numbers and tallies of the chunks and parts done from `n` on: by the index, only these are read."""
        numbers: Document = {"$gte": n} if below is None else {"$gte": n, "$lt": below}
        wanted = {"_id": 0, "n": 1, "part": 1, "of": 1, "counts": 1}
        return list(chunks.find({"job": job_id, "state": DONE, "n": numbers}, wanted))

    def _counts(self, chunks: Documents, job: Document) -> Counts:
        """A job's counts now: what is folded, and what was done since."""
        known: Tally = job["counts"] if "counts" in job else job["folded"]["counts"]
        if "counts" not in job and job["folded"]["n"] < job["chunks"]:
            since = self._done_since(chunks, job["_id"], job["folded"]["n"])
            known = outcome.add([known, *(chunk["counts"] for chunk in since)])
        return outcome.counts(job["submitted"], known)

    def _set_where_free(
        self, chunk_id: str, changes: dict[str, Any], dead: int | None = None, as_seen: Mapping[str, Any] | None = None
    ) -> bool:
        """Change one chunk if it is open without a live lease, or with that of a `dead` attempt. One caller wins.

        `as_seen`: and has these values still.
        """
        asked = {"_id": chunk_id, "state": OPEN, **(as_seen or {})}
        free = FREE if dead is None else {"$or": [FREE, {"$eq": ["$attempt", dead]}]}
        return self._chunks.update_one(asked, setting_if(free, changes)).modified_count == 1

    def _end_cancelled_scan(self, job_id: str, token: str | None = None) -> bool:
        """A cancelled scan that nobody (but the holder of `token`) is at has ended: `scanning` -> `running`."""
        asked: Document = {"_id": job_id, "state": str(JobState.SCANNING), "cancel_requested": True}
        if token is not None:
            update: Any = {"$set": {"state": str(JobState.RUNNING)}, "$unset": {"scan_token": "", "scan_until": ""}}
            return self._jobs.update_one({**asked, "scan_token": token}, update).modified_count == 1
        return self._jobs.update_one(asked, setting_if(is_over("scan_until"), SCAN_ENDED)).modified_count == 1

    def _in_state(
        self, job_id: str, state: str, start: int, below: int, more: Iterable[Document] = ()
    ) -> list[Document]:
        """Chunks and parts of a window in one state, in order; `more` stages narrow and shape them."""
        window = {"job": job_id, "state": state, "n": {"$gte": start, "$lt": below}}
        return list(self._chunks.aggregate([{"$match": window}, *more, {"$sort": {"n": 1, "part": 1}}]))
