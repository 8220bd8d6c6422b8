"""Contract of the ledger: jobs, from submission to their pages. On the memory twin and on a real server."""

from __future__ import annotations

import threading

import pytest

from stores.memory import MemoryStores
from stores.mongo import MongoStores
from stores.records import Counts, FileRef, FileRow, JobState, Page, Priority, Reason, Row, Status
from tests.stores.conftest import Bench
from tests.stores.making import BROKEN, claim, done, files, finish, new_job, submit
from workers.errors import BadCursor, IdempotencyReused, NotFound, SubmissionInFlight


def test_a_job_with_a_source_starts_scanning_and_says_what_was_asked(bench: Bench) -> None:
    job, new = bench.ledger.create_job(new_job(priority=Priority.BULK))
    assert new
    assert (job.state, job.priority, job.owner, job.label) == (JobState.SCANNING, Priority.BULK, "ada", "library/drums")
    assert job.source is not None
    assert (job.source.root, job.source.path, job.source.pattern) == ("library", "drums", "**/*")
    assert job.counts == Counts()
    assert job.created_at.tzinfo is not None
    assert bench.ledger.job(job.id) == job


def test_a_manifest_is_received_and_then_accepted(bench: Bench) -> None:
    job, _ = bench.ledger.create_job(new_job(source=False))
    assert job.state is JobState.RECEIVING
    assert bench.ledger.active_jobs() == []
    assert bench.ledger.add_chunk(job.id, 0, 0, files(3))
    accepted = bench.ledger.accept_job(job.id)
    assert (accepted.state, accepted.counts.submitted, accepted.chunks) == (JobState.RUNNING, 3, 1)
    assert bench.ledger.accept_job(job.id).state is JobState.RUNNING
    assert [active.id for active in bench.ledger.active_jobs()] == [job.id]


def test_the_same_key_gives_the_job_of_the_first_request(bench: Bench) -> None:
    asked = new_job(idempotency_key="k1", fingerprint="f1")
    first, new = bench.ledger.create_job(asked)
    again, new_again = bench.ledger.create_job(asked)
    assert (new, new_again, again.id) == (True, False, first.id)


def test_the_same_key_of_another_owner_is_another_job(bench: Bench) -> None:
    ours, _ = bench.ledger.create_job(new_job(idempotency_key="k1", fingerprint="f1"))
    theirs, new = bench.ledger.create_job(new_job("bob", idempotency_key="k1", fingerprint="f2"))
    assert new
    assert theirs.id != ours.id


def test_jobs_without_a_key_are_all_new(bench: Bench) -> None:
    made = {bench.ledger.create_job(new_job())[0].id for _ in range(3)}
    assert len(made) == 3


def test_the_same_key_with_another_request_is_refused(bench: Bench) -> None:
    bench.ledger.create_job(new_job(idempotency_key="k1", fingerprint="f1"))
    with pytest.raises(IdempotencyReused):
        bench.ledger.create_job(new_job(idempotency_key="k1", fingerprint="f2"))


def test_the_same_key_while_the_first_is_being_received_is_refused(bench: Bench) -> None:
    asked = new_job(source=False, idempotency_key="k1", fingerprint="f1")
    first, _ = bench.ledger.create_job(asked)
    with pytest.raises(SubmissionInFlight):
        bench.ledger.create_job(asked)
    bench.ledger.accept_job(first.id)
    assert bench.ledger.create_job(asked)[0].id == first.id


