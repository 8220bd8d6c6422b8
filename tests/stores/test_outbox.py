"""Contract of the outbox: every vector reaches each generation of the index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from stores import samples as samples_module
from stores.doors import Samples
from stores.mongo import MongoStores
from stores.records import Origin, PendingVector
from tests.stores.conftest import Bench
from tests.stores.making import sample
from workers.model import VECTOR_VERSION


def drain(samples: Samples, limit: int = 10) -> list[str]:
    """Send everything; the ids in the order they went."""
    gone: list[str] = []
    while (outgoing := samples.outgoing(limit)) is not None:
        gone += [each.id for each in outgoing.vectors]
        samples.sent(outgoing, samples.generation())
    return gone


def test_new_samples_go_out_with_what_is_known_of_them(bench: Bench) -> None:
    full, bare = sample(1, bpm=100.0, duration_s=2.0), sample(2, bpm=None, key=None, kind="one-shot", owner="bob")
    bench.samples.insert([full, bare])
    outgoing = bench.samples.outgoing(10)
    assert outgoing is not None
    said: dict[str, str | int | float] = {
        "kind": "loop",
        "bpm": 100.0,
        "key": "C minor",
        "tonic": "C",
        "mode": "minor",
        "camelot": "5A",
    }
    assert outgoing.vectors == (
        PendingVector(full.id, full.vector, {**said, "duration_s": 2.0, "owner": "ada", "space": VECTOR_VERSION}),
        PendingVector(
            bare.id, bare.vector, {"kind": "one-shot", "duration_s": 8.0, "owner": "bob", "space": VECTOR_VERSION}
        ),
    )


def test_what_goes_out_says_whose_job_brought_it(bench: Bench) -> None:
    first, second = [sample(n) for n in (1, 2)], [replace(sample(3), origin=Origin("another job", 0))]
    bench.samples.insert(first)
    bench.samples.insert(second)
    bench.samples.insert(second)  # a chunk that is done again
    outgoing = bench.samples.outgoing(10)
    assert outgoing is not None
    assert dict(outgoing.jobs) == {first[0].origin.job_id: 2, "another job": 1}


def test_silence_has_no_vector_and_never_goes_out(bench: Bench) -> None:
    new = sample(1, silent=True)
    bench.samples.insert([new])
    assert bench.samples.outgoing(10) is None
    assert bench.samples.vectors([new.id]) == {}
    assert bench.samples.indexed_count() == 0


def test_what_was_sent_is_gone_and_what_was_not_stays(bench: Bench) -> None:
    first, second = [sample(i) for i in range(3)], [sample(i) for i in range(3, 5)]
    bench.samples.insert(first)
    outgoing = bench.samples.outgoing(3)
    assert outgoing is not None
    bench.samples.insert(second)
    assert bench.samples.indexed_count() == 0
    for _ in range(2):
        bench.samples.sent(outgoing, 1)
    assert bench.samples.indexed_count() == 3
    assert sorted(drain(bench.samples)) == sorted(new.id for new in second)
    assert bench.samples.indexed_count() == 5


def test_what_was_taken_and_not_sent_is_given_again(bench: Bench) -> None:
    bench.samples.insert([sample(i) for i in range(3)])
    assert bench.samples.outgoing(10) is not None
    assert len(drain(bench.samples)) == 3


def test_what_was_written_twice_goes_out_once_at_a_time(bench: Bench) -> None:
    for _ in range(2):
        bench.samples.insert([sample(i) for i in range(3)])
    outgoing = bench.samples.outgoing(100)
    assert outgoing is not None
    assert len(outgoing.vectors) == len({each.id for each in outgoing.vectors}) == 3


def test_a_backlog_goes_out_to_its_end_each_once(bench: Bench) -> None:
    made = [sample(i) for i in range(500)]
    for n in range(0, 450, 30):
        bench.samples.insert(made[n : n + 30])
    bench.samples.insert(made[450:])
    assert sorted(drain(bench.samples, 100)) == sorted(new.id for new in made)
    assert bench.samples.outgoing(100) is None


def test_a_new_generation_wants_every_vector_again(bench: Bench) -> None:
    made = [sample(i) for i in range(25)]
    bench.samples.insert([*made, sample(99, silent=True)])
    drain(bench.samples)
    assert bench.samples.generation() == 1
    assert bench.samples.next_generation(1) == 2
    assert bench.samples.next_generation(1) == 2
    assert bench.samples.generation() == 2
    assert bench.samples.indexed_count() == 0
    step = bench.samples.outgoing(10)
    assert step is not None
    bench.samples.sent(step, 1)  # a writer of the generation before, who comes late
    assert bench.samples.indexed_count() == 0
    bench.samples.sent(step, 2)
    assert bench.samples.indexed_count() == len(step.vectors)
    rest = drain(bench.samples)
    assert sorted([*(each.id for each in step.vectors), *rest]) == sorted(new.id for new in made)
    assert bench.samples.indexed_count() == 25


def test_what_comes_during_a_rebuild_goes_out_too(bench: Bench) -> None:
    bench.samples.insert([sample(i) for i in range(25)])
    drain(bench.samples)
    bench.samples.next_generation(1)
    step = bench.samples.outgoing(20)
    assert step is not None
    bench.samples.sent(step, 2)
    late = [sample(i) for i in range(100, 120)]
    bench.samples.insert(late)
    assert {new.id for new in late} <= set(drain(bench.samples))
    assert bench.samples.indexed_count() == 45


class Crash(Exception):
    """The worker dies here."""


@pytest.mark.integration
@pytest.mark.parametrize("writes", [0, 1, 2])
def test_a_worker_that_dies_while_it_writes_leaves_no_sample_outside_the_index(
    mongo: MongoStores, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    """It dies before its pictures are written, before its samples are, and before its parcel is sent off."""
    made, samples = [sample(i) for i in range(5)], mongo.samples
    with monkeypatch.context() as patch:
        _die_after(writes, patch)
        with pytest.raises(Crash):
            samples.insert(made)
    assert samples.outgoing(10) is None
    (key,) = samples.unready()
    samples.adopt([key, key])
    assert samples.unready() == []
    there = set(samples.known([new.id for new in made]))
    assert len(there) == (5 if writes == 2 else 0)
    assert set(drain(samples)) == there
    samples.insert(made)  # the chunk is done again
    assert {new.id for new in made} - there <= set(drain(samples))
    assert samples.indexed_count() == 5


def _die_after(writes: int, patch: pytest.MonkeyPatch) -> None:
    real, left = samples_module._insert_new, iter([True] * writes)

    def insert(*args: Any) -> bool:
        if not next(left, False):
            raise Crash
        return real(*args)

    def die(*_: object) -> None:
        raise Crash

    patch.setattr(samples_module, "_insert_new", insert)
    patch.setattr(samples_module.MongoSamples, "_send_off", die)


@pytest.mark.integration
def test_what_a_slow_writer_adds_after_its_parcel_was_adopted_goes_out_too(
    mongo: MongoStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples, made = mongo.samples, [sample(i) for i in range(4)]
    real = samples_module._insert_new

    def slow(collection: Any, documents: Any) -> bool:
        """Half of it is there when somebody thinks that its writer is dead."""
        if collection.name == "samples":
            real(collection, documents[:2])
            samples.adopt(samples.unready())
        return real(collection, documents)

    monkeypatch.setattr(samples_module, "_insert_new", slow)
    samples.insert(made)
    assert samples.unready() == []
    assert set(drain(samples)) == {new.id for new in made}


@pytest.mark.integration
def test_a_parcel_given_up_too_early_is_posted_again(mongo: MongoStores, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = mongo.samples
    posted = samples._post

    def slow(parcels: Sequence[Any]) -> None:
        posted(parcels)
        samples.adopt(samples.unready())

    monkeypatch.setattr(samples, "_post", slow)
    samples.insert([sample(1)])
    assert samples.unready() == []
    outgoing = samples.outgoing(10)
    assert outgoing is not None
    assert [each.id for each in outgoing.vectors] == [sample(1).id]
