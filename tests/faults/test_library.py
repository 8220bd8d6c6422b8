"""The folders of the fault tests: their answers are known before any cluster has seen them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.faults.library import make_faulty_library, right_answers
from workers.batch import BatchAudioProcessor


def test_new_contents_have_the_same_right_answers(tmp_path: Path) -> None:
    first, second = (make_faulty_library(tmp_path / f"library-{seed}", 100, seed) for seed in (1, 2))
    assert not first.contents & second.contents
    assert (len(first.good), len(first.contents), len(first.poison)) == (96, 94, 4)
    names = [name.partition("/")[2] for name in first.good]
    said = BatchAudioProcessor(1).process_batch([first.folder / name for name in names])
    of_sound = right_answers(100)[names[0]].keys() - {"path", "sample_id"}
    for name, bare in zip(names, said, strict=True):
        assert {each: bare[each] for each in of_sound} == {each: right_answers(100)[name][each] for each in of_sound}


def test_each_poison_fails_with_the_reason_that_is_expected_of_it(tmp_path: Path) -> None:
    library = make_faulty_library(tmp_path / "library", 250, 0)
    said = BatchAudioProcessor(1).process_batch([library.folder.parent / path for path in library.poison])
    assert Counter(bare["reason"]["code"] for bare in said) == Counter(library.poison.values())
