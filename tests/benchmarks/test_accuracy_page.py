"""The page says what was measured, and only that."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.accuracy_page import write_page
from benchmarks.answers import load, save
from benchmarks.labels import Labelled
from benchmarks.scoring import Answer, Said


def _answers() -> list[Answer]:
    loop = Labelled(Path("loop.wav"), 120.0, "A minor", "loop", "loops")
    kick = Labelled(Path("kick.wav"), None, None, "oneshot", "oneshots", sound="kick", no_key=True, no_tempo=True)
    return [
        Answer(loop, Said("loop.wav", 120.0, 0.9, "A minor", 0.8, kind="loop", kind_confidence=0.9, audio_s=2.0)),
        Answer(kick, Said("kick.wav", 99.0, 0.6, kind="one-shot", kind_confidence=0.9, audio_s=0.5)),
    ]


@pytest.fixture
def page(tmp_path: Path) -> str:
    log = tmp_path / "train.log"
    log.write_text("== tempo\nfiles: ALL 90.0 of 10\n   wrong: secret-name.wav\n", "utf-8")
    write_page(tmp_path / "accuracy.md", {"held": _answers()}, {"peer": _answers()[:1]}, log)
    return (tmp_path / "accuracy.md").read_text("utf-8")


def test_what_is_reached_is_bold_and_what_is_not_is_not(page: str) -> None:
    assert "| tempo within 4 %, all | 80 % (Essentia degara) | at least 88 % | **100.0 %** |" in page
    assert "| invented tempo on one-shots | 100 % (sonara) | at most 5 % | 100.0 % |" in page


def test_peers_are_shown_on_the_files_that_they_were_asked(page: str) -> None:
    assert "| held | SampleMind | peer |" in page
    # the peer was asked of the loop only: what we invented on the kick is not beside it
    assert "| invented tempo on one-shots | - | - |" in page


def test_a_threshold_shows_what_it_would_no_longer_invent(page: str) -> None:
    rows = {line.split(" | ")[0]: line for line in page.splitlines() if line.startswith(("| 0.5 |", "| 0.7 |"))}
    assert "100 % | 100.0 % | 100.0 %" in rows["| 0.5"]
    assert "100 % | 100.0 % | 0.0 %" in rows["| 0.7"]


def test_training_is_quoted_without_the_names_of_files(page: str) -> None:
    assert "files: ALL 90.0 of 10" in page
    assert "secret-name" not in page


def test_answers_that_were_saved_are_loaded_for_the_files_asked(tmp_path: Path) -> None:
    answers = _answers()
    save(tmp_path / "us.jsonl", answers)
    assert load(tmp_path / "us.jsonl", [answers[1].label]) == answers[1:]
