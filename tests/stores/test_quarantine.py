"""Contract of the ledger: what failed is kept by its cause, page by page, until another job tries it again."""

from __future__ import annotations

import pytest

from stores.records import Death, FailedFile, Reason, Row, Status
from tests.stores.conftest import LONG, Bench
from tests.stores.making import BROKEN, claim, done, submit
from workers.errors import BadCursor, NotFound

DEADLY = Reason("killed_worker", "It took a worker down.")


def ended(bench: Bench, *chunks: list[Row], owner: str = "ada") -> str:
    """A job of chunks that ended so."""
    job = submit(bench.ledger, [len(rows) for rows in chunks], owner=owner)
    for n, rows in enumerate(chunks):
        assert bench.ledger.finish_chunk(claim(bench.ledger, job, n), rows)
    return job.id


def bad(reason: Reason = BROKEN) -> Row:
    return Row(Status.FAILED, reason=reason)


def listed(bench: Bench, *, owner: str | None = "ada", cause: str | None = None, limit: int = 100) -> list[FailedFile]:
    """Every failed file, over all pages."""
    found: list[FailedFile] = []
    cursor = None
    while True:
        page = bench.ledger.failures(owner=owner, cause=cause, cursor=cursor, limit=limit)
        found += page.items
        cursor = page.next
        if cursor is None:
            return found


def causes(bench: Bench, owner: str | None = "ada") -> dict[str, int]:
    return {cause.code: cause.count for cause in bench.ledger.causes(owner=owner)}


def test_only_what_failed_is_in_quarantine_with_its_file_and_reason(bench: Bench) -> None:
    job = ended(bench, [*done(2), bad()], done(2), [bad(DEADLY)])
    first, second = listed(bench)
    assert (first.job_id, first.index, first.file.path, first.reason) == (job, 2, "drums/kick 00002.wav", BROKEN)
    assert (second.index, second.reason, second.attempts) == (5, DEADLY, 1)
    assert [(cause.code, cause.count) for cause in bench.ledger.causes(owner="ada")] == [
        ("decode_failed", 1),
        ("killed_worker", 1),
    ]
    assert bench.ledger.causes(owner="ada")[0].message == "The audio is damaged and could not be decoded."
    assert bench.ledger.failure(first.id, owner="ada") == first


def test_each_owner_sees_their_own_and_the_admin_all(bench: Bench) -> None:
    ended(bench, [bad()])
    ended(bench, [bad(DEADLY)], owner="bob")
    (mine,) = listed(bench)
    assert mine.reason == BROKEN
    assert causes(bench, "bob") == {"killed_worker": 1}
    assert causes(bench, None) == {"decode_failed": 1, "killed_worker": 1}
    assert len(listed(bench, owner=None)) == 2
    with pytest.raises(NotFound):
        bench.ledger.failure(mine.id, owner="bob")


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_pages_meet_without_a_gap(bench: Bench, limit: int) -> None:
    older = ended(bench, [bad(), *done(1), bad(DEADLY)], [bad()] * 3)
    newer = ended(bench, [bad(DEADLY), bad()])
    every = [(newer, 0), (newer, 1), (older, 0), (older, 2), (older, 3), (older, 4), (older, 5)]
    assert sorted((file.job_id, file.index) for file in listed(bench, limit=limit)) == sorted(every)
    found = listed(bench, cause="killed_worker", limit=limit)
    assert {(file.job_id, file.index) for file in found} == {(newer, 0), (older, 2)}
    assert len({file.id for file in listed(bench, limit=limit)}) == 7


def test_a_cursor_is_good_for_its_own_question_only(bench: Bench) -> None:
    ended(bench, [bad()] * 3)
    page = bench.ledger.failures(owner="ada", cause=None, cursor=None, limit=1)
    for asked in ({"owner": "bob", "cause": None}, {"owner": "ada", "cause": "decode_failed"}):
        with pytest.raises(BadCursor):
            bench.ledger.failures(**asked, cursor=page.next, limit=1)  # type: ignore[arg-type]


def test_what_is_tried_again_is_out_of_it_and_the_rest_stays(bench: Bench) -> None:
    ended(bench, [bad(), bad(DEADLY), bad()])
    first, second, third = listed(bench)
    for _ in range(2):  # an answer that was lost
        bench.ledger.release([first.id], "another-job")
    assert listed(bench) == [second, third]
    assert causes(bench) == {"decode_failed": 1, "killed_worker": 1}
    with pytest.raises(NotFound):
        bench.ledger.failure(first.id, owner="ada")
    bench.ledger.release([second.id, third.id], "another-job")
    assert listed(bench) == []
    assert causes(bench) == {}


def test_parts_of_a_split_chunk_and_deaths_are_told(bench: Bench) -> None:
    job = submit(bench.ledger, [2])
    claim(bench.ledger, job, 0)
    held = bench.ledger.claim_chunk(f"{job.id}:0", 0.001, dead=lambda: 1)
    assert held is not None
    for attempt in (1, 2, 3):
        bench.ledger.note_death(held, attempt, Death(1, "ended by SIGSEGV"))
    bench.let_pass(0.05)
    whole = bench.ledger.claim_chunk(f"{job.id}:0", LONG)
    assert whole is not None
    assert bench.ledger.finish_chunk(whole, [*done(1), bad(DEADLY)])
    (killer,) = listed(bench)
    assert (killer.attempts, killer.died_of) == (3, ("ended by SIGSEGV",) * 3)
    split = submit(bench.ledger, [2])
    parts = bench.ledger.split_chunk(f"{split.id}:0")
    assert bench.ledger.fail_chunk(parts[1], DEADLY)
    assert [(file.job_id, file.index) for file in listed(bench)][:1] in ([(split.id, 1)], [(job.id, 1)])
    assert len(listed(bench)) == 2


@pytest.mark.parametrize("said", ["", "x", "a.b.c.d", "a.1.2", "a.1.2.3", "a.1.2.-3", "é.0.0.0", "x" * 300])
def test_ids_of_nobody_find_nothing(bench: Bench, said: str) -> None:
    with pytest.raises(NotFound):
        bench.ledger.failure(said, owner=None)
