"""Library roots and what is below them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from api.files import flaw_of, locate, open_beneath, subfolders
from tests.api.gateway import Gateway
from workers.errors import FileError, NotARegularFile, OutsideRoot, Vanished


def test_roots_are_named_and_never_placed(gateway: Gateway) -> None:
    answer = gateway.client.get("/v1/roots")
    assert answer.json() == {"items": [{"name": "library", "available": True}, {"name": "uploads", "available": False}]}
    assert str(gateway.settings.roots["library"]) not in answer.text


def test_folders_are_sorted_and_bounded(gateway: Gateway) -> None:
    top = gateway.settings.roots["library"]
    for name in ("b", "a", "c", ".hidden", "a/deeper"):
        (top / name).mkdir(parents=True, exist_ok=True)
    (top / "link").symlink_to("a")
    (top / "file.wav").write_bytes(b"")
    os.mkdir(os.fsencode(top) + b"/\xff")
    said = gateway.client.get("/v1/roots/library/folders").json()
    assert [item["name"] for item in said["items"]] == ["a", "b", "c"]
    assert not said["truncated"]
    deeper = gateway.client.get("/v1/roots/library/folders?path=a").json()
    assert deeper["items"] == [{"name": "deeper", "path": "a/deeper"}]
    few = gateway.client.get("/v1/roots/library/folders?limit=2").json()
    assert ([item["name"] for item in few["items"]], few["truncated"]) == (["a", "b"], True)


@pytest.mark.parametrize(
    ("path", "status"),
    [("..", 422), ("/etc", 422), ("missing", 404), ("file.wav", 404), ("out", 403), ("a%00b", 422)],
)
def test_only_what_is_below_can_be_listed(gateway: Gateway, path: str, status: int) -> None:
    top = gateway.settings.roots["library"]
    (top / "file.wav").write_bytes(b"")
    (top / "out").symlink_to(top.parent)
    assert gateway.client.get(f"/v1/roots/library/folders?path={path}").status_code == status


def test_no_such_root(gateway: Gateway) -> None:
    assert gateway.client.get("/v1/roots/nowhere/folders").status_code == 404


@pytest.mark.parametrize("path", ["a", "a/b.wav", "ä/ö", "a b/c", "...", "a\\b", ""])
def test_paths_that_lead_down(path: str) -> None:
    assert flaw_of(path) is None


@pytest.mark.parametrize(
    "path", ["/", "/a", "..", "a/..", "../a", ".", "a/./b", "a//b", "a/", "\0", "\ud800", "x" * 4097]
)
def test_paths_that_do_not(path: str) -> None:
    assert flaw_of(path)


def test_a_file_is_opened_through_links_below_the_root_only(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "real").mkdir(parents=True)
    (root / "real" / "a.wav").write_bytes(b"sound")
    (root / "folder").symlink_to("real")
    (root / "b.wav").symlink_to("folder/a.wav")
    (tmp_path / "rootless").mkdir()
    (tmp_path / "rootless" / "a.wav").write_bytes(b"secret")
    (root / "out").symlink_to(tmp_path / "rootless")
    for name in (b"real/a.wav", b"folder/a.wav", b"b.wav"):
        fd = open_beneath(root, name)
        assert os.read(fd, 10) == b"sound"
        os.close(fd)
    for name in (b"out/a.wav", b"../rootless/a.wav", os.fsencode(tmp_path / "rootless" / "a.wav")):
        with pytest.raises(OutsideRoot):
            open_beneath(root, name)


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in (b"pipe", b"folder", b""):
        with pytest.raises(NotARegularFile):
            open_beneath(tmp_path, name)
    with pytest.raises(Vanished):
        open_beneath(tmp_path, b"missing")
    with pytest.raises(FileError):
        open_beneath(tmp_path, b"a\0b")


def test_a_folder_swapped_for_a_link_is_no_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / "a").mkdir(parents=True)
    outside.mkdir()
    (root / "a" / "x.wav").write_bytes(b"inside")
    (outside / "x.wav").write_bytes(b"secret")
    real = os.path.realpath

    def resolve_then_swap(path: object, **more: bool) -> object:
        resolved = real(path, **more)  # type: ignore[call-overload]
        if resolved == os.fsencode(root / "a" / "x.wav"):
            (root / "a").rename(root / "moved")
            (root / "a").symlink_to(outside)
        return resolved

    monkeypatch.setattr(os.path, "realpath", resolve_then_swap)
    with pytest.raises(FileError):
        open_beneath(root, b"a/x.wav")


def test_a_name_that_is_not_utf8_cannot_be_submitted(tmp_path: Path) -> None:
    os.mkdir(os.fsencode(tmp_path) + b"/\xff")
    (tmp_path / "link").symlink_to(os.fsdecode(b"\xff"))
    with pytest.raises(FileError, match="UTF-8"):
        locate(tmp_path, "link")
    assert subfolders(tmp_path, "", 10) == ([], False)
