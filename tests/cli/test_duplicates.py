"""Copies from the command line, over a real gateway."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

import cli.duplicates
from cli.app import app
from stores.records import FileRef
from tests.api.gateway import Gateway, make_gateway
from tests.cli.asking import asks


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    made = make_gateway(tmp_path)
    asks(cli.duplicates, made, monkeypatch)
    with made.client:
        yield made


def test_copies_are_shown_with_the_one_to_keep_first(gateway: Gateway) -> None:
    for name in ("b", "c"):
        kept = gateway.sample(f"{name}.wav")
        gateway.stores.samples.seen_at([(kept, FileRef("library", f"{name} [again].wav"))])
    gateway.index()
    said = CliRunner().invoke(app, ["duplicates", "--kind", "exact"])
    lines = said.stdout.splitlines()
    assert said.exit_code == 0, said.stderr
    assert sum(line.startswith("exact  The same bytes") for line in lines) == 2
    assert "  keep  library:b.wav  8.000 s, WAV PCM_24, 44.1 kHz, stereo" in lines
    assert "        library:b [again].wav  8.000 s, WAV PCM_24, 44.1 kHz, stereo" in lines
    one = CliRunner().invoke(app, ["duplicates", "--kind", "exact", "--json", "-n", "1"])
    assert [json.loads(line)["kind"] for line in one.stdout.splitlines()] == ["exact"]
    assert "--limit shows more" in CliRunner().invoke(app, ["duplicates", "--kind", "exact", "-n", "1"]).stderr


def test_none_is_said(gateway: Gateway) -> None:
    gateway.sample("alone.wav")
    gateway.index()
    assert "No copies were found." in CliRunner().invoke(app, ["duplicates"]).stderr
