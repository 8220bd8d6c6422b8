"""The quarantine from the command line, over a real gateway."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import cli.quarantine
from api.reproduce import reproduce
from cli.found import Cluster
from cli.gateway import Gateway as Client
from cli.named import local_path
from stores.records import FileRef, Reason, Row, Status
from tests.api.gateway import Gateway, make_gateway

BROKEN = Row(Status.FAILED, reason=Reason("decode_failed", "It breaks off in the middle."))
DEADLY = Row(Status.FAILED, reason=Reason("killed_worker", "ended by SIGSEGV (3 times)."))
Run = Callable[..., Result]


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    made = make_gateway(tmp_path)
    with made.client:
        yield made


@pytest.fixture
def run(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Run:
    def connect(*_: object) -> Client:
        client = Client(Cluster("http://127.0.0.1"))
        monkeypatch.setattr(client, "_client", gateway.client)
        monkeypatch.setattr(Client, "__exit__", lambda *_: None)
        return client

    monkeypatch.setattr(cli.quarantine, "connect", connect)
    return lambda *arguments: CliRunner().invoke(cli.quarantine.quarantine, list(arguments))


def test_an_empty_one_says_so(run: Run) -> None:
    assert "every file ended well" in run().stderr


def test_what_failed_is_listed_by_cause_and_shown_with_its_command(gateway: Gateway, run: Run) -> None:
    gateway.folder_job({"a b.wav": BROKEN, "c.wav": DEADLY, "d.wav": BROKEN})
    listed = " ".join(run("list", "--cause", "decode_failed").stdout.split())
    assert "2 decode_failed The audio is damaged" in listed
    assert "killed_worker" not in listed
    assert "1 killed_worker The file took" in " ".join(run("list").stdout.split())
    assert "library:a b.wav" in listed
    assert "library:c.wav" not in listed
    assert "There are more" in run("list", "-n", "1").stderr
    none = run("list", "--cause", "blub")
    assert "No file in quarantine failed as 'blub'. There are: decode_failed, killed_worker." in none.stderr
    assert none.stdout == ""
    file_id = gateway.client.get("/v1/quarantine").json()["items"][0]["id"]
    shown = " ".join(run("show", file_id).stdout.split())
    assert "./samplemind analyze -j 1 'library:a b.wav'" in shown
    assert run("list", "--json").stdout.count('"reproduce"') == 3


def test_a_cause_or_files_are_tried_again(gateway: Gateway, run: Run) -> None:
    gateway.folder_job({"a.wav": BROKEN, "b.wav": DEADLY, "c.wav": BROKEN})
    done = run("retry", "--cause", "decode_failed")
    assert "tries 2 files again" in done.stderr
    assert gateway.stores.ledger.job(done.stdout.strip()).counts.submitted == 2
    (left,) = gateway.client.get("/v1/quarantine").json()["items"]
    assert "tries 1 file again" in run("retry", left["id"]).stderr
    assert "No file in the quarantine failed as 'decode_failed'" in str(
        run("retry", "--cause", "decode_failed").exception
    )


def test_a_name_does_nothing_to_the_terminal(gateway: Gateway, run: Run) -> None:
    gateway.folder_job({"a\x1b[2J\n\u202e[red]b.wav": BROKEN})
    said = run("list").stdout
    assert r"library:a\x1b[2J\n\u202e[red]b.wav" in said
    assert not {"\x1b", "\u202e"} & set(said)
    assert json.loads(run("list", "--json").stdout)["path"] == "a\x1b[2J\n\u202e[red]b.wav"


@pytest.mark.parametrize("arguments", [[], ["--cause", "x", "an-id"]])
def test_it_is_said_what_to_give(run: Run, arguments: list[str]) -> None:
    assert "either the ids of files or --cause" in str(run("retry", *arguments).exception)


def test_the_command_finds_the_file_by_its_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLEMIND_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("SAMPLEMIND_ROOTS", f'{{"library": "{tmp_path}"}}')
    monkeypatch.chdir(tmp_path)
    assert local_path("library:old/kick.wav") == f"{tmp_path}/old/kick.wav"
    assert reproduce(FileRef("library", "old/kick.wav")).endswith(" library:old/kick.wav")
    assert os.fsencode(local_path("library:\udcff.wav")) == os.fsencode(tmp_path) + b"/\xff.wav"
    assert local_path("elsewhere:old/kick.wav") == "elsewhere:old/kick.wav"
    (tmp_path / "library:here.wav").touch()
    assert local_path("library:here.wav") == "library:here.wav"
    assert local_path(str(tmp_path / "none.wav")) == str(tmp_path / "none.wav")
