"""Zip archives: every file in its place, and nothing of what means harm."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from api import unpack
from tests.api.gateway import Gateway, counts, make_gateway

SOUNDS = {"drums/kick.wav": b"kick" * 100, "drums/ä snare.wav": b"snare", "bass.wav": b"bass"}


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    made = make_gateway(tmp_path, upload_roots=("library",), max_zip_files=5, max_zip_mb=1)
    with made.client:
        yield made


def archive(files: Mapping[str | zipfile.ZipInfo, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", how) as made:
        for name, content in files.items():
            made.writestr(name, content, how)
    return held.getvalue()


def send(gateway: Gateway, body: bytes, root: str = "library", path: str = "", **more: str) -> Any:
    return gateway.client.post("/v1/uploads/zip", params={"root": root, "path": path, **more}, content=body)


def written(gateway: Gateway) -> dict[str, bytes]:
    root = gateway.settings.roots["library"]
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def left_over(gateway: Gateway) -> list[Path]:
    return list((gateway.settings.uploads_dir / ".incoming").glob("*"))


def test_its_files_keep_their_folders_and_are_one_job(gateway: Gateway) -> None:
    junk = {"drums/": b"", ".DS_Store": b"x", "__MACOSX/._kick.wav": b"x", "drums/Thumbs.db": b"x", "nothing.wav": b""}
    answer = send(gateway, archive({**SOUNDS, **junk}), path="packs/new")
    assert answer.status_code == 201, answer.text
    assert written(gateway) == {f"packs/new/{name}": content for name, content in SOUNDS.items()}
    said = answer.json()
    assert [each["path"] for each in said["files"]] == [f"packs/new/{name}" for name in SOUNDS]
    assert counts(said["job"]) == {"submitted": 3, "pending": 3}
    assert left_over(gateway) == []


def test_the_same_archive_again_is_known(gateway: Gateway) -> None:
    send(gateway, archive(SOUNDS))
    again = send(gateway, archive(SOUNDS), analyze="false").json()
    assert [each["known"] for each in again["files"]] == [True] * 3
    assert again["job"] is None


def test_in_the_root_of_uploads_files_lie_by_their_hash(gateway: Gateway) -> None:
    (one,) = send(gateway, archive({"a/kick.wav": b"kick"}), root="uploads").json()["files"]
    assert one["path"].endswith(f"{one['sha256']}/kick.wav")
    assert (gateway.settings.uploads_dir / one["path"]).read_bytes() == b"kick"


def link() -> zipfile.ZipInfo:
    made = zipfile.ZipInfo("link.wav")
    made.external_attr = (stat.S_IFLNK | 0o777) << 16
    return made


def encrypted() -> bytes:
    body = bytearray(archive({"a.wav": b"x"}, zipfile.ZIP_STORED))
    body[6] |= 1
    body[body.index(b"PK\x01\x02") + 8] |= 1
    return bytes(body)


def lying_about_its_size() -> bytes:
    """Its directory says 10 bytes, and 5,000 come out."""
    body = bytearray(archive({"a.wav": bytes(5000)}))
    at = body.index(b"PK\x01\x02") + 24
    body[at : at + 4] = (10).to_bytes(4, "little")
    return bytes(body)


def with_a_huge_directory() -> bytes:
    body = bytearray(archive(SOUNDS))
    at = body.rindex(b"PK\x05\x06") + 12
    body[at : at + 4] = (1 << 30).to_bytes(4, "little")
    return bytes(body)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"RIFF no archive", 422),
        (archive(SOUNDS)[:-30], 422),
        (archive({**SOUNDS, "../out.wav": b"x"}), 422),
        (archive({**SOUNDS, "/out.wav": b"x"}), 422),
        (archive({**SOUNDS, "a/../../out.wav": b"x"}), 422),
        (archive({**SOUNDS, "..\\out.wav": b"x"}), 422),
        (archive({**SOUNDS, "C:\\out.wav": b"x"}), 422),
        (archive({**SOUNDS, link(): b"/etc/passwd"}), 422),
        (encrypted(), 422),
        (archive({f"{n}.wav": b"x" for n in range(6)}), 413),
        (archive({f"{n}/{m}.wav": b"x" for n in range(5) for m in range(5)}), 413),
        (archive({"a.wav": bytes(1_000_001)}), 413),
        (with_a_huge_directory(), 413),
        (lying_about_its_size(), 422),
    ],
    ids=[
        "empty", "no archive", "cut", "parent", "absolute", "deep parent", "backslash", "drive", "link", "encrypted",
        "files", "directory", "bytes", "huge directory", "lies",
    ],
)  # fmt: skip
def test_what_means_harm_leaves_nothing(gateway: Gateway, body: bytes, status: int, tmp_path: Path) -> None:
    answer = send(gateway, body)
    assert answer.status_code == status, answer.text
    assert written(gateway) == {}
    assert not list(tmp_path.rglob("out.wav"))
    assert left_over(gateway) == []


def test_a_bomb_is_known_by_its_ratio(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "_FREE_BYTES", 1000)
    answer = send(gateway, archive({"a.wav": bytes(900_000)}))
    assert (answer.status_code, answer.json()["code"]) == (413, "archive_too_large")
    assert "times as much" in answer.json()["detail"]
    assert written(gateway) == {}


def test_other_roots_take_nothing(gateway: Gateway) -> None:
    assert send(gateway, archive(SOUNDS), root="other").status_code == 403
    assert send(gateway, archive(SOUNDS), path="../x").status_code == 422


def test_the_clusters_own_folder_is_no_place(tmp_path: Path) -> None:
    gateway = make_gateway(tmp_path, data_dir=tmp_path / "library" / "data", upload_roots=("library",))
    with gateway.client:
        assert send(gateway, archive({"data/secrets/key": b"x"})).status_code == 403
        assert send(gateway, archive({"secrets/key": b"x"}), path="data").status_code == 403
    assert not (tmp_path / "library" / "data" / "secrets").exists()


def test_what_is_there_is_not_replaced(gateway: Gateway) -> None:
    (gateway.settings.roots["library"] / "bass.wav").write_bytes(b"mine")
    assert send(gateway, archive(SOUNDS)).status_code == 409
    assert written(gateway)["bass.wav"] == b"mine"
    assert left_over(gateway) == []
