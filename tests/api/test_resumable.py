"""Uploads that go on where they broke off, into the gateway's own root and into library roots that take them."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.gateway import Gateway, make_gateway

SOUND = b"RIFF" + bytes(range(256)) * 5000
SHA = hashlib.sha256(SOUND).hexdigest()
HERE = "/v1/uploads/resumable"


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    made = make_gateway(tmp_path, upload_roots=("library", "unknown"))
    with made.client:
        yield made


def begin(gateway: Gateway, length: int = len(SOUND), **said: str) -> Any:
    pairs = (f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in said.items())
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(length), "Upload-Metadata": ",".join(pairs)}
    return gateway.client.post(HERE, headers=headers)


def send(gateway: Gateway, place: str, data: bytes, at: int, **headers: str) -> Any:
    said = {"Upload-Offset": str(at), "Content-Type": "application/offset+octet-stream", **headers}
    return gateway.client.patch(place, content=data, headers=said)


def library(gateway: Gateway) -> dict[str, bytes]:
    root = gateway.settings.roots["library"]
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_it_goes_on_where_it_broke_off(gateway: Gateway) -> None:
    begun = begin(gateway, filename="kick.wav", filetype="audio/wav")
    assert (begun.status_code, begun.headers["tus-resumable"]) == (201, "1.0.0")
    place = begun.headers["location"]
    assert send(gateway, place, SOUND[:1000], 0).headers["upload-offset"] == "1000"
    asked = gateway.client.head(place)
    assert (asked.headers["upload-offset"], asked.headers["upload-length"]) == ("1000", str(len(SOUND)))
    last = send(gateway, place, SOUND[1000:], 1000)
    assert (last.status_code, last.headers["upload-offset"]) == (204, str(len(SOUND)))
    said = gateway.client.get(place).json()
    assert (said["done"], said["sha256"], said["path"]) == (True, SHA, f"{SHA[:2]}/{SHA}/kick.wav")
    assert (gateway.settings.uploads_dir / said["path"]).read_bytes() == SOUND
    assert gateway.client.get(f"/v1/jobs/{said['job']}").json()["counts"]["submitted"] == 1


def test_the_same_upload_again_is_as_far_as_it_came(gateway: Gateway) -> None:
    said = {"filename": "kick.wav", "sha256": SHA, "analyze": "false"}
    place = begin(gateway, **said).headers["location"]
    send(gateway, place, SOUND[:1000], 0)
    again = begin(gateway, **said)
    assert (again.headers["location"], again.json()["offset"]) == (place, 1000)
    send(gateway, place, SOUND[1000:], 1000)
    known = begin(gateway, **said).json()
    assert (known["done"], known["known"], known["offset"]) == (True, True, len(SOUND))
    assert gateway.client.get("/v1/jobs").json()["items"] == []


def test_into_a_library_root(gateway: Gateway) -> None:
    said = {"root": "library", "path": "packs/new/kick.wav", "sha256": SHA}
    place = begin(gateway, **said).headers["location"]
    send(gateway, place, SOUND, 0)
    assert library(gateway) == {"packs/new/kick.wav": SOUND}
    assert gateway.client.get(place).json()["job"]
    assert begin(gateway, **said).json()["known"]
    elsewhere = begin(gateway, **{**said, "path": "other.wav"}).json()
    assert (elsewhere["done"], elsewhere["offset"]) == (False, 0)


def test_what_was_uploaded_before_need_not_be_sent_into_a_root(gateway: Gateway) -> None:
    gateway.client.post("/v1/uploads?name=kick.wav&analyze=false", content=SOUND)
    said = begin(gateway, root="library", path="a/kick.wav", sha256=SHA, analyze="false").json()
    assert (said["done"], said["known"]) == (True, True)
    assert library(gateway) == {"a/kick.wav": SOUND}


def test_nothing_that_is_there_is_replaced(gateway: Gateway) -> None:
    root = gateway.settings.roots["library"]
    (root / "kick.wav").write_bytes(b"mine")
    refused = begin(gateway, root="library", path="kick.wav", sha256=SHA)
    assert (refused.status_code, refused.json()["code"]) == (409, "name_taken")
    place = begin(gateway, root="library", path="kick.wav").headers["location"]
    assert send(gateway, place, SOUND, 0).status_code == 409
    assert library(gateway) == {"kick.wav": b"mine"}


@pytest.mark.parametrize(
    "path", ["../out.wav", "/out.wav", "a/../../out.wav", ".hidden/a.wav", "a//b.wav", "a\\b.wav", ""]
)
def test_no_path_leads_out_or_hides(gateway: Gateway, path: str, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*.wav"))
    assert begin(gateway, root="library", path=path).status_code == 422
    assert sorted(tmp_path.rglob("*.wav")) == before


def test_no_link_is_followed_out_of_the_root(gateway: Gateway, tmp_path: Path) -> None:
    root, outside = gateway.settings.roots["library"], tmp_path / "outside"
    outside.mkdir()
    (root / "way").symlink_to(outside)
    (root / "file.wav").symlink_to(outside / "file.wav")
    for path in ("way/a.wav", "file.wav"):
        answer = begin(gateway, root="library", path=path)
        if answer.status_code == 201:
            answer = send(gateway, answer.headers["location"], SOUND, 0)
        assert answer.status_code == 409, path
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("root", ["unknown", "nope"])
def test_other_roots_take_nothing(gateway: Gateway, root: str) -> None:
    assert begin(gateway, root=root, path="a.wav").status_code == 403


def test_another_hash_than_was_said_leaves_nothing(gateway: Gateway) -> None:
    place = begin(gateway, root="library", path="a.wav", sha256="0" * 64).headers["location"]
    answer = send(gateway, place, SOUND, 0)
    assert (answer.status_code, answer.json()["code"]) == (422, "hash_mismatch")
    assert gateway.client.get(place).status_code == 404
    assert library(gateway) == {}


def test_a_wrong_offset_says_the_right_one_and_takes_nothing(gateway: Gateway) -> None:
    place = begin(gateway, filename="a.wav").headers["location"]
    send(gateway, place, SOUND[:10], 0)
    for at in (0, 9, 11):
        answer = send(gateway, place, SOUND[10:], at)
        assert (answer.status_code, answer.json()["offset"]) == (409, 10)


def test_more_than_was_said_is_refused(gateway: Gateway) -> None:
    place = begin(gateway, 10, filename="a.wav").headers["location"]
    assert send(gateway, place, b"x" * 11, 0).status_code == 413
    assert gateway.client.get(place).json()["done"] is False


def test_what_makes_no_sense_is_refused(gateway: Gateway) -> None:
    assert begin(gateway, 0, filename="a.wav").status_code == 422
    assert begin(gateway, 10**13, filename="a.wav").status_code == 413
    assert begin(gateway, filename="a.wav", sha256="xyz").status_code == 422
    assert begin(gateway, filename="a.wav", analyze="maybe").status_code == 422
    headers = {"Upload-Length": "5", "Upload-Metadata": "filename *"}
    assert gateway.client.post(HERE, headers=headers).status_code == 422
    place = begin(gateway, filename="a.wav").headers["location"]
    assert send(gateway, place, b"x", 0, **{"Content-Type": "audio/wav"}).status_code == 415
    assert gateway.client.get(f"{HERE}/{'0' * 32}").status_code == 404
    assert gateway.client.get(f"{HERE}/..%2f..").status_code == 404


def test_two_requests_cannot_send_at_once(gateway: Gateway) -> None:
    import fcntl

    place = begin(gateway, filename="a.wav").headers["location"]
    file = gateway.settings.uploads_dir / ".incoming" / place.rsplit("/", 1)[-1]
    with file.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert send(gateway, place, SOUND, 0).status_code == 423
    assert send(gateway, place, SOUND, 0).status_code == 204


def test_giving_up_removes_what_came(gateway: Gateway) -> None:
    place = begin(gateway, filename="a.wav").headers["location"]
    send(gateway, place, SOUND[:10], 0)
    assert gateway.client.delete(place).status_code == 204
    assert gateway.client.head(place).status_code == 404
    assert os.listdir(gateway.settings.uploads_dir / ".incoming") == []


def test_it_is_finished_after_a_death_between_its_last_byte_and_its_place(gateway: Gateway) -> None:
    place = begin(gateway, filename="a.wav").headers["location"]
    file = gateway.settings.uploads_dir / ".incoming" / place.rsplit("/", 1)[-1]
    file.write_bytes(SOUND)
    assert gateway.client.get(place).json()["done"] is False
    assert send(gateway, place, b"", len(SOUND)).status_code == 204
    assert gateway.client.get(place).json()["done"] is True
