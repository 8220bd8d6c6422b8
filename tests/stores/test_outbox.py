"""Contract of the outbox: every vector reaches each generation of the index."""

from __future__ import annotations

from stores.records import PendingVector
from tests.stores.conftest import Bench
from tests.stores.making import sample


def test_new_samples_are_pending_with_what_is_known_of_them(bench: Bench) -> None:
    full, bare = sample(1, bpm=100.0, duration_s=2.0), sample(2, bpm=None, key=None, kind="one-shot", owner="bob")
    bench.samples.insert([full, bare])
    pending = {each.id: each for each in bench.samples.pending_vectors(10)}
    said = {"kind": "loop", "bpm": 100.0, "key": "C minor", "tonic": "C", "mode": "minor", "camelot": "5A"}
    assert pending == {
        full.id: PendingVector(full.id, full.vector, {**said, "duration_s": 2.0, "owner": "ada"}),
        bare.id: PendingVector(bare.id, bare.vector, {"kind": "one-shot", "duration_s": 8.0, "owner": "bob"}),
    }


def test_silence_has_no_vector_and_is_never_pending(bench: Bench) -> None:
    new = sample(1, silent=True)
    bench.samples.insert([new])
    assert bench.samples.pending_vectors(10) == []
    assert bench.samples.vectors([new.id]) == {}
    bench.samples.mark_indexed([new.id], 1)
    assert bench.samples.indexed_count() == 0
    assert not bench.samples.get(new.id).indexed


def test_what_was_indexed_is_not_pending(bench: Bench) -> None:
    made = [sample(i) for i in range(5)]
    bench.samples.insert(made)
    for _ in range(2):
        bench.samples.mark_indexed([new.id for new in made[:3]], 1)
    assert {each.id for each in bench.samples.pending_vectors(10)} == {new.id for new in made[3:]}
    assert bench.samples.indexed_count() == 3
    assert bench.samples.get(made[0].id).indexed
    assert not bench.samples.get(made[4].id).indexed


def test_a_backlog_is_taken_in_small_bites_to_its_end(bench: Bench) -> None:
    made = {new.id for new in (sample(i) for i in range(150))}
    bench.samples.insert([sample(i) for i in range(150)])
    bites = []
    while bite := bench.samples.pending_vectors(16):
        assert len(bite) <= 16
        bench.samples.mark_indexed([each.id for each in bite], 1)
        bites += [each.id for each in bite]
    assert len(bites) == 150
    assert set(bites) == made
    bench.samples.insert([sample(999)])
    assert [each.id for each in bench.samples.pending_vectors(16)] == [sample(999).id]


def test_a_new_generation_wants_every_vector_again(bench: Bench) -> None:
    made = [sample(i) for i in range(4)]
    bench.samples.insert(made)
    assert bench.samples.generation() == 1
    bench.samples.mark_indexed([new.id for new in made], 1)
    assert bench.samples.next_generation(1) == 2
    assert bench.samples.next_generation(1) == 2
    assert bench.samples.generation() == 2
    assert bench.samples.indexed_count() == 0
    assert not bench.samples.get(made[0].id).indexed
    assert len(bench.samples.pending_vectors(10)) == 4
    bench.samples.mark_indexed([made[0].id], 2)
    bench.samples.mark_indexed([made[0].id], 1)
    assert bench.samples.indexed_count() == 1
    assert bench.samples.next_generation(2) == 3
    assert len(bench.samples.pending_vectors(10)) == 4
