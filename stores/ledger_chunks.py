"""The ledger: chunks, as workers hold and end them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from stores import outcome
from stores.documents import DONE, DROPPED, OPEN, deaths_of, ended, files_of, is_paused, owner_of_samples
from stores.identity import ChunkId, new_token
from stores.ledger_book import LedgerBook
from stores.mongo_door import Document, later, literal, mongo_errors
from stores.records import Claim, Death, Row


class LedgerChunks(LedgerBook):
    """Claim, renew, finish."""

    @mongo_errors()
    def claim_chunk(self, chunk_id: str, lease_s: float, *, dead: int | None = None) -> Claim | None:
        parsed = ChunkId.parse(chunk_id)
        job = self._job_of(parsed.job) if parsed else None
        if job is None or is_paused(job):
            return None
        token = new_token()
        lease = {"token": literal(token), "lease_until": later(lease_s), "attempt": {"$add": ["$attempt", 1]}}
        self._set_where_free(chunk_id, lease, dead)
        # Not by what was modified: if the answer was lost the driver wrote again, and the second time found it held.
        chunk = self._chunks.find_one({"_id": chunk_id, "token": token})
        if chunk is None:
            return None
        return Claim(
            chunk_id=chunk_id,
            job_id=chunk["job"],
            first=chunk["first"],
            files=files_of(chunk),
            token=token,
            attempt=chunk["attempt"],
            owner=owner_of_samples(job),
            cancelled=job["cancel_requested"],
            deaths=deaths_of(chunk),
        )

    def _job_of(self, job_id: str) -> Document | None:
        shape = {"owner": 1, "source": 1, "cancel_requested": 1, "state": 1, "paused": 1}
        return self._jobs.find_one({"_id": job_id, "state": {"$ne": DROPPED}}, shape)

    @mongo_errors()
    def note_death(self, claim: Claim, attempt: int, death: Death) -> Claim:
        held = {"_id": claim.chunk_id, "state": OPEN, "token": claim.token}
        self._chunks.update_one(held, {"$set": {f"deaths.{attempt}": [death.n, death.of]}})
        return replace(claim, deaths=(*claim.deaths, death))

    @mongo_errors()
    def renew_chunk(self, claim: Claim, lease_s: float) -> tuple[bool, bool]:
        held = {"_id": claim.chunk_id, "state": OPEN, "token": claim.token}
        ours = self._chunks.update_one(held, [{"$set": {"lease_until": later(lease_s)}}]).matched_count == 1
        job = self._jobs.find_one({"_id": claim.job_id}, {"cancel_requested": 1})
        return ours, bool(job and job["cancel_requested"])

    @mongo_errors()
    def finish_chunk(self, claim: Claim, rows: Sequence[Row]) -> bool:
        outcome.check_rows(rows, len(claim.files))
        held = {"_id": claim.chunk_id, "token": claim.token}
        if self._chunks.update_one({**held, "state": OPEN}, {"$set": ended(rows)}).matched_count:
            return True
        # The same call may have won before, with its answer lost.
        return self._chunks.find_one({**held, "state": DONE}, {"_id": 1}) is not None
