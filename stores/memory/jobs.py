"""The ledger's twin: what the gateway and the scan do."""

from __future__ import annotations

from collections.abc import Sequence

from stores import cursor as cursors
from stores import outcome
from stores.filepages import Stretch, file_page
from stores.identity import ChunkId, new_job_id, new_token
from stores.memory.book import DONE, Book, KeptChunk, KeptJob
from stores.records import FileRef, FileRow, Job, JobState, NewJob, Page, Reason, Row, ScanClaim, Status
from workers.errors import IdempotencyReused, SubmissionInFlight

TAKES_CHUNKS = (JobState.RECEIVING, JobState.SCANNING)


class MemoryJobs(Book):
    """Jobs and their scans."""

    def create_job(self, new: NewJob) -> tuple[Job, bool]:
        with self._lock:
            known = self._by_key(new)
            if known is not None:
                if known.new.fingerprint != new.fingerprint:
                    raise IdempotencyReused
                if known.state is JobState.RECEIVING:
                    raise SubmissionInFlight
                return known.seen(), False
            now = self._clock()
            state = JobState.SCANNING if new.source else JobState.RECEIVING
            kept = KeptJob(new_job_id(now), new, now, state, touched_at=now)
            self._jobs[kept.id] = kept
            return kept.seen(), True

    def _by_key(self, new: NewJob) -> KeptJob | None:
        if new.idempotency_key is None:
            return None
        same = (new.owner, new.idempotency_key)
        return next((kept for kept in self._jobs.values() if (kept.new.owner, kept.new.idempotency_key) == same), None)

    def accept_job(self, job_id: str) -> Job:
        with self._lock:
            kept = self._kept(job_id)
            if kept.state is JobState.RECEIVING:
                kept.state = JobState.RUNNING
            return kept.seen()

    def drop_job(self, job_id: str) -> None:
        with self._lock:
            kept = self._jobs.get(job_id)
            if kept is not None and kept.state is JobState.RECEIVING:
                del self._jobs[job_id]

    def drop_abandoned(self, idle_s: float = outcome.ABANDONED_S) -> int:
        with self._lock:
            since = self._clock() - idle_s
            old = [k.id for k in self._jobs.values() if k.state is JobState.RECEIVING and k.touched_at < since]
            for job_id in old:
                del self._jobs[job_id]
            return len(old)

    def job(self, job_id: str, *, owner: str | None = None) -> Job:
        with self._lock:
            return self._kept(job_id, owner).seen()

    def jobs(self, *, owner: str | None, cursor: str | None, limit: int) -> Page[Job]:
        question = ("jobs", owner)
        below = cursors.read(question, cursor, (str,))[0] if cursor else "~"
        with self._lock:
            rows = sorted(self._jobs.values(), key=lambda kept: kept.id, reverse=True)
            rows = [kept for kept in rows if kept.id < str(below) and owner in (None, kept.new.owner)]
            page = tuple(kept.seen() for kept in rows[:limit])
        return Page(page, cursors.write(question, (page[-1].id,)) if len(rows) > limit else None)

    def request_cancel(self, job_id: str, *, owner: str | None = None) -> Job:
        with self._lock:
            kept = self._kept(job_id, owner)
            if not kept.state.ended:
                kept.cancel_requested, kept.paused = True, False
                self._end_cancelled_scan(kept)
            return kept.seen()

    def pause(self, job_id: str, *, owner: str | None = None) -> Job:
        with self._lock:
            kept = self._kept(job_id, owner)
            kept.paused = kept.state in (JobState.SCANNING, JobState.RUNNING) and not kept.cancel_requested
            return kept.seen()

    def resume(self, job_id: str, *, owner: str | None = None) -> Job:
        with self._lock:
            kept = self._kept(job_id, owner)
            if kept.is_paused:
                kept.paused, kept.resumed_at = False, self._clock()
            return kept.seen()

    def files(self, job_id: str, *, status: Status | None, cursor: str | None, limit: int) -> Page[FileRow]:
        with self._lock:
            kept = self._kept(job_id)

            def fetch(start: int, end: int) -> list[Stretch]:
                return [_stretch(piece) for chunk in kept.chunks[start:end] for piece in chunk.pieces()]

            return file_page(job_id, len(kept.chunks), fetch, status=status, cursor=cursor, limit=limit)

    def chunk_rows(self, job_id: str, n: int) -> list[FileRow]:
        with self._lock:
            return [row for piece in self._kept(job_id).chunks[n].pieces() for row in _stretch(piece).rows()]

    # -- the scan
    def claim_scan(self, job_id: str, lease_s: float) -> ScanClaim | None:
        with self._lock:
            kept = self._jobs.get(job_id)
            if kept is None or kept.state is not JobState.SCANNING or self._scan_live(kept):
                return None
            if self._end_cancelled_scan(kept) or kept.paused:
                return None
            kept.scan_token, kept.scan_until = new_token(), self._clock() + lease_s
            after = kept.chunks[-1].files[-1] if kept.chunks else None
            return ScanClaim(kept.seen(), kept.scan_token, len(kept.chunks), kept.submitted, after)

    def add_chunk(
        self, job_id: str, n: int, first: int, files: Sequence[FileRef], rows: Sequence[Row] | None = None
    ) -> bool:
        if rows is not None:
            outcome.check_rows(rows, len(files))
        with self._lock:
            kept = self._kept(job_id)
            if kept.state not in TAKES_CHUNKS or n != len(kept.chunks):
                return False
            chunk = KeptChunk(ChunkId(job_id, n), first, tuple(files))
            if rows is not None:
                chunk.state, chunk.rows = DONE, tuple(rows)
            kept.chunks.append(chunk)
            kept.touched_at = self._clock()
            return True

    def renew_scan(self, job_id: str, token: str, lease_s: float) -> bool:
        with self._lock:
            kept = self._jobs.get(job_id)
            if kept is None or kept.state is not JobState.SCANNING or kept.scan_token != token:
                return False
            if self._end_cancelled_scan(kept, token):
                return False
            if kept.paused:
                kept.scan_token = None
                return False
            kept.scan_until = self._clock() + lease_s
            return True

    def release_scan(self, job_id: str, token: str) -> None:
        with self._lock:
            kept = self._jobs.get(job_id)
            if kept is not None and kept.state is JobState.SCANNING and kept.scan_token == token:
                kept.scan_token = None
                self._end_cancelled_scan(kept)

    def finish_scan(self, job_id: str, token: str, reason: Reason | None = None) -> bool:
        with self._lock:
            kept = self._jobs.get(job_id)
            if kept is None or kept.scan_token != token:
                return False
            if kept.state is JobState.SCANNING:
                kept.state, kept.reason = JobState.RUNNING, reason
            return True

    def earlier(self, job_id: str) -> Job | None:
        with self._lock:
            key = self._kept(job_id).place_key
            same = [kept for kept in self._jobs.values() if kept.place_key == key and kept.id != job_id]
            done = [kept for kept in same if key is not None and kept.state is JobState.COMPLETE]
            return max(done, key=lambda kept: kept.id).seen() if done else None

    def _end_cancelled_scan(self, kept: KeptJob, token: str | None = None) -> bool:
        """A cancelled scan that nobody (but the holder of `token`) is at has ended."""
        mine = token is not None and kept.scan_token == token
        if kept.state is not JobState.SCANNING or not kept.cancel_requested or (self._scan_live(kept) and not mine):
            return False
        kept.state, kept.scan_token = JobState.RUNNING, None
        return True


def _stretch(piece: KeptChunk) -> Stretch:
    def rows() -> list[FileRow]:
        ends = piece.rows or [Row(Status.PENDING)] * len(piece.files)
        pairs = zip(piece.files, ends, strict=True)
        return [FileRow(piece.first + i, file, row) for i, (file, row) in enumerate(pairs)]

    ended = outcome.tally(piece.rows) if piece.state == DONE and piece.rows is not None else None
    return Stretch(piece.id.n, piece.id.part, len(piece.files), ended, rows)
