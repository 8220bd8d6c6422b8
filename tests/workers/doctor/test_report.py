"""What is wrong among many files: by analyses alone."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, get_args
from xml.etree import ElementTree

import pytest

from tests.api.gateway import analysis, clipping
from workers.doctor.advice import ADVICE
from workers.doctor.findings import findings
from workers.doctor.pages import html, markdown
from workers.doctor.report import MOST_EXAMPLES, MOST_WORST, Report
from workers.model import AudioInfo, Defect, DefectCode, Evidence, Key, KeyEvidence, Kind, Tempo, camelot


def said(**changes: Any) -> dict[str, Any]:
    return analysis(**changes).to_dict()


def loop(seconds: float, beats: int | None = None, **changes: Any) -> dict[str, Any]:
    audio = AudioInfo(seconds, 44100, 2, "WAV", "PCM_24", round(seconds * 44100), seconds)
    return said(audio=audio, tempo=Tempo(120.0, 0.9, beats, (), None), **changes)


def named(bpm: float, heard: float = 120.0, confidence: float = 0.9) -> dict[str, Any]:
    return said(tempo=Tempo(heard, confidence, 16, (Evidence("name", bpm, 0.2), Evidence("pulse", heard, 0.8)), None))


def in_key(name: str, confidence: float = 0.9) -> dict[str, Any]:
    evidence = (KeyEvidence("chroma", "C minor", 0.8), KeyEvidence("name", name, 0.2))
    return said(key=Key("C", "minor", "C minor", camelot("C", "minor"), confidence, 0.0, None, evidence=evidence))


def codes(one: dict[str, Any]) -> list[str]:
    return [each.code for each in findings(one)]


def test_every_measured_defect_has_advice() -> None:
    assert set(get_args(DefectCode)) <= ADVICE.keys()


def test_measured_defects_are_told_as_they_are() -> None:
    (found,) = findings(said(defects=clipping()))
    assert (found.code, found.message, found.at_s, found.amount) == ("clipping", "It clips.", 0.5, 3.0)


def test_a_loop_that_is_not_cut_to_its_beats_says_by_how_much() -> None:
    (found,) = findings(loop(8.03))
    assert (found.code, found.at_s, found.amount) == ("off_length_loop", 8.0, 0.03)
    assert found.message == "At 120 BPM it is 30 ms longer than 16 beats."
    assert "shorter" in findings(loop(7.97))[0].message


@pytest.mark.parametrize(
    "fine",
    [
        loop(8.03, beats=16),
        loop(8.002),
        loop(8.24),
        loop(8.03, kind=Kind("track", 0.9)),
        said(tempo=Tempo(None, 0, None, (), "no")),
    ],
    ids=["cut to beats", "2 ms", "half a beat: meant so", "no loop", "no tempo"],
)
def test_other_lengths_are_no_defect(fine: dict[str, Any]) -> None:
    assert codes(fine) == []


@pytest.mark.parametrize("bpm", [140, 100, 127])
def test_a_name_with_another_tempo_is_told(bpm: float) -> None:
    assert codes(named(bpm)) == ["name_tempo"]


@pytest.mark.parametrize("bpm", [120, 122, 60, 240, 80])
def test_a_name_that_counts_otherwise_is_not_wrong(bpm: float) -> None:
    assert codes(named(bpm)) == []


@pytest.mark.parametrize("key", ["D minor", "C major", "D"])
def test_a_name_with_another_key_is_told(key: str) -> None:
    assert codes(in_key(key)) == ["name_key"]


@pytest.mark.parametrize("key", ["C", "C minor"])
def test_a_name_with_the_same_key_is_not(key: str) -> None:
    assert codes(in_key(key)) == []


def test_what_is_not_sure_is_no_argument_against_a_name() -> None:
    assert codes(named(140, confidence=0.5)) == codes(in_key("D minor", confidence=0.5)) == []


def test_an_analysis_of_another_version_is_judged_by_what_it_says() -> None:
    assert codes({}) == []
    assert codes({"tempo": None, "kind": "loop", "defects": [{"code": "hum"}, "x"], "key": {"label": 3}}) == ["hum"]


@pytest.fixture
def report() -> Report:
    made = Report("library/drums <1>")
    made.add("fine.wav", "done", said())
    made.add("a|b *c*.wav", "done", said(defects=clipping()), sample_id="s1")
    bad = (*clipping(), Defect("truncated", "Cut."), Defect("clipping", "Twice.", 1.0, 3.0))
    made.add("<bad>.wav", "reused", said(defects=bad), sample_id="s2")
    made.add("x.txt", "failed", None, reason={"code": "not_audio", "message": "This is not an audio file. Text."})
    made.add("y.wav", "pending", None)
    return made


def test_files_are_counted_by_code_and_the_worst_come_first(report: Report) -> None:
    made = report.to_dict()
    assert made["files"] == {
        "all": 5, "analysed": 3, "clean": 1, "with_defects": 2, "failed": 1, "skipped": 0, "pending": 1
    }  # fmt: skip
    assert [(each["code"], each["files"]) for each in made["defects"]] == [("clipping", 2), ("truncated", 1)]
    assert [each["path"] for each in made["worst"]] == ["<bad>.wav", "a|b *c*.wav"]
    assert made["worst"][0]["score"] == 3 + 5 + 3
    assert made["unread"] == [
        {"code": "not_audio", "message": "This is not an audio file.", "files": 1, "examples": ["x.txt"]}
    ]


def test_memory_does_not_grow_with_the_files() -> None:
    made = Report("many")
    for n in range(1000):
        made.add(f"{n}.wav", "done", said(defects=(replace(clipping()[0], amount=float(n)),)))
    told = made.to_dict()
    assert told["defects"][0]["files"] == 1000
    assert [each["amount"] for each in told["defects"][0]["worst"]] == [
        float(n) for n in range(999, 999 - MOST_EXAMPLES, -1)
    ]
    assert [each["path"] for each in told["worst"]] == [f"{n}.wav" for n in range(MOST_WORST)]


def test_the_page_is_well_formed_and_names_cannot_break_it(report: Report) -> None:
    page = html(report.to_dict(), lambda one: f"<svg id='{one}'/>")
    body = re.sub(r"<!doctype html>|<meta [^>]*>", "", page)
    found = ElementTree.fromstring(body)
    assert [each.text for each in found.iter("code")] == ["<bad>.wav", "a|b *c*.wav", "x.txt"]
    assert [each.get("id") for each in found.iter("svg") if each.get("id")] == ["s2", "s1"]
    assert "5 files, 3 analysed" in page


def test_markdown_has_a_line_for_everything(report: Report) -> None:
    text = markdown(report.to_dict())
    assert "| 2 | Clipped | Render it again" in text
    assert "- **\\<bad\\>.wav**\n  - It clips. At 0.500 s. 3 runs of samples." in text
    assert "a\\|b \\*c\\*.wav" in text
    assert "| 1 | This is not an audio file. | x.txt |" in text


def test_nothing_wrong_is_a_short_report() -> None:
    empty = Report("none").to_dict()
    assert "Worst first" not in html(empty) + markdown(empty)
