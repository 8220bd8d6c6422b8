"""Uploads: hashed while they come in, in their place only when whole."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from api.errors import Problem
from api.uploads import Uploads, safe_name
from stores.records import Priority
from tests.api.gateway import Gateway, counts

SOUND = b"RIFF" + bytes(range(256)) * 5000
SHA = hashlib.sha256(SOUND).hexdigest()


def stored(gateway: Gateway) -> list[str]:
    folder = gateway.settings.uploads_dir
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(str(path) for path in files if path.parts[0] != ".owners")


def test_an_upload_is_kept_by_its_hash_and_analysed(gateway: Gateway) -> None:
    answer = gateway.client.post("/v1/uploads?name=kick.wav", content=SOUND)
    assert answer.status_code == 201, answer.text
    said = answer.json()
    place = f"{SHA[:2]}/{SHA}/kick.wav"
    assert (said["root"], said["path"], said["sha256"], said["size"]) == ("uploads", place, SHA, len(SOUND))
    assert not said["known"]
    assert stored(gateway) == [place]
    assert (gateway.settings.uploads_dir / place).read_bytes() == SOUND
    assert (said["job"]["priority"], counts(said["job"])) == ("interactive", {"submitted": 1, "pending": 1})
    assert [priority for priority, _ in gateway.sent.chunk_ids] == [Priority.INTERACTIVE]


def test_it_need_not_be_analysed(gateway: Gateway) -> None:
    said = gateway.client.post("/v1/uploads?name=kick.wav&analyze=false", content=SOUND).json()
    assert said["job"] is None
    assert gateway.client.get("/v1/jobs").json()["items"] == []


def test_the_same_content_again_is_known(gateway: Gateway) -> None:
    first = gateway.client.post("/v1/uploads?name=kick.wav", content=SOUND).json()
    again = gateway.client.post("/v1/uploads?name=kick.wav", content=SOUND).json()
    assert (first["known"], again["known"]) == (False, True)
    assert stored(gateway) == [first["path"]]


def test_another_hash_than_was_said_is_refused(gateway: Gateway) -> None:
    answer = gateway.client.post(f"/v1/uploads?name=a.wav&sha256={'0' * 64}", content=SOUND)
    assert (answer.status_code, answer.json()["code"]) == (422, "hash_mismatch")
    assert stored(gateway) == []
    good = gateway.client.post(f"/v1/uploads?name=a.wav&sha256={SHA.upper()}", content=SOUND)
    assert good.status_code == 201


@pytest.mark.parametrize(
    "query", ["", "?name=", "?name=..", "?name=a.wav&sha256=xyz", "?name=a.wav&colour=red", "?name=a.wav&analyze=maybe"]
)
def test_an_upload_that_makes_no_sense_is_refused(gateway: Gateway, query: str) -> None:
    assert gateway.client.post(f"/v1/uploads{query}", content=SOUND).status_code == 422
    assert stored(gateway) == []


def test_an_empty_body_is_no_file(gateway: Gateway) -> None:
    answer = gateway.client.post("/v1/uploads?name=a.wav", content=b"")
    assert (answer.status_code, answer.json()["code"]) == (422, "empty_file")
    assert stored(gateway) == []


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("kick.wav", "kick.wav"),
        ("../../etc/passwd", "passwd"),
        ("C:\\sounds\\kick.wav", "kick.wav"),
        ("a\0b\n.wav", "a_b_.wav"),
        (".hidden.wav", "hidden.wav"),
        ("Ä 120 C#m.wav", "Ä 120 C#m.wav"),
        ("x" * 500 + ".flac", "x" * 195 + ".flac"),
        ("ä" * 500 + ".wav", "ä" * 98 + ".wav"),
        ("folder/", "folder"),
    ],
)
def test_names_are_made_harmless(name: str, safe: str) -> None:
    assert safe_name(name) == safe
    assert len(safe.encode()) <= 200


@pytest.mark.parametrize("name", ["", ".", "..", "///", "\0", ". ."])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(Problem):
        safe_name(name)


async def body_of(*pieces: bytes, then: Exception | None = None) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
    if then is not None:
        raise then


def test_half_an_upload_leaves_nothing(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path, 1000)
    with pytest.raises(ConnectionError):
        asyncio.run(uploads.receive("ann", "a.wav", None, body_of(b"RIFF", then=ConnectionError())))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_one_that_is_too_long_leaves_nothing(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path, 1000)
    with pytest.raises(Problem) as caught:
        asyncio.run(uploads.receive("ann", "a.wav", None, body_of(b"x" * 600, b"x" * 600)))
    assert caught.value.status_code == 413
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Problem) as caught:
        asyncio.run(Uploads(tmp_path, 1000).receive("ann", "a.wav", None, body_of(b"RIFF")))
    assert caught.value.status_code == 503
    assert caught.value.headers == {"Retry-After": "60"}
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_what_a_killed_gateway_left_is_swept_after_a_day(tmp_path: Path) -> None:
    incoming = tmp_path / ".incoming"
    incoming.mkdir()
    (incoming / "old").write_bytes(b"x")
    (incoming / "new").write_bytes(b"x")
    os.utime(incoming / "old", (0, 0))
    Uploads(tmp_path, 1000).sweep()
    assert [path.name for path in incoming.iterdir()] == ["new"]


def test_only_what_is_missing_need_be_sent(gateway: Gateway) -> None:
    gateway.client.post("/v1/uploads?name=a.wav&analyze=false", content=SOUND)
    analysed = gateway.sample("b.wav").split("-")[0]
    missing = "f" * 64
    answer = gateway.client.post("/v1/uploads/check", json={"sha256": [SHA.upper(), analysed, missing, missing]})
    assert answer.json() == {"missing": [missing]}


@pytest.mark.parametrize("sent", [{}, {"sha256": "x"}, {"sha256": ["x"]}, {"sha256": ["0" * 64] * 1001}, [], None])
def test_a_check_that_makes_no_sense_is_refused(gateway: Gateway, sent: object) -> None:
    assert gateway.client.post("/v1/uploads/check", json=sent).status_code == 422