def test_many_requests_with_one_key_at_once_make_one_job(bench: Bench) -> None:
    asked = new_job(idempotency_key="k1", fingerprint="f1")
    made: list[tuple[str, bool]] = []

    def post() -> None:
        job, new = bench.ledger.create_job(asked)
        made.append((job.id, new))

    threads = [threading.Thread(target=post) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert len({job_id for job_id, _ in made}) == 1
    assert sum(new for _, new in made) == 1


def test_a_dropped_job_is_gone_and_its_key_is_free(bench: Bench) -> None:
    asked = new_job(source=False, idempotency_key="k1", fingerprint="f1")
    job, _ = bench.ledger.create_job(asked)
    bench.ledger.add_chunk(job.id, 0, 0, files(2))
    bench.ledger.drop_job(job.id)
    bench.ledger.drop_job(job.id)
    with pytest.raises(NotFound):
        bench.ledger.job(job.id)
    with pytest.raises(NotFound):
        bench.ledger.accept_job(job.id)
    assert bench.ledger.claim_chunk(f"{job.id}:0", 60) is None
    assert bench.ledger.jobs(owner=None, cursor=None, limit=9).items == ()
    assert bench.ledger.create_job(asked)[1]


def test_only_what_is_still_received_can_be_dropped(bench: Bench) -> None:
    job = submit(bench.ledger, [2])
    bench.ledger.drop_job(job.id)
    assert bench.ledger.job(job.id).counts.submitted == 2


def test_a_chunk_for_a_dropped_job_is_refused(bench: Bench) -> None:
    job, _ = bench.ledger.create_job(new_job(source=False))
    bench.ledger.drop_job(job.id)
    with pytest.raises(NotFound):
        bench.ledger.add_chunk(job.id, 0, 0, files(2))
    assert bench.ledger.claim_chunk(f"{job.id}:0", 60) is None


def test_a_submission_whose_gateway_died_is_dropped_after_a_while(bench: Bench) -> None:
    old, _ = bench.ledger.create_job(new_job(source=False, idempotency_key="k1"))
    bench.ledger.add_chunk(old.id, 0, 0, files(2))
    silent, _ = bench.ledger.create_job(new_job(source=False))
    scanned, _ = bench.ledger.create_job(new_job())
    assert bench.ledger.drop_abandoned() == 0
    bench.let_pass(0.3)
    young, _ = bench.ledger.create_job(new_job(source=False))
    assert bench.ledger.drop_abandoned(0.25) == 2
    left = {job.id for job in bench.ledger.jobs(owner=None, cursor=None, limit=9).items}
    assert left == {scanned.id, young.id}
    assert silent.id not in left


def test_a_submission_that_still_brings_chunks_is_not_abandoned(bench: Bench) -> None:
    job, _ = bench.ledger.create_job(new_job(source=False))
    bench.let_pass(0.3)
    bench.ledger.add_chunk(job.id, 0, 0, files(2))
    assert bench.ledger.drop_abandoned(0.25) == 0


def test_a_job_is_shown_to_its_owner_only(bench: Bench) -> None:
    job = submit(bench.ledger, [2], owner="ada")
    assert bench.ledger.job(job.id, owner="ada").id == job.id
    for ask in (bench.ledger.job, bench.ledger.request_cancel):
        with pytest.raises(NotFound):
            ask(job.id, owner="bob")
    assert not bench.ledger.job(job.id).cancel_requested


@pytest.mark.parametrize("job_id", ["", "nothing", "01J\x00", "$where", "a" * 3000])
def test_an_unknown_job_is_not_found(bench: Bench, job_id: str) -> None:
    with pytest.raises(NotFound):
        bench.ledger.job(job_id)
    with pytest.raises(NotFound):
        bench.ledger.files(job_id, status=None, cursor=None, limit=5)


def test_jobs_come_newest_first_in_pages(bench: Bench) -> None:
    made = []
    for owner in ("ada", "bob", "ada", "ada", "bob"):
        made.append(submit(bench.ledger, [1], owner=owner))
        bench.let_pass(0.002)
    for owner in ("ada", "bob", None):
        wanted = [job.id for job in reversed(made) if owner in (None, job.owner)]
        for limit in (1, 2, 5, 9):
            assert [job.id for job in _pages(bench, owner, limit)] == wanted


def _pages(bench: Bench, owner: str | None, limit: int) -> list[object]:
    found, cursor = [], None
    while True:
        page = bench.ledger.jobs(owner=owner, cursor=cursor, limit=limit)
        assert len(page.items) <= limit
        found += page.items
        cursor = page.next
        if cursor is None:
            return found


def test_a_list_of_jobs_has_their_counts(bench: Bench) -> None:
    job = submit(bench.ledger, [2, 3])
    finish(bench.ledger, job, 0)
    listed = bench.ledger.jobs(owner=None, cursor=None, limit=9).items[0]
    assert listed.counts == Counts(submitted=5, pending=3, done=2)


@pytest.mark.parametrize("cursor", ["", "x", "%%%", "bm90IGpzb24", "WzFd", "é", "A" * 5000, "eyJhIjoxfQ"])
def test_a_cursor_that_is_not_ours_is_refused(bench: Bench, cursor: str) -> None:
    job = submit(bench.ledger, [2])
    if not cursor:
        return
    with pytest.raises(BadCursor):
        bench.ledger.files(job.id, status=None, cursor=cursor, limit=5)
    with pytest.raises(BadCursor):
        bench.ledger.jobs(owner=None, cursor=cursor, limit=5)


def test_a_cursor_of_another_question_is_refused(bench: Bench) -> None:
    job = submit(bench.ledger, [3])
    other = submit(bench.ledger, [3])
    cursor = bench.ledger.files(job.id, status=None, cursor=None, limit=1).next
    with pytest.raises(BadCursor):
        bench.ledger.files(other.id, status=None, cursor=cursor, limit=1)
    with pytest.raises(BadCursor):
        bench.ledger.files(job.id, status=Status.DONE, cursor=cursor, limit=1)


ODD = [
    FileRef("library", "a.wav", size=1, mtime_ns=2),
    FileRef("other", "b.wav", size=1, mtime_ns=2),
    FileRef("library", "c\\xff.wav", raw=b"c\xff.wav", size=-1),
    FileRef("library", "naïve 🥁\n.wav", size=2**40, mtime_ns=2**62),
    FileRef("library", "pipe", reason=Reason("not_a_regular_file", "This is not a regular file.")),
    FileRef("", ""),
]
ODD_ENDS = [
    Row(Status.DONE, "id-1"),
    Row(Status.REUSED, "id-2"),
    Row(Status.DUPLICATE, "id-1"),
    Row(Status.SKIPPED, reason=Reason("cancelled", "x")),
    Row(Status.FAILED, reason=BROKEN),
    Row(Status.FAILED, "id-3", Reason("odd", "")),
]


def test_files_and_their_ends_come_back_as_they_were(bench: Bench) -> None:
    job, _ = bench.ledger.create_job(new_job(source=False))
    bench.ledger.add_chunk(job.id, 0, 0, ODD)
    bench.ledger.accept_job(job.id)
    pending = bench.ledger.files(job.id, status=None, cursor=None, limit=50).items
    assert pending == tuple(FileRow(i, file, Row(Status.PENDING)) for i, file in enumerate(ODD))
    held = claim(bench.ledger, job, 0)
    assert held.files == tuple(ODD)
    assert bench.ledger.finish_chunk(held, ODD_ENDS)
    ended = bench.ledger.files(job.id, status=None, cursor=None, limit=50).items
    assert [row.row for row in ended] == ODD_ENDS
    assert [row.file for row in ended] == ODD
    assert bench.ledger.job(job.id).counts == Counts(6, 0, 1, 1, 1, 1, 2)


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_files_come_in_the_order_submitted_with_every_page_size(bench: Bench, limit: int) -> None:
    job = submit(bench.ledger, [3, 1, 4, 2])
    finish(bench.ledger, job, 1)
    bench.ledger.split_chunk(f"{job.id}:2")
    part = claim(bench.ledger, job, 2, part=3)
    bench.ledger.finish_chunk(part, [Row(Status.FAILED, reason=BROKEN)])
    found, cursor, pages = [], None, 0
    while True:
        page = bench.ledger.files(job.id, status=None, cursor=cursor, limit=limit)
        assert len(page.items) <= limit
        found += page.items
        cursor, pages = page.next, pages + 1
        if cursor is None:
            break
    assert [row.index for row in found] == list(range(10))
    assert [row.file for row in found] == files(10)
    assert {row.index: row.row.status for row in found if row.row.status is not Status.PENDING} == {
        3: "done",
        6: "failed",
    }
    assert pages == -(-10 // limit)


def test_files_are_filtered_by_status(bench: Bench) -> None:
    job = submit(bench.ledger, [3, 3, 3])
    ends = [Row(Status.DONE, "a"), Row(Status.FAILED, reason=BROKEN), Row(Status.DUPLICATE, "a")]
    finish(bench.ledger, job, 0, ends)
    finish(bench.ledger, job, 2, ends)
    wanted = {Status.DONE: [0, 6], Status.FAILED: [1, 7], Status.DUPLICATE: [2, 8], Status.PENDING: [3, 4, 5]}
    for status in Status:
        for limit in (1, 100):
            assert _indexes(bench, job.id, status, limit) == wanted.get(status, [])


def _indexes(bench: Bench, job_id: str, status: Status, limit: int) -> list[int]:
    found: list[int] = []
    cursor: str | None = None
    while True:
        page: Page[FileRow] = bench.ledger.files(job_id, status=status, cursor=cursor, limit=limit)
        assert all(row.row.status is status for row in page.items)
        found += [row.index for row in page.items]
        cursor = page.next
        if cursor is None:
            return found


def test_a_page_looks_at_a_bounded_number_of_chunks() -> None:
    stores = MemoryStores()
    job = submit(stores.ledger, [1] * 450)
    finish(stores.ledger, job, 449, [Row(Status.FAILED, reason=BROKEN)])
    pages, cursor = [], None
    while True:
        page = stores.ledger.files(job.id, status=Status.FAILED, cursor=cursor, limit=10)
        pages.append([row.index for row in page.items])
        cursor = page.next
        if cursor is None:
            break
    assert pages == [[], [], [449]]


def test_an_ended_job_cannot_be_cancelled(bench: Bench) -> None:
    job = submit(bench.ledger, [1])
    finish(bench.ledger, job, 0)
    assert bench.ledger.finish_job(job.id) is JobState.COMPLETE
    after = bench.ledger.request_cancel(job.id)
    assert (after.state, after.cancel_requested) == (JobState.COMPLETE, False)


def test_a_worker_learns_of_a_cancelled_job(bench: Bench) -> None:
    job = submit(bench.ledger, [1, 1])
    held = claim(bench.ledger, job, 0)
    assert not held.cancelled
    assert bench.ledger.look_at(held) == (True, False)
    assert bench.ledger.request_cancel(job.id).cancel_requested
    assert bench.ledger.look_at(held) == (True, True)
    assert claim(bench.ledger, job, 1).cancelled
    assert bench.ledger.finish_chunk(held, done(1))


@pytest.mark.integration
def test_cancelling_a_job_that_nobody_scans_is_one_write_and_reading_it_one_question(
    mongo: MongoStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = mongo.ledger
    job, _ = ledger.create_job(new_job())
    written: list[object] = []
    really = ledger._jobs.update_one
    monkeypatch.setattr(ledger._jobs, "update_one", lambda *given: (written.append(given), really(*given))[1])
    assert ledger.request_cancel(job.id).state is JobState.RUNNING
    assert len(written) == 1
    monkeypatch.setattr(ledger, "_listed_chunks", None)
    assert ledger.job(job.id).cancel_requested, "a job without chunks has none to ask for"
    assert ledger.finish_job(job.id) is JobState.CANCELLED
