"""Contract of the samples: one analysis for each content, pages of what matches. On the twin and on a real server."""

from __future__ import annotations

import math
import random
import threading
from dataclasses import replace

import pytest

from stores.mongo import MongoStores
from stores.records import FileRef, Origin, SampleFilter
from tests.stores.conftest import Bench
from tests.stores.making import sample
from workers.errors import BadCursor, BadFilter, NotFound


def test_a_sample_comes_back_as_it_was(bench: Bench) -> None:
    new = sample(1, defects=["clipping"], note="A4")
    assert bench.samples.insert([new]) == {new.id: Origin("J", 1)}
    kept = bench.samples.get(new.id)
    assert (kept.id, kept.content, kept.analyzer) == (new.id, new.content, "1.0.0")
    assert kept.analysis["tempo"] == new.analysis["tempo"]
    assert kept.analysis["spectrum"] == {"centroid_hz": 1234.5, "bands": [0.1, 0.2]}
    assert kept.analysis["defects"] == [{"code": "clipping", "message": "clipping"}]
    assert list(kept.analysis) == list(new.analysis)
    assert kept.files == (new.file,)
    assert kept.created_at.tzinfo is not None
    assert bench.samples.preview(new.id) == (new.peaks, new.mel)
    assert bench.samples.vectors([new.id, "no"]) == {new.id: new.vector}
    assert bench.samples.many([new.id, "no"]) == {new.id: kept}


def test_of_the_same_content_the_older_stays(bench: Bench) -> None:
    first, second = sample(1, bpm=120, job="J"), sample(1, bpm=99, job="K")
    other = sample(2, job="K")
    bench.samples.insert([first])
    assert bench.samples.insert([second, other]) == {first.id: Origin("J", 1), other.id: Origin("K", 2)}
    assert bench.samples.insert([second, other]) == {first.id: Origin("J", 1), other.id: Origin("K", 2)}
    assert bench.samples.get(first.id).analysis["tempo"]["bpm"] == 120
    assert bench.samples.insert([]) == {}


def test_the_same_content_twice_in_one_write_is_kept_once(bench: Bench) -> None:
    new = sample(1)
    again = replace(new, origin=Origin("J", 7))
    assert bench.samples.insert([new, again]) == {new.id: Origin("J", 1)}
    assert bench.samples.count() == 1


def test_workers_that_meet_on_one_content_agree_on_its_origin(bench: Bench) -> None:
    said: list[dict[str, Origin]] = []

    def work(worker: int) -> None:
        said.append(bench.samples.insert([replace(sample(i), origin=Origin(f"J{worker}", i)) for i in range(20)]))

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(one == said[0] for one in said)
    assert bench.samples.known(said[0]) == said[0]


def test_only_what_exists_is_known(bench: Bench) -> None:
    new = sample(1)
    bench.samples.insert([new])
    assert bench.samples.known([new.id, "no", ""]) == {new.id: Origin("J", 1)}
    assert bench.samples.known([]) == {}


def test_a_settled_run_stays_with_the_jobs_that_first_saw_it(bench: Bench) -> None:
    bench.samples.settle({"run": frozenset({"J", "K"})})
    bench.samples.settle({"run": frozenset({"L"}), "other": frozenset({"L"})})
    assert bench.samples.settled(["run", "other", "no"]) == {"run": frozenset({"J", "K"}), "other": frozenset({"L"})}
    bench.samples.settle({})
    assert bench.samples.settled([]) == {}


@pytest.mark.integration
def test_a_page_like_one_before_is_one_question(mongo: MongoStores, monkeypatch: pytest.MonkeyPatch) -> None:
    mongo.samples.insert([sample(i) for i in range(300)])
    where = SampleFilter()
    first = mongo.samples.page(where, cursor=None, limit=20)
    asked: list[object] = []
    really = mongo.samples._listed.aggregate
    monkeypatch.setattr(mongo.samples._listed, "aggregate", lambda stages: (asked.append(stages), really(stages))[1])
    assert mongo.samples.page(where, cursor=None, limit=20) == first
    assert len(asked) == 1, asked


