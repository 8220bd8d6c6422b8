"""An answer that was right and is not any more is a fall; the demo library is right throughout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from benchmarks.compare import row_of
from benchmarks.gate.report import MARK, Report, as_json, markdown
from benchmarks.gate.rightness import Fell, compared, midi
from benchmarks.gate.turns import Pair
from tests.servers import PROJECT

LABELS = """path,kind,bpm,key,mode,note_midi,no_tempo,no_key
a.wav,loop,120,C,minor,,,
b.wav,loop,90,,,,,yes
c.wav,one-shot,,,,60,yes,
d.wav,one-shot,,,,,yes,
"""


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.csv"
    path.write_text(LABELS)
    return path


def said(**changes: dict[str, Any]) -> list[dict[str, Any]]:
    """Right answers to `LABELS`, but for these."""
    right = {
        "a": {"path": "a", "bpm": 120.0, "key": "C minor", "kind": "loop"},
        "b": {"path": "b", "bpm": 90.0, "kind": "loop"},
        "c": {"path": "c", "kind": "one-shot", "note_midi": 60},
        "d": {"path": "d", "kind": "one-shot"},
    }
    return [{**answer, **changes.get(name, {})} for name, answer in right.items()]


@pytest.mark.parametrize(
    ("changes", "question"),
    [
        ({"a": {"bpm": 60.0}}, "tempo"),
        ({"c": {"bpm": 120.0}}, "no tempo"),
        ({"a": {"key": "D# major"}}, "key"),
        ({"b": {"key": "D# major"}}, "no key"),
        ({"c": {"note_midi": None}}, "note"),
        ({"d": {"kind": "loop"}}, "kind"),
    ],
)
def test_a_file_fewer_is_a_fall(labels: Path, changes: dict[str, Any], question: str) -> None:
    fell = [each for each in compared(labels, said(**changes), said()) if each.fell]
    assert [each.question for each in fell] == [question]
    assert [Path(path).stem for path in fell[0].lost] == list(changes)
    assert not any(each.fell for each in compared(labels, said(), said(**changes)))


def test_one_lost_and_one_gained_is_no_fall(labels: Path) -> None:
    tempo = compared(labels, said(a={"bpm": 1.0}), said(b={"bpm": 1.0}))[0]
    assert (tempo.question, tempo.head_right, tempo.base_right, tempo.fell) == ("tempo", 1, 1, False)
    assert [Path(path).name for path in (*tempo.lost, *tempo.gained)] == ["a.wav", "b.wav"]


def test_notes_have_numbers() -> None:
    assert [midi(note) for note in ("C-1", "A4", "C#3")] == [0, 69, 49]


def report(labels: Path, slow: float = 1.0, answers: list[Fell] | None = None) -> Report:
    rows = [
        row_of(case, [Pair(n, 2e-6 * factor, 2e-6) for n in range(3)], 1)
        for case, factor in (("kernels: K1", slow), ("queue: new files", 1.0))
    ]
    return Report(
        "origin/main",
        "abc",
        rows,
        ["kernels: K12"],
        {},
        compared(labels, said(), said()) if answers is None else answers,
    )


def test_the_page_says_what_is_worse_and_can_be_found_again(labels: Path) -> None:
    fine, slow = report(labels), report(labels, slow=1.3)
    fell = report(labels, answers=compared(labels, said(a={"bpm": 1.0}), said()))
    assert not fine.regressions
    assert "Nothing is slower" in markdown(fine)
    assert slow.regressions == ["kernels: K1"]
    assert fell.regressions == ["accuracy: tempo"]
    assert "| tempo | 2 | 2 | 1 | fell: - a.wav |" in " ".join(markdown(fell).split())
    for page in map(markdown, (fine, slow, fell)):
        assert page.startswith(MARK)
        assert "kernels: K12" in page
    assert "1.300" in markdown(slow)


def test_the_figures_fit_their_schema(labels: Path) -> None:
    import json

    schema = json.loads((PROJECT / "benchmarks" / "gate" / "schema.json").read_text())
    for each in (report(labels), report(labels, slow=1.3)):
        jsonschema.validate(json.loads(json.dumps(as_json(each))), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**as_json(report(labels)), "rows": [{}]}, schema)
