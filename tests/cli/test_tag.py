"""``samplemind tag``: shows, writes, and puts back what was there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.demo_library import write_audio
from cli.synth.music import LOOPS, ONE_SHOTS
from config.environment import child_environment

PROJECT = Path(__file__).parents[2]
WANTED = ("techno_drive_132bpm.flac", "Deep House Cm 122bpm.flac", "Round Bass C2.wav")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Two loops and a one-shot whose tempo, key and note are plain to hear, and a file that is no sound."""
    folder = tmp_path_factory.mktemp("made")
    content = {}
    for sound in (*LOOPS, *ONE_SHOTS):
        path = folder / Path(sound.path).name
        if path.name in WANTED:
            write_audio(path, sound.make())
            content[path.name] = path.read_bytes()
    return {**content, "notes.wav": b"not a sound"}


@pytest.fixture
def library(tmp_path: Path, made: dict[str, bytes]) -> Path:
    folder = tmp_path / "library"
    folder.mkdir()
    for name, content in made.items():
        (folder / name).write_bytes(content)
    return folder


def run(library: Path, *options: str) -> tuple[int, dict[str, dict[str, Any]], str]:
    done = subprocess.run(
        [sys.executable, "-m", "cli", "tag", str(library), "--json", "-j", "1", *options],
        cwd=PROJECT,
        env=child_environment(SAMPLEMIND_DATA_DIR=str(library.parent / "data")),
        capture_output=True,
        timeout=200,
        check=False,
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, {Path(row["path"]).name: row for row in rows}, done.stderr.decode()


def contents(library: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in library.iterdir()}


def test_it_shows_first_writes_when_told_to_and_takes_all_of_it_back(library: Path, made: dict[str, bytes]) -> None:
    code, rows, said = run(library)
    assert code == 1, "one of them is no sound"
    assert "add --write" in said
    assert contents(library) == made
    assert rows["techno_drive_132bpm.flac"]["says"]["bpm"] == 132
    assert rows["Deep House Cm 122bpm.flac"]["says"]["key"] == "Cm"
    assert rows["Round Bass C2.wav"]["says"] == {"bpm": None, "key": None, "root_midi": 36}
    assert rows["notes.wav"]["reason"]["code"] == "not_audio"

    _, rows, said = run(library, "--write")
    assert {row["status"] for row in rows.values()} == {"written", "failed"}
    assert "1 failed, 3 written" in said
    changed = {name for name, content in contents(library).items() if content != made[name]}
    assert changed == set(WANTED)

    _, rows, _ = run(library, "--write")
    assert {row["status"] for row in rows.values()} == {"nothing to write", "failed"}
    assert rows["techno_drive_132bpm.flac"]["said"]["bpm"] == 132

    _, rows, _ = run(library, "--undo", "--write")
    assert rows["Round Bass C2.wav"]["status"] == "put back"
    assert contents(library) == made


def test_nothing_that_is_not_sure_is_written(library: Path, made: dict[str, bytes]) -> None:
    _, rows, _ = run(library, "--write", "--no-tempo", "--no-key", "--no-note")
    assert {row["status"] for row in rows.values()} == {"nothing to write", "failed"}
    assert contents(library) == made
