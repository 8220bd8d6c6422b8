"""A job's files saved from the command line, over a real gateway."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet
import pytest
from typer.testing import CliRunner, Result

from cli.app import app
from cli.errors import CommandError, UsageError
from cli.export import save
from tests.api.gateway import Gateway, done, failed, make_gateway
from tests.api.serving import serve


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with serve(make_gateway(tmp_path)) as serving:
        yield serving.url + " " + job_of(serving.gateway)


def job_of(gateway: Gateway) -> str:
    return gateway.folder_job({"kick.wav": done(gateway.sample("kick.wav")), "b.txt": failed()}).id


def run(url: str, *arguments: str) -> Result:
    address, job = url.split()
    return CliRunner().invoke(app, ["jobs", "export", job, "--url", address, *arguments])


def test_the_name_of_the_file_says_the_format(url: str, tmp_path: Path) -> None:
    for name in ("a.parquet", "a.csv", "a.ndjson", "a.xml"):
        assert run(url, "-o", str(tmp_path / name)).exit_code == 0, name
    assert pyarrow.parquet.read_table(tmp_path / "a.parquet").column("bpm").to_pylist() == [120.0, None]
    assert (tmp_path / "a.csv").read_bytes().startswith(b"index,root,path")
    assert [json.loads(line)["path"] for line in (tmp_path / "a.ndjson").read_text().splitlines()] == [
        "kick.wav",
        "b.txt",
    ]
    assert b"DJ_PLAYLISTS" in (tmp_path / "a.xml").read_bytes()
    assert sorted(path.name for path in tmp_path.glob("*.part")) == []


def test_standard_output_holds_nothing_else(url: str) -> None:
    said = run(url, "-o", "-")
    assert len(said.stdout.splitlines()) == 2
    assert said.stderr == ""


def test_a_refusal_leaves_the_file_as_it_was(url: str, tmp_path: Path) -> None:
    kept = tmp_path / "a.csv"
    kept.write_text("mine")
    said = run(url.split()[0] + " nope", "-o", str(kept))
    assert isinstance(said.exception, CommandError)
    assert kept.read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".a")] == []


def test_a_connection_that_breaks_leaves_no_half_file(tmp_path: Path) -> None:
    def breaks() -> Iterator[bytes]:
        yield b"half"
        raise CommandError("The connection broke.")

    with pytest.raises(CommandError):
        save(breaks(), tmp_path / "a.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Cannot write"):
        save(iter([b"x"]), tmp_path / "none" / "a.csv")
