"""Listings that are sorted, and how many samples have which value: the same from the server and from its twin."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from pymongo.collection import Collection

from stores import facets, sorts
from stores.descriptors import DESCRIPTORS
from stores.filters import at
from stores.mongo import MongoStores
from stores.records import Among, NewSample, Order, SampleFilter, Sort
from stores.sorts import FIELDS
from tests.stores.conftest import Bench
from tests.stores.making import sample
from tests.workers.analysis.sounds import drum_loop, info_of
from workers.analysis import analyze
from workers.audio.hints import Hints
from workers.errors import BadCursor, BadFilter

EVERYTHING = SampleFilter()


def made(count: int) -> list[NewSample]:
    rng = random.Random(11)
    samples = []
    for n in range(count):
        bpm = rng.choice([None, 120.0, round(rng.uniform(30, 300), 2)])
        new = sample(n, bpm=bpm, duration_s=round(rng.lognormvariate(0, 2), 3), kind=rng.choice(["loop", "track"]))
        loudness = {"integrated_lufs": rng.choice([None, round(rng.uniform(-80, 3), 2)])}
        object.__setattr__(new, "analysis", {**new.analysis, "loudness": loudness})
        samples.append(new)
    return samples


def pages(bench: Bench, where: SampleFilter, sort: Sort, limit: int) -> list[str]:
    found: list[str] = []
    cursor = None
    while True:
        page = bench.samples.page(where, cursor=cursor, limit=limit, sort=sort)
        assert len(page.items) == limit or page.next is None
        found += [each.id for each in page.items]
        cursor = page.next
        if cursor is None:
            return found


def wanted(samples: Sequence[NewSample], path: str, *, descending: bool) -> list[str]:
    def value(new: NewSample) -> Any:
        return at(new.analysis, path)

    by_id = sorted(samples, key=lambda new: new.id)
    known = sorted((new for new in by_id if value(new) is not None), key=value, reverse=descending)
    return [new.id for new in [*known, *(new for new in by_id if value(new) is None)]]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("by", [Order.BPM, Order.DURATION, Order.LOUDNESS])
def test_each_sample_is_listed_once_and_in_its_order(bench: Bench, by: Order, descending: bool) -> None:
    samples = made(150)
    bench.samples.insert(samples)
    path = FIELDS[by].removeprefix("analysis.")
    order = wanted(samples, path, descending=descending)
    for limit in (7, 50, 150, 1000):
        assert pages(bench, EVERYTHING, Sort(by, descending), limit) == order
    loops = [new for new in samples if new.analysis["kind"]["label"] == "loop"]
    where = SampleFilter(kind="loop")
    assert pages(bench, where, Sort(by, descending), 9) == wanted(loops, path, descending=descending)


@pytest.mark.parametrize("descending", [False, True])
def test_a_range_of_what_is_sorted_by_leaves_out_what_has_none(bench: Bench, descending: bool) -> None:
    samples = made(120)
    bench.samples.insert(samples)
    within = [new for new in samples if new.analysis["tempo"]["bpm"] and 90 <= new.analysis["tempo"]["bpm"] <= 120]
    found = pages(bench, SampleFilter(bpm=(90, 120)), Sort(Order.BPM, descending), 10)
    assert found == wanted(within, "tempo.bpm", descending=descending)


def test_what_came_last_is_listed_first(bench: Bench) -> None:
    batches = [made(40)[n::4] for n in range(4)]
    for batch in batches:
        bench.samples.insert(batch)
        bench.let_pass(0.01)
    newest = pages(bench, EVERYTHING, Sort(Order.ADDED, descending=True), 7)
    assert [set(newest[n * 10 : n * 10 + 10]) for n in range(4)] == [{new.id for new in each} for each in batches[::-1]]
    oldest = pages(bench, EVERYTHING, Sort(Order.ADDED), 7)
    assert [set(oldest[n * 10 : n * 10 + 10]) for n in range(4)] == [{new.id for new in each} for each in batches]


def test_a_cursor_is_good_for_its_own_order_only(bench: Bench) -> None:
    bench.samples.insert(made(20))
    cursor = bench.samples.page(EVERYTHING, cursor=None, limit=3, sort=Sort(Order.BPM)).next
    assert cursor is not None
    for wrong in (None, Sort(Order.BPM, descending=True), Sort(Order.DURATION)):
        with pytest.raises(BadCursor):
            bench.samples.page(EVERYTHING, cursor=cursor, limit=3, sort=wrong)


@pytest.mark.parametrize("by", [Order.ADDED, Order.BPM])
@pytest.mark.parametrize("value", ["2026-01-01T00:00:00", "nan", "inf", "1e999", "soon"])
def test_a_cursor_that_we_did_not_make_is_refused(bench: Bench, by: Order, value: str) -> None:
    bench.samples.insert(made(20))
    sort = Sort(by)
    forged = sorts.cursor(("samples", EVERYTHING, sort), sorts.Place(value, sample(1).id))
    with pytest.raises(BadCursor):
        bench.samples.page(EVERYTHING, cursor=forged, limit=3, sort=sort)


def test_a_sample_that_another_analyser_replaced_is_neither_listed_nor_counted(bench: Bench) -> None:
    old = sample(1, bpm=100.0)
    new = replace(old, id=old.id.replace("-1.0.0-", "-2.0.0-"), analyzer="2.0.0")
    bench.samples.insert([old])
    bench.samples.insert([new])
    assert pages(bench, EVERYTHING, Sort(Order.BPM), 5) == [new.id]
    assert bench.samples.facets(EVERYTHING).total == 1


def test_counts_are_of_what_matches(bench: Bench) -> None:
    bench.samples.insert(
        [
            sample(1, bpm=119.99, key="C minor", kind="loop", defects=["clipping", "dc_offset"]),
            sample(2, bpm=120.0, key="C minor", kind="loop"),
            sample(3, bpm=None, key=None, kind="one-shot", defects=["clipping", "clipping"]),
            sample(4, bpm=124.0, key="A# major", kind="track", owner="bob"),
        ]
    )
    said = bench.samples.facets(EVERYTHING)
    assert said.total == 4
    assert said.counts["kind"] == {"loop": 2, "one-shot": 1, "track": 1}
    assert said.counts["key"] == {"C minor": 2, "A# major": 1}
    assert said.counts["tempo"] == {"110": 1, "120": 2}
    assert said.counts["defect"] == {"clipping": 2, "dc_offset": 1}
    assert said.counts["instrument"] == {}
    theirs = bench.samples.facets(SampleFilter(owner="bob", kind=("loop", "track")))
    assert (theirs.total, theirs.counts["tempo"], theirs.counts["defect"]) == (1, {"120": 1}, {})


def test_any_of_several_values_and_any_number_can_be_asked_for(bench: Bench) -> None:
    bench.samples.insert(
        [
            sample(1, bpm=60.0, key="C minor", note="A4"),
            sample(2, bpm=121.0, key="A# major", note="C2"),
            sample(3, bpm=240.0, key="F minor", note=None, kind="track", defects=["clipping"]),
            sample(4, bpm=90.0, key=None, note="B1", kind="track", defects=["dc_offset"]),
        ]
    )

    def found(**where: Any) -> list[int]:
        page = bench.samples.page(SampleFilter(**where), cursor=None, limit=10)
        return sorted(n for n in range(1, 5) for each in page.items if each.id == sample(n).id)

    assert found(key=("C minor", "F minor")) == [1, 3]
    assert found(note=("A", "B1")) == [1, 4]
    assert found(defect=("clipping", "dc_offset")) == [3, 4]
    assert found(bpm=(118, 122)) == [2]
    assert found(bpm=(118, 122), bpm_octaves=True) == [1, 2, 3]
    assert found(bpm=(None, 45), bpm_octaves=True) == [1, 4]
    assert found(numbers=(("spectrum.centroid_hz", (1234.5, None)),)) == [1, 2, 3, 4]
    assert found(numbers=(("spectrum.centroid_hz", (None, 1234)),)) == []
    assert found(numbers=(("kind.confidence", (0.9, 1)), ("key.confidence", (0.81, None)))) == []


@pytest.mark.parametrize(
    "where",
    [
        SampleFilter(numbers=(("spectrum.$where", (0, 1)),)),
        SampleFilter(numbers=(("loudness.rms_dbfs", (1, 0)),)),
        SampleFilter(numbers=(("loudness.rms_dbfs", (float("nan"), None)),)),
        SampleFilter(kind=("loop", "noise")),
        SampleFilter(kind=()),
        SampleFilter(note=("A4", ".*")),
        SampleFilter(instrument="kazoo"),
        SampleFilter(key=("C minor",) * 51),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(bench: Bench, where: SampleFilter) -> None:
    for ask in (
        lambda: bench.samples.facets(where),
        lambda: bench.samples.page(where, cursor=None, limit=1, sort=Sort(Order.BPM)),
    ):
        with pytest.raises(BadFilter):
            ask()


def test_every_number_of_an_analysis_can_be_asked_for() -> None:
    y = drum_loop(120.0)
    said = analyze(y, info_of(y), Hints()).to_dict()
    numbers = {
        f"{section}.{name}"
        for section, values in said.items()
        if isinstance(values, dict)
        for name, value in values.items()
        if isinstance(value, int | float)
    }
    asked_otherwise = {"tempo.bpm", "audio.duration_s", "audio.analyzed_s", "audio.frames"}
    assert numbers - asked_otherwise <= DESCRIPTORS.keys()
    assert all(place.split(".")[1] in said[place.split(".")[0]] for place in DESCRIPTORS)


def test_counts_that_were_taken_are_told_again_until_there_are_more_samples(
    mongo: MongoStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = mongo.samples
    samples.insert(made(20))
    everything, loops = samples.facets(EVERYTHING), samples.facets(SampleFilter(kind="loop"))
    taken: list[object] = []
    count = facets.count
    monkeypatch.setattr(facets, "count", lambda *asked: taken.append(asked) or count(*asked))
    assert (samples.facets(EVERYTHING), samples.facets(SampleFilter(kind="loop"))) == (everything, loops)
    assert taken == []
    samples.facets(SampleFilter(owner="ada"))
    samples.facets(SampleFilter(text="kick"))
    samples.facets(EVERYTHING, Among(only=(sample(1).id,)))
    assert len(taken) == 3
    samples.insert([sample(99, kind="track")])
    assert samples.facets(EVERYTHING).total == everything.total + 1
    newer = replace(sample(99), id=sample(99).id.replace("-1.0.0-", "-1.1.0-"), analyzer="1.1.0")
    samples.insert([newer])
    for _ in range(2):
        assert samples.facets(EVERYTHING).total == everything.total + 1
    assert len(taken) == 6


def test_a_step_of_a_sorted_listing_reads_about_a_page_of_any_library(
    mongo: MongoStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    mongo.samples.insert([sample(n, bpm=None if n % 2 else 100 + n / 1000, duration_s=2.0) for n in range(600)])
    monkeypatch.setattr(sorts, "_LOOKED_AT", 60)
    widths = []
    matched = Collection.aggregate

    def counted(self: Any, stages: list[dict[str, Any]], *more: Any, **options: Any) -> Any:
        if any("$sort" in stage for stage in stages):
            widths.append(self.count_documents(stages[0]["$match"]))
        return matched(self, stages, *more, **options)

    monkeypatch.setattr(Collection, "aggregate", counted)
    for descending in (False, True):
        page = mongo.samples.page(EVERYTHING, cursor=None, limit=10, sort=Sort(Order.BPM, descending))
        assert len(page.items) == 10
    assert max(widths) <= 120