@pytest.mark.parametrize("sample_id", ["", "no", "\x00", "\ud800", "$ne"])
def test_an_unknown_sample_is_not_found(bench: Bench, sample_id: str) -> None:
    with pytest.raises(NotFound):
        bench.samples.get(sample_id)
    with pytest.raises(NotFound):
        bench.samples.preview(sample_id)


def test_places_are_added_once_and_at_most_twenty(bench: Bench) -> None:
    new = sample(1)
    bench.samples.insert([new])
    places = [
        FileRef("library", f"copies/{i}.wav", raw=b"\xff" if i == 3 else None, size=5, mtime_ns=7) for i in range(30)
    ]
    for _ in range(2):
        bench.samples.seen_at([(new.id, place) for place in places[:4]])
    assert bench.samples.get(new.id).files == (new.file, *places[:4])
    bench.samples.seen_at([(new.id, place) for place in places] + [("no", places[0])])
    assert len(bench.samples.get(new.id).files) == 20


def test_a_sample_that_another_owner_has_too_is_also_theirs_with_their_places_only(bench: Bench) -> None:
    new = sample(1, owner="ada", path="secret/ada.wav")
    bench.samples.insert([new])
    with pytest.raises(NotFound):
        bench.samples.get(new.id, owner="bob")
    theirs = FileRef("library", "bob/own.wav", size=5, mtime_ns=7)
    for _ in range(2):
        bench.samples.seen_at([(new.id, theirs)], owner="bob")
    assert bench.samples.get(new.id, owner="bob").files == (theirs,)
    assert bench.samples.get(new.id, owner="ada").files == (new.file,)
    assert bench.samples.many([new.id], owner="bob")[new.id].files == (theirs,)
    assert bench.samples.many([new.id], owner="eve") == {}
    assert bench.samples.get(new.id).files == (new.file, theirs)
    assert ids(bench, SampleFilter(owner="bob")) == [new.id]
    assert ids(bench, SampleFilter(owner="bob", text="own")) == [new.id]
    assert ids(bench, SampleFilter(owner="bob", text="secret")) == []
    assert ids(bench, SampleFilter(owner="eve")) == []
    (shown,) = bench.samples.page(SampleFilter(owner="bob"), cursor=None, limit=5).items
    assert shown.files == (theirs,)


def test_an_owner_who_comes_last_has_a_place_of_their_own(bench: Bench) -> None:
    new = sample(1, owner="ada")
    bench.samples.insert([new])
    bench.samples.seen_at([(new.id, FileRef("library", f"ada/{i}.wav")) for i in range(30)], owner="ada")
    theirs = [FileRef("library", f"bob/{i}.wav", size=5, mtime_ns=7) for i in range(3)]
    for _ in range(2):
        bench.samples.seen_at([(new.id, place) for place in theirs], owner="bob")
    (place,) = bench.samples.get(new.id, owner="bob").files
    assert place in theirs
    assert ids(bench, SampleFilter(owner="bob", text="bob")) == [new.id]
    assert len(bench.samples.get(new.id, owner="ada").files) == 20


def ids(bench: Bench, where: SampleFilter, limit: int = 100) -> list[str]:
    found: list[str] = []
    cursor = None
    while True:
        page = bench.samples.page(where, cursor=cursor, limit=limit)
        assert len(page.items) <= limit
        found += [each.id for each in page.items]
        cursor = page.next
        if cursor is None:
            return found


