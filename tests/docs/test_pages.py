"""Pages that speak of code: their examples run, their tables are complete, their links and pictures are there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.workers.analysis.sounds import Signal, as_frames, cadence, drum_loop, info_of, tone
from workers.analysis import analyze
from workers.audio.hints import Hints
from workers.file import finite

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))


def fields(value: Any, name: str = "") -> Iterator[str]:
    """Every field of a JSON object, as ``a.b`` and ``a[].b``."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from fields(inner, f"{name}.{key}" if name else key)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        yield from fields(value[0], f"{name}[]")
    elif value != []:
        yield name


def sounds() -> list[tuple[Signal, Hints]]:
    return [
        (np.clip(drum_loop(120, 8) * 8, -1, 1), Hints(name_bpm=120.0)),
        (cadence(9, "minor"), Hints()),
        (as_frames(0.5 * tone(57, 1.0)), Hints()),
        (as_frames(np.zeros(4000)), Hints()),
    ]


def test_every_field_of_an_analysis_is_described_and_no_other() -> None:
    said = set()
    for y, hints in sounds():
        said |= set(fields(finite(analyze(y, info_of(y), hints).to_dict())))
    described = re.findall(r"^\| `([a-z0-9_.\[\]]+)` \|", (DOCS / "descriptors.md").read_text("utf-8"), re.MULTILINE)
    assert len(described) == len(set(described))
    assert set(described) == said


def test_the_example_in_python_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    soundfile.write(tmp_path / "loop.wav", drum_loop(120), 44100)
    soundfile.write(tmp_path / "kick.wav", np.sin(np.arange(9000) / 140) * np.exp(-np.arange(9000) / 2000), 44100)
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r"```python\n(.*?)```", (DOCS / "howto" / "analyze.md").read_text("utf-8"), re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        exec(compile(example, "docs/howto/analyze.md", "exec"), {"__name__": "example"})
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("loop.wav loop 120.0")
    assert said[1].startswith("kick.wav one-shot None")
    assert said[2] == "A3"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_links_and_pictures_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / target).exists(), target


def test_no_word_is_explained_twice() -> None:
    words = re.findall(r"^\| (.+?) \|", (DOCS / "glossary.md").read_text("utf-8"), re.MULTILINE)
    assert len(words) == len(set(words))
