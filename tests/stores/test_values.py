"""The parts of the stores that need no server: ids, cursors, ranges, documents, counting."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores import cursor as cursors
from stores import outcome
from stores.documents import new_chunk, pack_file, pack_row, rows_of, unpack_file, unpack_row
from stores.identity import ChunkId, created_s, new_job_id
from stores.idranges import Spans, walk
from stores.memory import MemoryVectors
from stores.records import Counts, FileRef, JobState, PendingVector, Reason, Row, Status
from stores.thrift import ThriftyCount
from tests.stores.making import BROKEN, sample
from workers.errors import BadCursor, VectorIndexBroken

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
reasons = st.none() | st.builds(Reason, texts, texts)
refs = st.builds(
    FileRef,
    root=texts,
    path=texts,
    raw=st.none() | st.binary(max_size=9),
    size=st.integers(-1, 2**62),
    mtime_ns=st.integers(-(2**62), 2**62),
    reason=reasons,
)
ends = st.builds(Row, st.sampled_from([s for s in Status if s is not Status.PENDING]), st.none() | texts, reasons)


@given(refs, st.none() | texts)
def test_a_file_is_written_down_without_loss(file: FileRef, root: str | None) -> None:
    assert unpack_file(pack_file(file, root), root) == file


@given(ends)
def test_an_end_is_written_down_without_loss(row: Row) -> None:
    assert unpack_row(pack_row(row)) == row


def test_a_common_file_and_a_common_end_take_no_more_than_they_must() -> None:
    assert pack_file(FileRef("library", "a.wav", size=3, mtime_ns=4), "library") == ["a.wav", 3, 4]
    assert pack_row(Row(Status.DONE, "id")) == ["done", "id"]
    assert pack_row(Row(Status.DONE)) == ["done"]


@given(st.lists(refs, min_size=1, max_size=5))
def test_a_new_chunk_shows_its_files_as_pending(files: list[FileRef]) -> None:
    rows = rows_of(new_chunk(ChunkId("J", 3), 10, files))
    assert [row.file for row in rows] == files
    assert [row.index for row in rows] == list(range(10, 10 + len(files)))
    assert {row.row.status for row in rows} == {Status.PENDING}


def test_job_ids_are_ulids_that_sort_by_time() -> None:
    ids = [new_job_id(1_700_000_000 + i * 0.001) for i in range(50)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 50
    assert all(re.fullmatch(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", one) for one in ids)
    assert created_s(ids[7], 2e9) == pytest.approx(1_700_000_000.007)
    assert created_s("no id", 5.0) == 5.0


@given(st.integers(0, 10**9), st.integers(0, 10**6))
def test_chunk_ids_are_read_as_they_are_written(n: int, part: int) -> None:
    chunk = ChunkId("01J", n, part)
    assert ChunkId.parse(str(chunk)) == chunk


@given(st.text(max_size=30))
def test_no_text_breaks_the_reading_of_a_chunk_id(text: str) -> None:
    chunk = ChunkId.parse(text)
    assert chunk is None or str(chunk) == text


@given(st.text(max_size=40))
def test_no_text_breaks_the_reading_of_a_cursor(text: str) -> None:
    with pytest.raises(BadCursor):
        cursors.read("question", text, (str,))


@given(texts, st.integers(0, 2**50))
def test_a_cursor_is_read_as_it_was_written(text: str, number: int) -> None:
    cursor = cursors.write("q", (text, number))
    assert re.fullmatch(r"[A-Za-z0-9_-]+", cursor)
    assert cursors.read("q", cursor, (str, int)) == [text, number]
    for question, kinds in (("p", (str, int)), ("q", (int, str)), ("q", (str,))):
        with pytest.raises(BadCursor):
            cursors.read(question, cursor, kinds)


@given(
    st.lists(st.text("0123456789abcdefABz-!é", max_size=12), max_size=30),
    st.text("0123456789abcdefABz-!é", max_size=12),
    st.sampled_from([1.0, 1 / 4, 1 / 1024, 1 / 65536]),
)
def test_ranges_cover_every_id_behind_the_start_once_and_in_order(ids: list[str], after: str, first: float) -> None:
    found: list[str] = []
    for window, part in walk(after, first):
        assert 0 < part <= 1
        found += sorted(
            one
            for one in set(ids)
            if one > window.get("$gt", "") and one >= window.get("$gte", "") and one < window.get("$lt", "\U0010ffff")
        )
    assert found == sorted(one for one in set(ids) if one > after and one)


def test_ranges_of_hashes_hold_about_the_part_they_say() -> None:
    rng = random.Random(3)
    ids = [f"{rng.getrandbits(256):064x}" for _ in range(20000)]
    (window, part), *_ = walk("80000000", 1 / 64)
    inside = sum(window["$gt"] < one < window["$lt"] for one in ids)
    assert inside / 20000 == pytest.approx(part, rel=0.3)


def test_a_range_learned_from_one_page_holds_the_next_and_not_much_more() -> None:
    rng = random.Random(3)
    ids = sorted(f"{rng.getrandbits(256):064x}" for _ in range(5000))
    spans, held = Spans(1 / 1024), []
    for after in ["", *ids[::100]]:
        behind = [one for one in ids if one > after]
        (window, _), *_ = walk(after, spans.first("all", 21))
        held.append(sum(one < window.get("$lt", "g") for one in behind))
        whole = len(behind) >= 21
        spans.learn("all", min(21, len(behind)), after, behind[20] if whole else None)
    assert held[0] < 21, "nothing is known before the first page"
    assert sum(21 <= count <= 63 for count in held[1:-1]) >= 40, held


def test_what_is_learned_of_one_question_says_nothing_of_another_and_is_forgotten_in_the_end() -> None:
    spans = Spans(1 / 1024)
    spans.learn("none", 0, "", None)
    spans.learn("of another shape", 5, "a-1", "b-2")
    assert (spans.first("none", 21), spans.first("of another shape", 21), spans.first("all", 21)) == (
        1,
        1 / 1024,
        1 / 1024,
    )
    for n in range(300):
        spans.learn(n, 5, "", None)
    assert spans.first("none", 21) == 1 / 1024


def test_counts_keep_the_conservation_law() -> None:
    tally = outcome.tally([Row(Status.DONE), Row(Status.DONE), Row(Status.FAILED, reason=BROKEN)])
    assert tally == {"done": 2, "failed": 1}
    assert outcome.counts(5, outcome.add([tally, {"reused": 1}])) == Counts(5, 1, 2, 1, 0, 0, 1)


def test_the_end_of_a_job_says_the_strongest_of_its_reasons() -> None:
    assert outcome.end_state(cancelled=False, reason=None) is JobState.COMPLETE
    assert outcome.end_state(cancelled=False, reason=BROKEN) is JobState.FAILED
    assert outcome.end_state(cancelled=True, reason=BROKEN) is JobState.CANCELLED


def test_a_cheap_count_is_always_fresh() -> None:
    numbers = iter(range(9))
    count = ThriftyCount()
    assert [count.get("a", lambda: next(numbers)) for _ in range(3)] == [0, 1, 2]


def test_a_dear_count_is_remembered_until_another_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("stores.thrift.time.monotonic", lambda: now[0])
    numbers = iter(range(9))

    def take() -> int:
        now[0] += 1.0
        return next(numbers)

    count = ThriftyCount(rest=20)
    assert [count.get("a", take) for _ in range(3)] == [0, 0, 0]
    assert count.get("b", take) == 1
    now[0] += 21
    assert count.get("b", take) == 2


def vector(*values: float) -> bytes:
    import struct

    return struct.pack(f"<{len(values)}f", *values)


def test_the_twin_of_the_index_finds_the_nearest_first_and_filters() -> None:
    index = MemoryVectors()
    with pytest.raises(VectorIndexBroken):
        index.probe()
    index.open(1)
    index.upsert(
        [
            PendingVector("a", vector(1, 0), {"bpm": 100.0, "kind": "loop"}),
            PendingVector("b", vector(1, 1), {"bpm": 120.0, "kind": "loop"}),
            PendingVector("c", vector(-1, 0), {"kind": "one-shot"}),
        ]
    )
    assert index.probe() == 3

    def found(where: dict[str, object] | None = None, limit: int = 9) -> list[str]:
        return [hit.id for hit in index.query(vector(2, 0), limit=limit, where=where)]

    assert found() == ["a", "b", "c"]
    assert found(limit=1) == ["a"]
    assert index.query(vector(2, 0), limit=1)[0].score == pytest.approx(1.0)
    assert found({"bpm": {"$gte": 110}}) == ["b"]
    assert found({"$and": [{"kind": "loop"}, {"bpm": {"$lt": 110}}]}) == ["a"]
    assert found({"$or": [{"kind": {"$in": ["one-shot"]}}, {"bpm": {"$gt": 110}}]}) == ["b", "c"]
    assert found({"kind": {"$ne": "loop"}}) == ["c"]
    index.open(1)
    assert index.probe() == 3
    index.broken = True
    with pytest.raises(VectorIndexBroken):
        index.query(vector(1, 0), limit=1)
    index.open(2)
    assert index.probe() == 0


def test_a_sample_for_tests_has_a_vector_of_the_right_length() -> None:
    assert len(sample(1).vector) == 512
