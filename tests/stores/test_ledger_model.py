"""Any order of calls, with leases that end at any time, keeps the conservation law. On the memory twin."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from stores.memory import ManualClock, MemoryStores
from stores.records import Claim, FileRow, JobState, Row, ScanClaim, Status
from tests.stores.making import BROKEN, files, new_job

LEASE = 10.0
ENDS = [Status.DONE, Status.REUSED, Status.DUPLICATE, Status.FAILED]


class LedgerMachine(RuleBasedStateMachine):
    """One job; what users were told of an ended file must never change."""

    @initialize(sizes=st.lists(st.integers(1, 3), max_size=4))
    def begin(self, sizes: list[int]) -> None:
        self.clock = ManualClock()
        self.ledger = MemoryStores(self.clock).ledger
        self.id = self.ledger.create_job(new_job())[0].id
        self.scan: ScanClaim | None = None
        self.claims: list[Claim] = []
        self.held_until: dict[str, tuple[str, float]] = {}
        self.told: dict[int, Row] = {}
        self.ended: JobState | None = None
        first = 0
        for n, size in enumerate(sizes):
            assert self.ledger.add_chunk(self.id, n, first, files(size, first))
            first += size

    # -- the scan
    @rule()
    def claim_scan(self) -> None:
        scan = self.ledger.claim_scan(self.id, LEASE)
        if scan is not None:
            assert (scan.next_chunk, scan.next_file) == (scan.job.chunks, scan.job.counts.submitted)
            self.scan = scan

    @precondition(lambda self: self.scan is not None)
    @rule(size=st.integers(1, 4))
    def add_chunk(self, size: int) -> None:
        assert self.scan is not None
        before = self.ledger.job(self.id)
        n, first = self.scan.next_chunk, self.scan.next_file
        if self.ledger.add_chunk(self.id, n, first, files(size, first)):
            assert self.ledger.job(self.id).counts.submitted == before.counts.submitted + size
            self.scan = ScanClaim(self.scan.job, self.scan.token, n + 1, first + size, files(1, first + size - 1)[0])
        else:
            assert self.ledger.job(self.id).counts == before.counts
            self.scan = None

    @precondition(lambda self: self.scan is not None)
    @rule(how=st.sampled_from(["renew", "release", "finish", "fail"]))
    def end_scan(self, how: str) -> None:
        assert self.scan is not None
        token = self.scan.token
        if how == "renew":
            self.ledger.renew_scan(self.id, token, LEASE)
        elif how == "release":
            self.ledger.release_scan(self.id, token)
        else:
            self.ledger.finish_scan(self.id, token, BROKEN if how == "fail" else None)

    # -- feeding and work
    @rule(limit=st.integers(1, 5), told=st.booleans())
    def feed(self, limit: int, told: bool) -> None:
        ids = self.ledger.unfed(self.id, limit)
        assert len(ids) <= limit
        if told:
            self.ledger.mark_fed(self.id, ids)

    @rule(pick=st.integers(0, 99), part=st.integers(0, 3))
    def claim_chunk(self, pick: int, part: int) -> None:
        n = pick % max(1, self.ledger.job(self.id).chunks)
        claim = None
        for chunk_id in (f"{self.id}:{n}", f"{self.id}:{n}:{part}"):
            claim = claim or self.ledger.claim_chunk(chunk_id, LEASE)
        if claim is not None:
            assert not self._live(claim.chunk_id)
            assert all(claim.first + i not in self.told for i in range(len(claim.files)))
            self.claims.append(claim)
            self.held_until[claim.chunk_id] = (claim.token, self.clock() + LEASE)

    def _live(self, chunk_id: str) -> str | None:
        """The token of who holds a chunk now, as users of the ledger may rely on it."""
        token, until = self.held_until.get(chunk_id, ("", 0.0))
        return token if until >= self.clock() else None

    @precondition(lambda self: bool(self.claims))
    @rule(which=st.integers(0, 99), end=st.sampled_from(ENDS))
    def finish_chunk(self, which: int, end: Status) -> None:
        claim = self.claims[which % len(self.claims)]
        reason = BROKEN if end is Status.FAILED else None
        live = self._live(claim.chunk_id) == claim.token
        finished = self.ledger.finish_chunk(claim, [Row(end, None if reason else "s", reason)] * len(claim.files))
        assert finished or not live
        if live:
            del self.held_until[claim.chunk_id]

    @precondition(lambda self: bool(self.claims))
    @rule(which=st.integers(0, 99))
    def renew_chunk(self, which: int) -> None:
        claim = self.claims[which % len(self.claims)]
        live = self._live(claim.chunk_id) == claim.token
        ours = self.ledger.renew_chunk(claim, LEASE)
        assert ours or not live
        if ours:
            self.held_until[claim.chunk_id] = (claim.token, self.clock() + LEASE)

    @rule(seconds=st.sampled_from([1.0, LEASE + 1]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    # -- the reconciler
    @rule(wait=st.sampled_from([0.0, 5.0, 60.0]), publish=st.booleans())
    def revive(self, wait: float, publish: bool) -> None:
        for chunk_id, attempts, size in self.ledger.stale(self.id, published_s_ago=wait, limit=9):
            if attempts >= 2 and size > 1:
                assert len(self.ledger.split_chunk(chunk_id)) == size
            elif attempts >= 2:
                assert self.ledger.fail_chunk(chunk_id, BROKEN)
            elif publish:
                self.ledger.mark_fed(self.id, [chunk_id])

    @rule()
    def cancel(self) -> None:
        assert self.ledger.request_cancel(self.id).cancel_requested == (not self._is_ended())

    def _is_ended(self) -> bool:
        job = self.ledger.job(self.id)
        return job.state.ended and not job.cancel_requested

    @rule(limit=st.integers(1, 3))
    def sweep(self, limit: int) -> None:
        assert self.ledger.sweep_cancelled(self.id, limit) <= limit

    @rule()
    def finish_job(self) -> None:
        state = self.ledger.finish_job(self.id)
        if state is not None:
            assert self.ended is None
            self.ended = state

    # -- what must always hold
    @invariant()
    def the_law_of_conservation(self) -> None:
        job = self.ledger.job(self.id)
        counts = job.counts
        ends = counts.done + counts.reused + counts.duplicate + counts.skipped + counts.failed
        assert counts.submitted == counts.pending + ends
        assert counts.pending >= 0
        assert (job.state.ended, job.state if job.state.ended else None) == (self.ended is not None, self.ended)
        assert not (job.state.ended and counts.pending)

    @invariant()
    def every_file_once_and_an_end_is_for_good(self) -> None:
        rows = self._all_files()
        assert [row.index for row in rows] == list(range(self.ledger.job(self.id).counts.submitted))
        assert [row.file for row in rows] == files(len(rows))
        for row in rows:
            if row.row.status is not Status.PENDING:
                assert self.told.setdefault(row.index, row.row) == row.row
            else:
                assert row.index not in self.told

    def _all_files(self) -> list[FileRow]:
        found: list[FileRow] = []
        cursor = None
        while True:
            page = self.ledger.files(self.id, status=None, cursor=cursor, limit=3)
            found += page.items
            cursor = page.next
            if cursor is None:
                return found

    def teardown(self) -> None:
        """Whatever happened, a reconciler and one worker bring the job to its end."""
        if not hasattr(self, "ledger"):
            return
        for _ in range(60):
            self.clock.advance(LEASE + 1)
            scan = self.ledger.claim_scan(self.id, LEASE)
            if scan is not None:
                self.ledger.finish_scan(self.id, scan.token)
            self.feed(9, True)
            self.sweep(3)
            for chunk_id, _, _ in self.ledger.stale(self.id, published_s_ago=0, limit=9):
                claim = self.ledger.claim_chunk(chunk_id, LEASE)
                if claim is None:
                    self.ledger.split_chunk(chunk_id)
                else:
                    self.ledger.finish_chunk(claim, [Row(Status.DONE, "s")] * len(claim.files))
            self.finish_job()
        assert self.ledger.job(self.id).state.ended
        self.the_law_of_conservation()
        self.every_file_once_and_an_end_is_for_good()


TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
