"""What a score of an answer means."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.labels import Labelled
from benchmarks.scoring import (
    Answer,
    Said,
    abstention,
    chance_ece,
    class_table,
    ece,
    invented_figures,
    key_figures,
    kind_figures,
    mirex,
    note_figures,
    tables,
    tempo_figures,
)


def _label(**known: object) -> Labelled:
    given: dict[str, object] = {"path": Path("a.wav"), "bpm": None, "key": None, "kind": "loop", "slice": "s", **known}
    return Labelled(**given)  # type: ignore[arg-type]


def _answer(label: Labelled, **said: object) -> Answer:
    return Answer(label, Said("a.wav", **said))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "score"),
    [("C major", 1.0), ("G major", 0.5), ("F major", 0.5), ("A minor", 0.3), ("C minor", 0.2), ("D major", 0.0)],
)
def test_mirex_gives_near_keys_a_part_of_the_point(said: str, score: float) -> None:
    assert mirex(said, "C major") == score


def test_the_relative_of_a_minor_key_is_the_major_three_semitones_above() -> None:
    assert mirex("C major", "A minor") == 0.3
    assert mirex("F# major", "A minor") == 0.0


def test_no_answer_is_wrong_in_every_figure_of_tempo_and_key() -> None:
    answers = [_answer(_label(bpm=120.0, key="C major"))]
    assert tempo_figures(answers)["acc2"] == 0
    assert tempo_figures(answers)["abstained"] == 1
    assert key_figures(answers)["mirex"] == 0


@pytest.mark.parametrize(
    ("bpm", "acc1", "acc2", "fine"),
    [(120.0, 1, 1, 1), (124.0, 1, 1, 0), (60.0, 0, 1, 0), (360.0, 0, 1, 0), (40.5, 0, 1, 0), (90.0, 0, 0, 0)],
)
def test_a_metrical_multiple_counts_only_for_accuracy_two(bpm: float, acc1: int, acc2: int, fine: int) -> None:
    found = tempo_figures([_answer(_label(bpm=120.0), bpm=bpm)])
    assert (found["acc1"], found["acc2"], found["within_1_percent"]) == (acc1, acc2, fine)


def test_notes_are_counted_apart_from_what_is_said_of_drums() -> None:
    shot = {"kind": "oneshot"}
    answers = [
        _answer(_label(note_midi=60, **shot), note_midi=60),
        _answer(_label(note_midi=60, **shot), note_midi=72),
        _answer(_label(no_key=True, **shot), note_midi=40),
    ]
    found = note_figures(answers)
    assert (found["exact"], found["any_octave"], found["note_on_unpitched"]) == (0.5, 1.0, 1.0)


def test_f1_of_kinds_falls_with_misses_and_with_false_alarms() -> None:
    one, loop = _label(kind="oneshot"), _label(kind="drum_machine")
    found = kind_figures([_answer(one, kind="one-shot"), _answer(one, kind="loop"), _answer(loop, kind="loop")])
    assert found["one_shot_f1"] == pytest.approx(2 / 3)
    assert found["loop_f1"] == pytest.approx(2 / 3)


def test_whatever_is_said_where_there_is_nothing_is_invented() -> None:
    answers = [
        _answer(_label(kind="oneshot", no_tempo=True, no_key=True), bpm=120.0),
        _answer(_label(kind="noise", no_tempo=True, no_key=True), bpm=100.0, key="C major"),
        _answer(_label(kind="pad", no_tempo=True)),
    ]
    found = invented_figures(answers)
    assert found["tempo_on_one_shots"] == 1
    assert found["tempo_without_pulse"] == 0.5
    assert found["key_on_drums_and_noise"] == 0.5


def test_classes_have_precision_and_recall_and_drums_count_together() -> None:
    kick, bass = _label(kind="oneshot", sound="kick"), _label(kind="oneshot", sound="bass")
    found = class_table([_answer(kick, sound="snare"), _answer(bass, sound="bass"), _answer(bass)])
    assert found["drum"]["recall"] == 1
    assert found["kick"]["recall"] == 0
    assert found["bass"] == {"files": 2, "precision": 1.0, "recall": 0.5, "unknown": 0.5}


def test_calibration_error_is_how_far_belief_is_from_truth() -> None:
    assert ece([(0.75, True)] * 3 + [(0.75, False)]) == pytest.approx(0)
    assert ece([(0.95, True), (0.95, False)]) == pytest.approx(0.45)
    assert ece([]) == 0


def test_what_chance_makes_of_calibration_shrinks_with_the_number_of_answers() -> None:
    few, many = ([(0.85, True)] * n for n in (20, 2000))
    assert 0.04 < chance_ece(few) < 0.12
    assert chance_ece(many) < 0.02
    assert chance_ece(few) == chance_ece(few), "drawn with a seed"
    assert chance_ece([]) == 0


def test_abstaining_trades_answers_for_right_ones() -> None:
    pairs = [(0.9, True), (0.8, True), (0.4, False)]
    assert abstention(pairs, 4, (0.0, 0.5)) == [(0.0, 0.75, pytest.approx(2 / 3)), (0.5, 0.5, 1.0)]


def test_every_table_is_there_for_any_labels() -> None:
    found = tables([_answer(_label(bpm=100.0, key="A minor", metre="6/8"), bpm=150.0, key="A minor")])
    assert found["tempo"]["6/8, 9/8, 12/8"]["acc1"] == 0
    assert found["key"]["minor"]["exact"] == 1
