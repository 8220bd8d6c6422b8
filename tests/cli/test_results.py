from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from cli.demo_truth import Truth
from cli.results import refused_table, results_table


def sample(bpm: float | None = None, key: str | None = None, note: str | None = None) -> dict[str, Any]:
    return {
        "kind": {"label": "loop"},
        "tempo": {"bpm": bpm},
        "key": {"label": key, "camelot": key and "8A"},
        "pitch": {"note": note},
        "loudness": {"integrated_lufs": None, "rms_dbfs": -20.04},
    }


def row(path: str, status: str = "done", reason: str | None = None) -> dict[str, Any]:
    said = None if reason is None else {"code": "x", "message": reason}
    return {"path": path, "status": status, "reason": said, "sample_id": None if reason else path}


def text(table: Table) -> list[str]:
    console = Console(width=200, no_color=True)
    with console.capture() as captured:
        console.print(table)
    return captured.get().splitlines()


def test_a_right_answer_is_marked_and_a_wrong_one_shows_what_was_expected() -> None:
    rows = [row("a"), row("b"), row("c"), row("d")]
    samples = {"a": sample(120.4), "b": sample(126), "c": sample(60), "d": sample()}
    truths = {name: Truth(name, bpm=120.0) for name in "abcd"}
    table, score = results_table(rows, samples, truths)
    lines = text(table)
    assert "120.4 ✓" in lines[1]
    assert "126 ✗ 120" in lines[2]
    assert "60 half of 120" in lines[3]
    assert "- ✗ 120" in lines[4]
    assert score.lines() == ["tempo 1 of 4"]


def test_what_is_unknown_is_a_dash_and_where_no_truth_is_known_nothing_is_judged() -> None:
    table, score = results_table([row("a")], {"a": sample()}, {})
    assert text(table)[1].split() == ["a", "loop", "-", "-", "-", "-20.0", "dB", "RMS", "done"]
    assert score.lines() == []


def test_broken_files_stand_apart_with_their_reasons() -> None:
    rows = [row("a"), row("[b]", "failed", "It is empty [really].")]
    truths = {"[b]": Truth("[b]", ends="refused")}
    table, score = results_table(rows, {"a": sample()}, truths)
    assert len(text(table)) == 2
    assert score.lines() == ["broken files refused 1 of 1"]
    refused = refused_table(rows)
    assert refused is not None
    assert text(refused)[1].split() == ["[b]", "failed", "It", "is", "empty", "[really]."]
    assert refused_table([row("a")]) is None
