"""Contract of one content with several analysers: the newest answer is shown, and the old one until then."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from config.settings import MongoSettings
from stores.mongo import MongoStores, connect
from stores.records import FileRef, NewSample, SampleFilter
from tests.stores.conftest import Bench
from tests.stores.making import sample
from workers.errors import NotFound, StoreUnavailable

EVERYTHING = SampleFilter()


def by(version: str, number: int = 1, **said: Any) -> NewSample:
    """The sample of a content as another analyser made it."""
    made = sample(number, **said)
    return replace(made, id=f"{made.content}-{version}-0", analyzer=version)


def listed(bench: Bench, where: SampleFilter = EVERYTHING) -> list[str]:
    return [each.analyzer for each in bench.samples.page(where, cursor=None, limit=100).items]


def test_an_old_answer_is_listed_until_the_new_one_of_its_content_is_there(bench: Bench) -> None:
    bench.samples.insert([by("1.9.0", 1), by("1.9.0", 2)])
    assert sorted(listed(bench)) == ["1.9.0", "1.9.0"]
    bench.samples.insert([by("1.10.0", 1, bpm=99)])
    assert sorted(listed(bench)) == ["1.10.0", "1.9.0"]
    assert listed(bench, SampleFilter(bpm=(99, 99))) == ["1.10.0"]
    assert listed(bench, SampleFilter(bpm=(120, 120))) == ["1.9.0"]
    assert bench.samples.count() == 2


def test_who_has_the_id_of_an_old_answer_still_reads_it_and_learns_of_the_new_one(bench: Bench) -> None:
    old, new = by("1.0.0"), by("1.1.0")
    bench.samples.insert([old])
    assert bench.samples.get(old.id).superseded_by is None
    bench.samples.insert([new])
    assert bench.samples.get(old.id).superseded_by == new.id
    assert bench.samples.get(new.id).superseded_by is None
    assert set(bench.samples.many([old.id, new.id])) == {old.id, new.id}
    assert set(bench.samples.many([old.id, new.id], listed=True)) == {new.id}


def test_the_new_answer_is_of_everybody_who_had_the_old_one_with_their_places(bench: Bench) -> None:
    old = by("1.0.0", owner="ada", path="ada/kick.wav")
    bench.samples.insert([old])
    bench.samples.seen_at([(old.id, FileRef("library", "bob/kick.wav"))], owner="bob")
    new = by("1.1.0", owner="eve", path="eve/kick.wav")
    bench.samples.insert([new])
    for owner in ("ada", "bob", "eve"):
        assert [file.path for file in bench.samples.get(new.id, owner=owner).files] == [f"{owner}/kick.wav"]


def test_a_new_answer_of_nobody_in_particular_is_only_theirs_who_had_the_old_one(bench: Bench) -> None:
    bench.samples.insert([by("1.0.0", owner="ada")])
    new = by("1.1.0", owner="")
    bench.samples.insert([new])
    assert bench.samples.get(new.id, owner="ada").files == (new.file,)
    with pytest.raises(NotFound):
        bench.samples.get(new.id, owner="")


def test_an_old_worker_that_comes_late_does_not_bring_its_answer_back(bench: Bench) -> None:
    bench.samples.insert([by("1.1.0", owner="ada")])
    late = by("1.0.0", owner="bob", path="bob/kick.wav")
    bench.samples.insert([late])
    assert listed(bench) == ["1.1.0"]
    # ... but what it saw is known: also what it only recognises.
    bench.samples.seen_at([(late.id, FileRef("library", "eve/kick.wav"))], owner="eve")
    assert listed(bench, SampleFilter(owner="bob")) == listed(bench, SampleFilter(owner="eve")) == ["1.1.0"]


def test_only_the_newest_of_three_is_shown(bench: Bench) -> None:
    for version in ("1.1.0", "1.0.0", "2.0.0"):
        bench.samples.insert([by(version, owner=version)])
    assert listed(bench) == ["2.0.0"]
    assert listed(bench, SampleFilter(owner="1.0.0")) == ["2.0.0"]


def test_what_an_older_analyser_said_is_found_page_by_page(bench: Bench) -> None:
    bench.samples.insert([by("1.0.0", n) for n in range(7)] + [by("1.1.0", n) for n in range(3, 9)])
    bench.samples.insert([by("9.0.0", 20)])
    found = bench.samples.outdated("1.1.0", owner=None, after="", limit=2)
    found += bench.samples.outdated("1.1.0", owner=None, after=found[-1].id, limit=9)
    assert [each.id for each in found] == sorted(by("1.0.0", n).id for n in range(3))
    assert bench.samples.outdated("1.1.0", owner="bob", after="", limit=9) == []
    assert len(bench.samples.outdated("1.1.0", owner="ada", after="", limit=9)) == 3


def test_the_index_is_to_hold_the_newest_and_may_hold_what_they_replaced(bench: Bench) -> None:
    bench.samples.insert([by("1.0.0", n) for n in range(3)] + [by("1.0.0", 3, silent=True)])
    while outgoing := bench.samples.outgoing(100):
        bench.samples.sent(outgoing, 1)
    assert (bench.samples.indexed_count(), bench.samples.surplus()) == (3, 0)
    bench.samples.insert([by("1.1.0", n) for n in (0, 1)] + [by("1.1.0", 3, silent=True)])
    while outgoing := bench.samples.outgoing(100):
        bench.samples.sent(outgoing, 1)
    assert bench.samples.indexed_count() == 3
    assert 2 <= bench.samples.surplus() <= 3
    generation = bench.samples.next_generation(1)
    walked = bench.samples.outgoing(100)
    assert walked is not None
    assert {each.id for each in walked.vectors} == {by("1.1.0", 0).id, by("1.1.0", 1).id, by("1.0.0", 2).id}
    bench.samples.sent(walked, generation)
    assert bench.samples.next_generation(generation) == 3
    assert bench.samples.surplus() == 0


def test_vectors_say_what_they_can_be_compared_with(bench: Bench) -> None:
    assert bench.samples.spaces() == frozenset()
    bench.samples.insert([replace(by("1.0.0", 1), space=1)])
    assert bench.samples.spaces() == {1}
    bench.samples.insert([replace(by("1.1.0", 1), space=2)])
    assert bench.samples.spaces() == {1, 2}
    assert bench.samples.get(by("1.0.0", 1).id).space == 1
    outgoing = bench.samples.outgoing(100)
    assert outgoing is not None
    assert {each.id: each.metadata["space"] for each in outgoing.vectors} == {
        by("1.0.0", 1).id: 1,
        by("1.1.0", 1).id: 2,
    }


@pytest.mark.integration
@pytest.mark.parametrize("silent", [False, True])
def test_an_old_answer_steps_back_although_the_writer_of_the_new_one_died(
    mongo: MongoStores, monkeypatch: pytest.MonkeyPatch, silent: bool
) -> None:
    samples = mongo.samples
    samples.insert([by("1.0.0", silent=silent)])

    with monkeypatch.context() as patch:
        patch.setattr(samples, "_step_back", _dies)
        with pytest.raises(StoreUnavailable):
            samples.insert([by("1.1.0", silent=silent)])
    bench = Bench(mongo, lambda _: None)
    assert sorted(listed(bench)) == ["1.0.0", "1.1.0"]
    samples.adopt(samples.unready())
    assert listed(bench) == ["1.1.0"]
    assert samples.unready() == []


@pytest.mark.integration
@pytest.mark.parametrize("silent", [False, True])
def test_an_answer_of_an_old_worker_steps_back_although_it_never_learned_of_the_new_one_and_died(
    mongo: MongoStores, mongo_settings: MongoSettings, monkeypatch: pytest.MonkeyPatch, silent: bool
) -> None:
    """Who writes remembers which analysers there were when it wrote last, so its parcels have to do for all cases."""
    with closing(connect(mongo_settings, pool="worker")) as old_worker:
        old_worker.samples.insert([by("1.0.0", 2)])
        mongo.samples.insert([by("1.1.0", silent=silent)])
        monkeypatch.setattr(old_worker.samples, "_step_back", _dies)
        with pytest.raises(StoreUnavailable):
            old_worker.samples.insert([by("1.0.0", silent=silent)])
    bench = Bench(mongo, lambda _: None)
    assert sorted(listed(bench)) == ["1.0.0", "1.0.0", "1.1.0"]
    mongo.samples.adopt(mongo.samples.unready())
    assert sorted(listed(bench)) == ["1.0.0", "1.1.0"]
    assert mongo.samples.unready() == []


def _dies(*_: object) -> None:
    raise StoreUnavailable("killed")
