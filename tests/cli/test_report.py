"""Reports from the command line: of a folder, of the lines of an earlier run, of a job."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from cli.app import app
from cli.errors import UsageError
from tests.api.gateway import clipping, done, make_gateway
from tests.api.serving import serve

CLIPS = {"code": "clipping", "message": "It clips."}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["report", *arguments])


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    rows = [
        {"path": "a.wav", "status": "done", "audio": {"duration_s": 1}, "defects": [CLIPS]},
        {"path": "b.txt", "status": "failed", "reason": {"code": "not_audio", "message": "No."}},
    ]
    made = tmp_path / "found.ndjson"
    made.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return made


def test_a_folder_is_analysed_and_judged(tmp_path: Path) -> None:
    folder = tmp_path / "pack"
    folder.mkdir()
    y = 0.5 * np.sin(np.arange(22050) / 20) * np.exp(-np.arange(22050) / 4000)
    soundfile.write(folder / "late.wav", np.concatenate([np.zeros(22050), y]), 44100)
    (folder / "x.wav").write_text("no sound")
    said = run(str(folder), "--format", "json")
    made = json.loads(said.stdout)
    assert (made["title"], made["files"]["failed"]) == ("pack", 1)
    assert "silent_head" in [each["code"] for each in made["defects"]]


def test_lines_of_analyze_are_not_analysed_again(lines: Path, tmp_path: Path) -> None:
    assert "- **a.wav**\n  - It clips." in run(str(lines)).stdout
    page = tmp_path / "report.html"
    assert run(str(lines), "-o", str(page)).exit_code == 0
    assert page.read_text().startswith("<!doctype html>")


@pytest.mark.parametrize("line", ["{", "[1]", "\xff"])
def test_other_lines_are_refused(tmp_path: Path, line: str) -> None:
    odd = tmp_path / "odd.ndjson"
    odd.write_bytes(line.encode("latin-1"))
    assert isinstance(run(str(odd)).exception, UsageError)


def test_what_is_neither_file_nor_job_is_said() -> None:
    assert "neither a file or folder" in str(run("no/such/folder").exception)


def test_a_job_is_asked_of_the_gateway(tmp_path: Path) -> None:
    with serve(make_gateway(tmp_path)) as there:
        job = there.gateway.folder_job({"a.wav": done(there.gateway.sample("a.wav", defects=clipping()))}).id
        assert "**a.wav**" in run(job, "--url", there.url).stdout
        assert json.loads(run(job, "--url", there.url, "--format", "json").stdout)["job"] == job