KEPT = [
    sample(1, bpm=100.0, key="C minor", camelot="5A", kind="loop", duration_s=8.0, path="Drums/Kick 808 Long.wav"),
    sample(2, bpm=120.0, key="A# major", camelot="6B", kind="loop", duration_s=4.0, path="drums/snare (tight).wav"),
    sample(3, bpm=None, key=None, kind="one-shot", note="A4", duration_s=0.2, path="bass/a.b+c\n.wav"),
    sample(4, bpm=None, key=None, kind="one-shot", note="A#2", duration_s=0.5, defects=["clipping", "dc"]),
    sample(
        5, bpm=140.0, key="C minor", camelot="5A", kind="track", duration_s=200.0, note="A-1", path="ÉTÉ/Straße.wav"
    ),
]

FILTERS: list[tuple[SampleFilter, list[int]]] = [
    (SampleFilter(), [1, 2, 3, 4, 5]),
    (SampleFilter(bpm=(100, 120)), [1, 2]),
    (SampleFilter(bpm=(100.5, None)), [2, 5]),
    (SampleFilter(bpm=(None, 100)), [1]),
    (SampleFilter(bpm=(None, None)), [1, 2, 3, 4, 5]),
    (SampleFilter(duration_s=(0.2, 0.5)), [3, 4]),
    (SampleFilter(key="C minor"), [1, 5]),
    (SampleFilter(key="C minor", bpm=(0, 110)), [1]),
    (SampleFilter(camelot="6B"), [2]),
    (SampleFilter(tonic="A#"), [2]),
    (SampleFilter(mode="minor"), [1, 5]),
    (SampleFilter(kind="one-shot"), [3, 4]),
    (SampleFilter(note="A4"), [3]),
    (SampleFilter(note="A"), [3, 5]),
    (SampleFilter(note="A#"), [4]),
    (SampleFilter(defect="clipping"), [4]),
    (SampleFilter(defect="dc_offset"), []),
    (SampleFilter(text="KICK 808"), [1]),
    (SampleFilter(text="808 kick"), [1]),
    (SampleFilter(text="drums"), [1, 2, 4]),
    (SampleFilter(text="drums kick"), [1, 4]),
    (SampleFilter(text="(tight)"), [2]),
    (SampleFilter(text=".*"), []),
    (SampleFilter(text="a.b+c .wav"), [3]),
    (SampleFilter(text="été"), [5]),
    (SampleFilter(text=" "), [1, 2, 3, 4, 5]),
    (SampleFilter(owner="ada", kind="loop"), [1, 2]),
]


@pytest.mark.parametrize("limit", [1, 100])
def test_filters_find_what_they_say(bench: Bench, limit: int) -> None:
    bench.samples.insert(KEPT)
    for where, wanted in FILTERS:
        found = ids(bench, where, limit)
        assert found == sorted(KEPT[number - 1].id for number in wanted), where


