"""Pushing a folder to a gateway that listens."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

import cli.push
from cli.app import app
from cli.errors import Interrupted
from cli.found import Cluster
from cli.gateway import Gateway as Client
from cli.gateway import Refused, Unreachable
from cli.sending import Sending, hash_file
from tests.api.gateway import make_gateway
from tests.api.serving import Serving, serve

LONG = bytes(range(256)) * 8000


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Serving]:
    with serve(make_gateway(tmp_path, upload_roots=("library",))) as serving:
        yield serving


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """Three files, two of them with the same content, a hidden one and an empty one."""
    folder = tmp_path / "pack"
    (folder / "loops").mkdir(parents=True)
    files = {"kick.wav": b"kick", "loops/a ü.wav": LONG, "loops/copy.wav": b"kick", ".no.wav": b"x"}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def run(there: Serving, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["push", "--url", there.url, *arguments])


def jobs(there: Serving) -> list[dict[str, Any]]:
    return list(httpx.get(f"{there.url}/v1/jobs", timeout=10).json()["items"])


def test_only_what_is_lacking_is_sent(there: Serving, pack: Path) -> None:
    first = run(there, str(pack))
    assert "3 files: 2 sent, 1 were there already." in first.stderr, first.output
    again = run(there, str(pack))
    assert "3 files: 0 sent, 3 were there already." in again.stderr
    (made,) = jobs(there)
    assert (made["counts"]["submitted"], first.stdout.strip()) == (2, made["id"])


def test_into_a_library_root_it_keeps_its_folders(there: Serving, pack: Path) -> None:
    assert run(there, str(pack), "--root", "library", "--path", "new").exit_code == 0
    root = there.gateway.settings.roots["library"] / "new"
    files = {str(each.relative_to(root)): each.read_bytes() for each in root.rglob("*") if each.is_file()}
    assert files == {"kick.wav": b"kick", "loops/a ü.wav": LONG, "loops/copy.wav": b"kick"}
    assert [job["source"]["path"] for job in jobs(there)] == ["new"]
    assert "3 were there already" in run(there, str(pack), "--root", "library", "--path", "new").stderr
    assert len(jobs(there)) == 1


def test_what_is_refused_is_named_and_the_rest_sent(there: Serving, pack: Path) -> None:
    (pack / "empty.wav").touch()
    (there.gateway.settings.roots["library"] / "kick.wav").write_bytes(b"another")
    said = run(there, str(pack), "--root", "library", "--no-analyze")
    assert said.exit_code == 1
    assert "empty.wav: The file is empty" in said.stderr
    assert "kick.wav: There is another file" in said.stderr
    assert "4 files: 2 sent, 0 were there already, 2 refused." in said.stderr
    assert jobs(there) == []


def test_a_root_that_takes_nothing_is_said(there: Serving, pack: Path) -> None:
    assert "gateway.upload_roots" in run(there, str(pack), "--root", "other").stderr


class Breaking(Client):
    """A connection that breaks in the middle of a file, so many times."""

    breaks = 1

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        if method != "PATCH" or self.breaks == 0:
            return super().ask(method, path, **options)
        self.breaks -= 1
        half = next(iter(options["content"]))
        super().ask(method, path, **{**options, "content": half})
        raise Unreachable("The connection broke.")


def sent_with(client: Client, path: Path) -> tuple[dict[str, Any], int, list[float]]:
    steps, pauses = [0], []
    metadata = {"filename": "a.wav", "sha256": hash_file(str(path), lambda _: None), "analyze": "false"}
    with client:
        said = Sending(client, pauses.append).send(str(path), metadata, lambda n: steps.append(n))
    return said, sum(steps), pauses


def test_it_goes_on_after_a_break(there: Serving, pack: Path) -> None:
    client = Breaking(Cluster(there.url))
    client.breaks = 3
    said, stepped, pauses = sent_with(client, pack / "loops" / "a ü.wav")
    assert (said["done"], said["sha256"]) == (True, hashlib.sha256(LONG).hexdigest())
    assert stepped == len(LONG)
    assert len(pauses) == 3


def test_it_gives_up_where_nothing_gets_on(there: Serving, pack: Path) -> None:
    class Dead(Client):
        def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
            if method == "PATCH":
                raise Unreachable("Nobody answers.")
            return super().ask(method, path, **options)

    with pytest.raises(Unreachable):
        sent_with(Dead(Cluster(there.url)), pack / "kick.wav")


def test_a_file_that_changed_since_it_was_hashed_is_refused(there: Serving, pack: Path) -> None:
    metadata = {"filename": "a.wav", "sha256": "0" * 64}
    with Client(Cluster(there.url)) as client, pytest.raises(Refused, match="another SHA-256"):
        Sending(client).send(str(pack / "kick.wav"), metadata, lambda _: None)


def test_ctrl_c_says_how_to_go_on(there: Serving, pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = cli.push.Sending.send

    def send(self: Sending, path: str, *more: Any) -> Any:
        if path.endswith("copy.wav"):
            raise KeyboardInterrupt
        return kept(self, path, *more)

    monkeypatch.setattr(cli.push.Sending, "send", send)
    with pytest.raises(Interrupted, match=r"3 files: 2 sent.*goes on from there"), Client(Cluster(there.url)) as client:
        cli.push.push(client, str(pack), "library", "", analyze=True)
    monkeypatch.undo()
    assert "1 sent, 2 were there already" in run(there, str(pack), "--root", "library").stderr
