"""The ledger's twin: what workers and the reconciler do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from stores import outcome
from stores.identity import ChunkId, new_token
from stores.memory.book import DONE, OPEN, SPLIT, SPLITTING, KeptChunk, KeptJob
from stores.memory.quarantine import MemoryQuarantine
from stores.records import Claim, Counts, Death, Job, JobState, Offer, Reason, Row, SamplesSource, Status

ACTIVE = (JobState.SCANNING, JobState.RUNNING)


class MemoryLedger(MemoryQuarantine):
    """`stores.doors.Ledger` in memory."""

    def claim_chunk(
        self, chunk_id: str, lease_s: float, *, dead: Callable[[], int | None] = lambda: None
    ) -> Claim | None:
        before = self._chunk(chunk_id)
        gone = dead() if before is not None and before[1].attempt else None  # not under the lock: it asks elsewhere
        with self._lock:
            found = self._chunk(chunk_id)
            if found is None or found[0].is_paused:
                return None
            kept, chunk = found
            if not self._free(chunk) and not (chunk.state == OPEN and chunk.attempt == gone):
                return None
            source = kept.new.source
            chunk.token, chunk.lease_until = new_token(), self._clock() + lease_s
            chunk.attempt += 1
            return Claim(
                chunk_id=str(chunk.id),
                job_id=kept.id,
                first=chunk.first,
                files=chunk.files,
                token=chunk.token,
                attempt=chunk.attempt,
                owner="" if isinstance(source, SamplesSource) and source.owner is None else kept.new.owner,
                cancelled=kept.cancel_requested,
                deaths=tuple(death for _, death in sorted(chunk.deaths.items())),
            )

    def note_death(self, claim: Claim, attempt: int, death: Death) -> Claim:
        with self._lock:
            found = self._held(claim)
            if found is not None and found[1].state == OPEN:
                found[1].deaths[attempt] = death
            return replace(claim, deaths=(*claim.deaths, death))

    def _held(self, claim: Claim) -> tuple[KeptJob, KeptChunk] | None:
        found = self._chunk(claim.chunk_id)
        return found if found and found[1].token == claim.token else None

    def renew_chunk(self, claim: Claim, lease_s: float) -> bool:
        with self._lock:
            found = self._held(claim)
            if found is None or found[1].state != OPEN:
                return False
            found[1].lease_until = self._clock() + lease_s
            return True

    def look_at(self, claim: Claim) -> tuple[bool, bool]:
        with self._lock:
            kept = self._jobs.get(claim.job_id)
            found = self._held(claim)
            return found is not None and found[1].state == OPEN, bool(kept and kept.cancel_requested)

    def return_chunk(self, claim: Claim, later_s: float) -> None:
        with self._lock:
            found = self._held(claim)
            if found is not None and found[1].state == OPEN:
                chunk = found[1]
                chunk.token, chunk.lease_until = None, self._clock() + later_s
                chunk.attempt -= 1

    def finish_chunk(self, claim: Claim, rows: Sequence[Row]) -> bool:
        outcome.check_rows(rows, len(claim.files))
        with self._lock:
            found = self._held(claim)
            if found is None:
                return False
            chunk = found[1]
            if chunk.state == OPEN:
                chunk.state, chunk.rows = DONE, tuple(rows)
            return chunk.state == DONE

    # -- the reconciler
    def active_jobs(self) -> list[Job]:
        with self._lock:
            return [kept.seen() for _, kept in sorted(self._jobs.items()) if kept.state in ACTIVE]

    def active_count(self) -> int:
        with self._lock:
            return sum(kept.state in ACTIVE for kept in self._jobs.values())

    def idle_scans(self) -> list[str]:
        with self._lock:
            rows = [kept for _, kept in sorted(self._jobs.items()) if kept.state is JobState.SCANNING]
            return [kept.id for kept in rows if not (kept.cancel_requested or kept.paused or self._scan_live(kept))]

    def unfed(self, job_id: str, limit: int) -> list[str]:
        with self._lock:
            kept = self._jobs.get(job_id)
            if kept is None or kept.state not in ACTIVE:
                return []
            return [str(chunk.id) for chunk in kept.chunks[kept.fed :] if chunk.state == OPEN][:limit]

    def mark_fed(self, job_id: str, chunk_ids: Sequence[str]) -> None:
        with self._lock:
            kept = self._kept(job_id)
            for chunk_id in chunk_ids:
                found = self._chunk(chunk_id)
                if found and found[0] is kept and found[1].state == OPEN:
                    found[1].fed_at = self._clock()
            said = [chunk for chunk in map(ChunkId.parse, chunk_ids) if chunk and chunk.job == job_id]
            whole = {chunk.n for chunk in said if not chunk.part}
            below = min(max(whole, default=-1) + 1, len(kept.chunks))
            while kept.fed < below and (kept.fed in whole or kept.chunks[kept.fed].state != OPEN):
                kept.fed += 1

    def stale(self, job_id: str, *, published_s_ago: float, limit: int) -> list[tuple[str, int, int]]:
        with self._lock:
            kept = self._jobs.get(job_id)
            if kept is None or kept.is_paused:
                return []
            pieces = [piece for chunk in kept.chunks[: kept.fed] for piece in chunk.pieces()]
            ago = self._clock() - published_s_ago
            pieces = [piece for piece in pieces if self._forgotten(piece, ago, kept.resumed_at)]
            return [(str(one.id), one.attempt - len(one.deaths), len(one.files)) for one in pieces[:limit]]

    def _forgotten(self, piece: KeptChunk, ago: float, since: float) -> bool:
        if piece.state == SPLITTING:
            return True
        since_claim = piece.lease_until is not None and piece.fed_at < piece.lease_until
        return self._free(piece) and (since_claim or piece.fed_at <= ago or piece.fed_at < since)

    def split_chunk(self, chunk_id: str) -> list[str]:
        with self._lock:
            found = self._chunk(chunk_id)
            if found is None or found[1].id.part or len(found[1].files) < 2:
                return []
            chunk = found[1]
            if self._free(chunk):
                chunk.state = SPLITTING
        self.between("splitting, parts")
        with self._lock:
            if chunk.state == SPLITTING:
                at = (chunk.id.job, chunk.id.n)
                chunk.parts = [
                    KeptChunk(ChunkId(*at, i + 1), chunk.first + i, (file,)) for i, file in enumerate(chunk.files)
                ]
                chunk.state = SPLIT
            return [str(part.id) for part in chunk.parts]

    def fail_chunk(self, chunk_id: str, reason: Reason) -> bool:
        with self._lock:
            found = self._chunk(chunk_id)
            if found is None or not self._free(found[1]):
                return False
            self._end_all(found[1], Row(Status.FAILED, reason=reason))
            return True

    @staticmethod
    def _end_all(chunk: KeptChunk, row: Row) -> None:
        chunk.state, chunk.token, chunk.rows = DONE, None, (row,) * len(chunk.files)

    def sweep_cancelled(self, job_id: str, limit: int) -> int:
        with self._lock:
            kept = self._jobs.get(job_id)
            if kept is None or kept.state not in ACTIVE or not kept.cancel_requested:
                return 0
            self._end_cancelled_scan(kept)
            swept = [piece for piece in kept.pieces() if self._free(piece)][:limit]
            for piece in swept:
                self._end_all(piece, outcome.CANCELLED)
            while kept.fed < len(kept.chunks) and not self._free(kept.chunks[kept.fed]):
                kept.fed += 1
            return len(swept)

    def fold(self, job_id: str) -> Counts:
        with self._lock:
            return self._kept(job_id).counts()

    def finish_job(self, job_id: str) -> JobState | None:
        with self._lock:
            kept = self._jobs.get(job_id)
            if kept is None or kept.state is not JobState.RUNNING or kept.counts().pending:
                return None
            kept.state = outcome.end_state(cancelled=kept.cancel_requested, reason=kept.reason)
            kept.finished_at, kept.fed = self._clock(), len(kept.chunks)
            return kept.state

    def hold(self, part: str, holder: str, lease_s: float) -> bool:
        with self._lock:
            by, until = self._parts.get(part, (holder, 0.0))
            if by != holder and until >= self._clock():
                return False
            self._parts[part] = (holder, self._clock() + lease_s)
            return True

    def let_go(self, part: str, holder: str) -> None:
        with self._lock:
            if self._parts.get(part, ("", 0.0))[0] == holder:
                del self._parts[part]

    def announce(self, offer: Offer) -> None:
        self._offer = offer

    def offer(self) -> Offer | None:
        return self._offer

    def ping(self) -> None:
        """Always answers."""

    def prepare(self) -> None:
        """Nothing to make."""

    def close(self) -> None:
        """Nothing to give back."""
