"""The ledger: what the reconciler does so that every job comes to its end."""

from __future__ import annotations

from collections.abc import Sequence

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from stores import outcome
from stores.documents import (
    ACTIVE,
    OPEN,
    SPLIT,
    SPLITTING,
    all_ended,
    deaths_of,
    files_of,
    is_paused,
    new_chunk,
    place_key,
)
from stores.identity import ChunkId
from stores.ledger_book import FREE, LedgerBook
from stores.mongo_door import NOW, Document, Expression, literal, mongo_errors, only_duplicates, setting_if
from stores.records import Counts, JobState, Reason, Row, Status

_LOOK_AHEAD = 50
"""Chunk numbers looked at to find the next open ones: a query costs by what it matches."""
_WINDOW = 500
"""Chunk numbers looked at in one query."""


class LedgerUpkeep(LedgerBook):
    """Feeding, reviving, splitting, sweeping, folding and finishing."""

    @mongo_errors()
    def unfed(self, job_id: str, limit: int) -> list[str]:
        job = self._jobs.find_one({"_id": job_id, "state": {"$in": ACTIVE}}, {"fed": 1, "chunks": 1})
        found: list[int] = []
        at, end = (job["fed"], job["chunks"]) if job else (0, 0)
        while at < end and len(found) < limit:
            below = min(at + max(limit, _LOOK_AHEAD), end)
            here = [chunk["n"] for chunk in self._in_state(job_id, OPEN, at, below, [{"$project": {"n": 1}}])]
            if job and not found and not here:  # a scan ended all of these itself
                self._fed_below(job, below)
            found += here
            at = below
        return [str(ChunkId(job_id, n)) for n in found[:limit]]

    @mongo_errors()
    def mark_fed(self, job_id: str, chunk_ids: Sequence[str]) -> None:
        job = self._find_job(self._jobs, job_id)
        mine = [each for each in chunk_ids if each.startswith(f"{job_id}:")]
        if mine:
            self._chunks.update_many({"_id": {"$in": mine}, "state": OPEN}, [{"$set": {"fed_at": NOW}}])
        said = {chunk.n for chunk in map(ChunkId.parse, mine) if chunk is not None and not chunk.part}
        below = min(max(said, default=-1) + 1, job["chunks"])
        if below > job["fed"]:
            # Up to the first that is open and was not published; a scan ends some itself, and those need not be.
            still_open = self._in_state(job_id, OPEN, job["fed"], below, [{"$project": {"n": 1}}])
            gaps = (chunk["n"] for chunk in still_open if chunk["n"] not in said)
            self._fed_below(job, min(gaps, default=below))

    def _fed_below(self, job: Document, fed: int) -> None:
        if fed > job["fed"]:
            self._jobs.update_one({"_id": job["_id"]}, {"$max": {"fed": fed}})

    @mongo_errors()
    def stale(self, job_id: str, *, published_s_ago: float, limit: int) -> list[tuple[str, int, int]]:
        job = self._jobs.find_one({"_id": job_id, "state": {"$in": ACTIVE}})
        if job is None or is_paused(job):
            return []
        found: list[Document] = []
        since = int(job.get("resumed_at", 0))
        shape = {"attempt": 1, "deaths": 1, "size": 1, "n": 1, "part": 1}
        forgotten: list[Document] = [{"$match": {"$expr": _forgotten(published_s_ago, since)}}, {"$project": shape}]
        for start in range(job["folded"]["n"], job["fed"], _WINDOW):
            below = min(start + _WINDOW, job["fed"])
            found += self._in_state(job_id, SPLITTING, start, below, [{"$project": shape}])
            found += self._in_state(job_id, OPEN, start, below, forgotten)
            if len(found) >= limit:
                break
        found.sort(key=lambda chunk: (chunk["n"], chunk["part"]))
        return [(chunk["_id"], chunk["attempt"] - len(deaths_of(chunk)), chunk["size"]) for chunk in found[:limit]]

    @mongo_errors()
    def split_chunk(self, chunk_id: str) -> list[str]:
        whole = ChunkId.parse(chunk_id)
        if whole is None or whole.part:
            return []
        chunk = self._chunks.find_one({"_id": chunk_id})
        if chunk is None or chunk["size"] < 2:
            return []
        if chunk["state"] == OPEN:
            self._set_where_free(chunk_id, {"state": SPLITTING})
            chunk = self._chunks.find_one({"_id": chunk_id}) or chunk
        parts = [ChunkId(whole.job, whole.n, i + 1) for i in range(chunk["size"])]
        if chunk["state"] == SPLITTING:
            self._write_parts(chunk, parts)
            self._chunks.update_one({"_id": chunk_id, "state": SPLITTING}, {"$set": {"state": SPLIT}})
        return [str(part) for part in parts] if chunk["state"] in (SPLITTING, SPLIT) else []

    def _write_parts(self, chunk: Document, parts: Sequence[ChunkId]) -> None:
        """Each file as a chunk of its own; those that an earlier try wrote stay as they are."""
        pairs = zip(parts, files_of(chunk), strict=True)
        fresh = [new_chunk(part, chunk["first"] + i, [file], of=len(parts)) for i, (part, file) in enumerate(pairs)]
        try:
            self._chunks.insert_many(fresh, ordered=False)
        except BulkWriteError as error:
            if not only_duplicates(error):
                raise

    @mongo_errors()
    def fail_chunk(self, chunk_id: str, reason: Reason) -> bool:
        chunk = self._chunks.find_one({"_id": chunk_id, "state": OPEN}, {"size": 1})
        if chunk is None:
            return False
        return self._set_where_free(chunk_id, _ending(Row(Status.FAILED, reason=reason), chunk["size"]))

    @mongo_errors()
    def sweep_cancelled(self, job_id: str, limit: int) -> int:
        job = self._jobs.find_one({"_id": job_id, "state": {"$in": ACTIVE}, "cancel_requested": True})
        if job is None:
            return 0
        if job["state"] == str(JobState.SCANNING):
            self._end_cancelled_scan(job_id)
            job = self._find_job(self._jobs, job_id)
        if job["state"] == str(JobState.RUNNING):
            self._forget_uncounted(job_id, job["chunks"])
        swept, fed = 0, job["fed"]
        for start in range(job["folded"]["n"], job["chunks"], _WINDOW):
            below = min(start + _WINDOW, job["chunks"])
            for chunk in self._in_state(job_id, SPLITTING, start, below, [{"$project": {"_id": 1}}]):
                self.split_chunk(chunk["_id"])
            free = self._free_in(job_id, start, below)[: limit - swept]
            swept += self._end_cancelled(free)
            full = swept >= limit
            # Whatever is left open in this window is at work, so it was published.
            fed = max(fed, free[-1]["n"] + 1 if full and free else below)
            if full:
                break
        self._fed_below(job, fed)
        return swept

    def _forget_uncounted(self, job_id: str, chunks: int) -> None:
        """Take out what a scanner wrote and died before it counted: no other comes, and nobody ever heard of it."""
        left = self._in_state(job_id, OPEN, chunks, chunks + _WINDOW, [{"$project": {"_id": 1}}])
        if left:
            self._chunks.delete_many({"_id": {"$in": [chunk["_id"] for chunk in left]}, "state": OPEN})

    def _free_in(self, job_id: str, start: int, below: int) -> list[Document]:
        shape = {"n": 1, "part": 1, "size": 1}
        return self._in_state(job_id, OPEN, start, below, [{"$match": {"$expr": FREE}}, {"$project": shape}])

    def _end_cancelled(self, chunks: Sequence[Document]) -> int:
        if not chunks:
            return 0
        updates = [
            UpdateOne({"_id": chunk["_id"], "state": OPEN}, setting_if(FREE, _ending(outcome.CANCELLED, chunk["size"])))
            for chunk in chunks
        ]
        return self._chunks.bulk_write(updates, ordered=False).modified_count

    @mongo_errors()
    def fold(self, job_id: str) -> Counts:
        job = self._find_job(self._jobs, job_id)
        while "counts" not in job and job["folded"]["n"] < job["chunks"]:
            folded = job["folded"]
            done = self._done_since(self._chunks, job_id, folded["n"], folded["n"] + _WINDOW)
            settled = _settled_prefix(folded["n"], done)
            if settled == folded["n"]:
                break
            tally = outcome.add([folded["counts"], *(chunk["counts"] for chunk in done if chunk["n"] < settled)])
            update = {"$set": {"folded": {"n": settled, "counts": tally}}}
            self._jobs.update_one({"_id": job_id, "folded.n": folded["n"]}, update)
            job = self._find_job(self._jobs, job_id)
        return self._counts(self._chunks, job)

    @mongo_errors()
    def finish_job(self, job_id: str) -> JobState | None:
        job = self._jobs.find_one({"_id": job_id, "state": str(JobState.RUNNING)})
        if job is None:
            return None
        counts = self._counts(self._chunks, job)
        if counts.pending:
            return None
        reason = Reason(*job["reason"]) if job.get("reason") else None
        state = outcome.end_state(cancelled=job["cancel_requested"], reason=reason)
        tally = {name: getattr(counts, name) for name in _ENDS if getattr(counts, name)}
        final = {"state": str(state), "counts": tally, "fed": job["chunks"]}
        asked = {"_id": job_id, "state": str(JobState.RUNNING), "cancel_requested": job["cancel_requested"]}
        won = self._jobs.update_one(asked, {"$set": final, "$currentDate": {"finished_at": True}}).modified_count
        key = place_key(job)
        if won and key is not None and state is JobState.COMPLETE:
            self._sources.update_one({"_id": key}, {"$max": {"job": job_id}}, upsert=True)
        return state if won else None


