"""The ledger: chunks, as workers hold and end them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from stores import outcome
from stores.documents import DONE, DROPPED, OPEN, deaths_of, ended, files_of, is_paused, owner_of_samples
from stores.identity import ChunkId, new_token
from stores.ledger_book import LedgerBook
from stores.mongo_door import Document, later, literal, mongo_errors
from stores.records import Claim, Death, Row

_TRIES = 3
"""A chunk that changes while it is claimed is looked at again so often."""


class LedgerChunks(LedgerBook):
    """Claim, renew, finish."""

    @mongo_errors()
    def claim_chunk(
        self, chunk_id: str, lease_s: float, *, dead: Callable[[], int | None] = lambda: None
    ) -> Claim | None:
        if ChunkId.parse(chunk_id) is None:
            return None
        token = new_token()
        chunk = self._with_its_job(chunk_id)
        for _ in range(_TRIES):
            if chunk is None or not _is_to_do(chunk):
                return None
            if self._take(chunk, token, lease_s, dead() if chunk["attempt"] else None):
                return _claim(chunk, token, chunk["attempt"] + 1)
            seen, chunk = chunk, self._with_its_job(chunk_id)
            # Not by what was modified: if the answer was lost the driver wrote again, and then found it held.
            if chunk is not None and chunk.get("token") == token:
                return _claim(chunk, token, chunk["attempt"])
            if chunk is not None and chunk["attempt"] == seen["attempt"] and deaths_of(chunk) == deaths_of(seen):
                return None  # as it was seen, and somebody's
        return None

    def _with_its_job(self, chunk_id: str, *shape: Document) -> Document | None:
        """A chunk and its job: one question instead of two, because the ledger may be far away."""
        beside = {"$lookup": {"from": "jobs", "localField": "job", "foreignField": "_id", "as": "of_job"}}
        return next(iter(self._chunks.aggregate([{"$match": {"_id": chunk_id}}, *shape, beside])), None)

    def _take(self, seen: Document, token: str, lease_s: float, dead: int | None) -> bool:
        """Hold a chunk that is still as it was seen, and free."""
        lease = {"token": literal(token), "lease_until": later(lease_s), "attempt": {"$add": ["$attempt", 1]}}
        as_seen = {"attempt": seen["attempt"], "deaths": seen.get("deaths")}
        return self._set_where_free(seen["_id"], lease, dead, as_seen)

    @mongo_errors()
    def note_death(self, claim: Claim, attempt: int, death: Death) -> Claim:
        held = {"_id": claim.chunk_id, "state": OPEN, "token": claim.token}
        self._chunks.update_one(held, {"$set": {f"deaths.{attempt}": [death.n, death.of]}})
        return replace(claim, deaths=(*claim.deaths, death))

    @mongo_errors()
    def renew_chunk(self, claim: Claim, lease_s: float) -> bool:
        held = {"_id": claim.chunk_id, "state": OPEN, "token": claim.token}
        return self._chunks.update_one(held, [{"$set": {"lease_until": later(lease_s)}}]).matched_count == 1

    @mongo_errors()
    def look_at(self, claim: Claim) -> tuple[bool, bool]:
        chunk = self._with_its_job(claim.chunk_id, {"$project": {"job": 1, "token": 1, "state": 1}}) or {}
        ours = (chunk.get("token"), chunk.get("state")) == (claim.token, OPEN)
        return ours, any(job["cancel_requested"] for job in chunk.get("of_job", ()))

    @mongo_errors()
    def return_chunk(self, claim: Claim, later_s: float) -> None:
        held = {"_id": claim.chunk_id, "state": OPEN, "token": claim.token}
        given_back = {"lease_until": later(later_s), "attempt": {"$subtract": ["$attempt", 1]}, "token": None}
        self._chunks.update_one(held, [{"$set": given_back}])

    @mongo_errors()
    def finish_chunk(self, claim: Claim, rows: Sequence[Row]) -> bool:
        outcome.check_rows(rows, len(claim.files))
        held = {"_id": claim.chunk_id, "token": claim.token}
        if self._chunks.update_one({**held, "state": OPEN}, {"$set": ended(rows)}).matched_count:
            return True
        # The same call may have won before, with its answer lost.
        return self._chunks.find_one({**held, "state": DONE}, {"_id": 1}) is not None


def _is_to_do(chunk: Document) -> bool:
    jobs = (job for job in chunk["of_job"] if job["state"] != DROPPED)
    return chunk["state"] == OPEN and any(not is_paused(job) for job in jobs)


def _claim(chunk: Document, token: str, attempt: int) -> Claim:
    (job,) = chunk["of_job"]
    return Claim(
        chunk_id=chunk["_id"],
        job_id=job["_id"],
        first=chunk["first"],
        files=files_of(chunk),
        token=token,
        attempt=attempt,
        owner=owner_of_samples(job),
        cancelled=job["cancel_requested"],
        deaths=deaths_of(chunk),
    )
