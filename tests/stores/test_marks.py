"""Contract of the marks: what owners say of sounds themselves. On the twin and on a real server."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stores import marks as marks_module
from stores.memory import marks as memory_marks_module
from stores.records import Among, Mark, Order, SampleFilter, Sort
from tests.stores.conftest import Bench
from tests.stores.making import sample
from workers.errors import TooManyMarks

DUSTY = Mark(("dusty", "album"), favourite=True)
SLOW = Mark(bpm=60.0, key="F minor")
A, B, C = (sample(n).id for n in (1, 2, 3))
EVERYTHING = SampleFilter()


def test_what_was_said_comes_back_and_the_last_word_counts(bench: Bench) -> None:
    marks = bench.stores.marks
    marks.put("ada", A, SLOW)
    marks.put("ada", A, DUSTY)
    marks.put("ada", B, SLOW)
    assert marks.of("ada", [A, B, C]) == {A: DUSTY, B: SLOW}
    assert marks.find("ada") == {A: DUSTY, B: SLOW}
    marks.put("ada", A, Mark())
    marks.put("ada", C, Mark())
    assert marks.find("ada") == {B: SLOW}


def test_each_owner_has_their_own(bench: Bench) -> None:
    marks = bench.stores.marks
    marks.put("ada", A, DUSTY)
    marks.put("ada:b", A, SLOW)
    assert marks.of("bob", [A]) == {}
    assert marks.of("ada:b", [A]) == {A: SLOW}
    assert marks.tags("ada:b") == {}


def test_it_belongs_to_the_content_whichever_analyser_looked(bench: Bench) -> None:
    bench.stores.marks.put("ada", A, DUSTY)
    newer = A.replace("-1.0.0-", "-2.0.0-")
    assert bench.stores.marks.of("ada", [newer]) == {newer: DUSTY}


def test_marks_are_found_by_tag_star_and_correction(bench: Bench) -> None:
    marks = bench.stores.marks
    for each, mark in ((A, DUSTY), (B, SLOW), (C, Mark(("dusty",)))):
        marks.put("ada", each, mark)
    assert set(marks.find("ada", tags=("dusty",))) == {A, C}
    assert set(marks.find("ada", tags=("album", "none"))) == {A}
    assert set(marks.find("ada", favourite=True)) == {A}
    assert set(marks.find("ada", corrects=True)) == {B}
    assert set(marks.find("ada", tags=("dusty",), corrects=True)) == set()
    assert list(marks.tags("ada").items()) == [("dusty", 2), ("album", 1)]


def test_there_is_an_end_to_them(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (marks_module, memory_marks_module):
        monkeypatch.setattr(module, "MOST", 2)
    marks = bench.stores.marks
    for each in (A, B):
        marks.put("ada", each, DUSTY)
    with pytest.raises(TooManyMarks, match="2"):
        marks.put("ada", C, DUSTY)
    marks.put("ada", A, SLOW)  # one that is there can change
    marks.put("bob", C, DUSTY)


def test_samples_are_listed_among_ids(bench: Bench) -> None:
    samples = [sample(n, bpm=100.0 + n) for n in range(1, 9)]
    bench.samples.insert(samples)
    ids = [each.id for each in samples]
    where = SampleFilter(bpm=(104, 200))  # 4 to 8
    among = Among(but=(ids[4], ids[0]), also=(ids[0], ids[1]))
    wanted = {ids[0], ids[1], *ids[3:]} - {ids[4]}

    def listed(where: SampleFilter, among: Among | None, sort: Sort | None = None) -> list[str]:
        page = bench.samples.page(where, cursor=None, limit=50, sort=sort, among=among)
        return [each.id for each in page.items]

    assert set(listed(where, among)) == wanted
    assert set(listed(where, among, Sort(Order.BPM))) == wanted
    assert bench.samples.facets(where, among).total == len(wanted)
    assert listed(where, replace(among, only=(ids[0], ids[7], ids[4]))) == sorted([ids[0], ids[7]])
    assert listed(EVERYTHING, Among(only=())) == []
    first = bench.samples.page(where, cursor=None, limit=2, among=among)
    rest = bench.samples.page(where, cursor=first.next, limit=9, among=among)
    assert {each.id for each in (*first.items, *rest.items)} == wanted


def test_the_current_sample_of_a_content_is_found_by_an_older_id(bench: Bench) -> None:
    old = sample(1)
    new = replace(old, id=old.id.replace("-1.0.0-", "-2.0.0-"), analyzer="2.0.0")
    bench.samples.insert([old, sample(2)])
    bench.samples.insert([new])
    assert {asked: found.id for asked, found in bench.samples.current([old.id, sample(2).id, C]).items()} == {
        old.id: new.id,
        sample(2).id: sample(2).id,
    }
    assert bench.samples.current([old.id], owner="bob") == {}