_ENDS = [str(status) for status in Status if status is not Status.PENDING]


def _ending(row: Row, size: int) -> dict[str, Expression]:
    """Every file ends alike, and whoever held the chunk once cannot end it again."""
    return {name: literal(value) for name, value in {**all_ended(row, size), "token": None}.items()}


def _forgotten(published_s_ago: float, since: int) -> Expression:
    """Free, and either its lease is over since it was published last, or that was so long ago, or before `since`."""
    fed_at = {"$ifNull": ["$fed_at", 0]}
    since_claim = {"$lt": [fed_at, {"$ifNull": ["$lease_until", 0]}]}
    long_ago = {"$lte": [fed_at, {"$subtract": [NOW, int(published_s_ago * 1000)]}]}
    return {"$and": [FREE, {"$or": [since_claim, long_ago, {"$lt": [fed_at, since]}]}]}


def _settled_prefix(n: int, done: Sequence[Document]) -> int:
    """How far every chunk from `n` on is done, a split one with all its parts."""
    left: dict[int, int] = {}
    for chunk in done:
        if chunk["part"] == 0:
            left[chunk["n"]] = 0
        else:
            left[chunk["n"]] = left.get(chunk["n"], int(chunk["of"])) - 1
    while left.get(n) == 0:
        n += 1
    return n
