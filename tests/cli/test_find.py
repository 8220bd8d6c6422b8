"""Finding sounds from the command line, over a real gateway."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import cli.find
from cli.app import app
from cli.find import where_of
from tests.api.gateway import Gateway, make_gateway
from tests.cli.asking import asks
from workers.model import Tempo


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    made = make_gateway(tmp_path)
    asks(cli.find, made, monkeypatch)
    for bpm in (90, 100, 120):
        made.sample(f"loop {bpm}.wav", tempo=Tempo(bpm, 0.9, 8, (), None))
    made.index()
    with made.client:
        yield made


def find(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["find", *arguments])


def paths(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    return [row.get("sample", row)["files"][0]["path"] for row in rows]


def test_filters_and_an_order_are_those_of_a_listing(library: Gateway) -> None:
    assert paths(find("bpm=95..", "kind=loop,track", "--sort=-bpm", "--json")) == ["loop 120.wav", "loop 100.wav"]
    assert paths(find("range=tempo.confidence:..0.5", "--json")) == []
    said = find("bpm=120")
    assert "120" in said.stdout
    assert "library:loop 120.wav" in said.stdout
    assert "Nothing was found" in find("text=snare").stderr


def test_what_sounds_alike_goes_by_an_id_or_by_words_of_a_path(library: Gateway) -> None:
    listed = library.client.get("/v1/samples?text=120").json()["items"][0]["sample_id"]
    for like in ("120.wav", listed):
        assert sorted(paths(find("--like", like, "--json"))) == ["loop 100.wav", "loop 90.wav"]
        assert paths(find("bpm=95..110", "--like", like, "--json")) == ["loop 100.wav"]
    assert "Several sounds" in str(find("--like", "loop").exception)
    assert "No sound" in str(find("--like", "snare").exception)


def test_a_search_is_saved_listed_asked_anew_and_forgotten(library: Gateway) -> None:
    assert paths(find("bpm=95..", "--sort", "bpm", "--save", "fast ones", "--json")) == ["loop 100.wav", "loop 120.wav"]
    assert len(paths(find("kind=loop", "--like", "120.wav", "--save", "like it", "--json"))) == 2
    library.sample("loop 130.wav", tempo=Tempo(130.0, 0.9, 8, (), None))
    assert paths(find("--saved", "fast ones", "--json")) == ["loop 100.wav", "loop 120.wav", "loop 130.wav"]
    assert len(paths(find("--saved", "like it", "--json"))) == 2
    assert "fast ones" in find("--searches").stdout
    assert find("--forget", "fast ones").exit_code == 0
    assert "fast ones" not in find("--searches").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["loop"], "NAME=VALUE"),
        (["bpm=1..2", "bpm=3"], "given twice"),
        (["--saved", "a", "kind=loop"], "go alone"),
        (["--like", "120.wav", "--sort", "bpm"], "leave out --sort"),
        (["--like", "120.wav", "bpm=fast"], "is a range"),
        (["colour=red"], "colour"),
        (["--saved", "none"], "no such search"),
    ],
)
def test_what_makes_no_sense_is_said_in_a_sentence(library: Gateway, arguments: list[str], said: str) -> None:
    result = find(*arguments)
    assert result.exit_code != 0
    assert said in str(result.exception)


def test_filters_of_a_listing_are_those_of_a_search() -> None:
    given = [("kind", "loop, track"), ("bpm", "118..122"), ("duration", "..2"), ("favourite", "true"), ("text", "a b")]
    given += [("range", "loudness.integrated_lufs:-20..-10"), ("range", "pitch.midi:60")]
    assert where_of(given) == {
        "kind": ["loop", "track"],
        "bpm": [118, 122],
        "duration": [None, 2],
        "favourite": True,
        "text": "a b",
        "range": {"loudness.integrated_lufs": [-20, -10], "pitch.midi": [60, 60]},
    }