@pytest.mark.parametrize(
    "where",
    [
        SampleFilter(bpm=(120, 100)),
        SampleFilter(bpm=(math.nan, 100)),
        SampleFilter(duration_s=(None, math.inf)),
        SampleFilter(key="H minor"),
        SampleFilter(key="c minor"),
        SampleFilter(camelot="13A"),
        SampleFilter(tonic="Db"),
        SampleFilter(mode="dorian"),
        SampleFilter(kind="noise"),
        SampleFilter(note="A4.*"),
        SampleFilter(note="H2"),
        SampleFilter(text=""),
        SampleFilter(text="a\x00b"),
        SampleFilter(text="\ud800"),
        SampleFilter(text="x" * 501),
        SampleFilter(text="x " * 21),
        SampleFilter(owner="\udfff"),
        SampleFilter(defect=""),
        SampleFilter(defect="zzz"),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(bench: Bench, where: SampleFilter) -> None:
    with pytest.raises(BadFilter):
        bench.samples.page(where, cursor=None, limit=5)


def test_a_cursor_belongs_to_its_filter(bench: Bench) -> None:
    bench.samples.insert(KEPT)
    cursor = bench.samples.page(SampleFilter(), cursor=None, limit=2).next
    assert cursor is not None
    for wrong in (SampleFilter(kind="loop"), SampleFilter(bpm=(1, 2))):
        with pytest.raises(BadCursor):
            bench.samples.page(wrong, cursor=cursor, limit=2)
    with pytest.raises(BadCursor):
        bench.samples.page(SampleFilter(), cursor=cursor[:-3], limit=2)


def test_pages_are_stable_while_samples_come_in(bench: Bench) -> None:
    bench.samples.insert([sample(i) for i in range(40)])
    found: list[str] = []
    cursor, number = None, 100
    while True:
        page = bench.samples.page(SampleFilter(), cursor=cursor, limit=7)
        found += [each.id for each in page.items]
        cursor = page.next
        if cursor is None:
            break
        bench.samples.insert([sample(number)])
        number += 1
    assert found == sorted(set(found))
    assert {sample(i).id for i in range(40)} <= set(found)


def test_pages_of_many_samples_hold_each_once(bench: Bench) -> None:
    rng = random.Random(5)
    kept = [sample(i, bpm=float(rng.randint(60, 180)), kind=rng.choice(["loop", "track"])) for i in range(600)]
    odd = [replace(sample(1000 + i), id=name) for i, name in enumerate(["ABCDEF12-x", "z-1", "!", "00", "ffffffff"])]
    bench.samples.insert([*kept, *odd])
    everything = [*kept, *odd]
    for where in (SampleFilter(), SampleFilter(kind="track"), SampleFilter(bpm=(100, 101))):
        wanted = sorted(
            new.id
            for new in everything
            if where.kind in (None, new.analysis["kind"]["label"])
            and (where.bpm is None or 100 <= new.analysis["tempo"]["bpm"] <= 101)
        )
        for limit in (9, 100, 1000):
            assert ids(bench, where, limit) == wanted


def test_outlines_are_of_what_matches_page_by_page(bench: Bench) -> None:
    made = [sample(i, bpm=100 + i, kind="loop" if i % 2 else "one-shot") for i in range(9)]
    bench.samples.insert(made)
    where = SampleFilter(kind="loop")
    seen, cursor = [], None
    while True:
        page = bench.samples.outlines(where, cursor=cursor, limit=3)
        seen += page.items
        cursor = page.next
        if cursor is None:
            break
    wanted = {each.id: each for each in made if each.analysis["kind"]["label"] == "loop"}
    assert [each.id for each in seen] == sorted(wanted)
    for each in seen:
        new = wanted[each.id]
        assert (each.kind, each.bpm, each.vector, each.space) == (
            "loop",
            new.analysis["tempo"]["bpm"],
            new.vector,
            new.space,
        )
        assert each.name == new.file.path.rsplit("/", 1)[-1]
        assert each.key == new.analysis["key"]["label"]


def test_an_outline_names_no_file_of_another_owner(bench: Bench) -> None:
    new = sample(1)
    bench.samples.insert([new])
    assert bench.samples.outlines(SampleFilter(owner="somebody else"), cursor=None, limit=5).items == ()
    with pytest.raises(BadCursor):
        bench.samples.outlines(SampleFilter(), cursor="nonsense", limit=5)


def test_samples_of_the_same_pcm_are_found_by_its_hash_and_only_ones_own(bench: Bench) -> None:
    samples = bench.stores.samples
    made = [sample(n, pcm="ab" * 32 if n < 3 else "cd" * 32, owner="bob" if n == 2 else "ada") for n in range(5)]
    samples.insert([*made, sample(9)])
    newer = replace(made[0], id=made[0].id.replace("-1.0.0-", "-1.1.0-"), analyzer="1.1.0")
    samples.insert([newer])
    found = samples.same_pcm(["ab" * 32, "ef" * 32], owner="ada")
    assert {pcm: [each.id for each in those] for pcm, those in found.items()} == {
        "ab" * 32: sorted([newer.id, made[1].id])
    }
    assert {each.id for each in samples.same_pcm(["ab" * 32])["ab" * 32]} == {newer.id, made[1].id, made[2].id}
    assert samples.same_pcm([]) == {}
