from __future__ import annotations

import os
import random
import socket
from contextlib import closing
from pathlib import Path

import pytest

from stores.records import FileRef, FolderSource
from tasks import walk as walking
from tasks.pattern import compile_pattern
from tasks.walk import identity, raw_path, walk
from workers.errors import NotFound, OutsideRoot


def walked(base: Path, path: str = "", pattern: str = "**/*", after: FileRef | None = None) -> list[FileRef]:
    with closing(
        walk("library", base, FolderSource("library", path, pattern), compile_pattern(pattern), after)
    ) as all_:
        return [file for file in all_ if file is not None]


def paths(files: list[FileRef]) -> list[str]:
    return [file.path for file in files]


def make(base: Path, *names: str | bytes) -> None:
    for name in names:
        path = os.path.join(os.fsencode(base), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(b"x" * len(name))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Names that break naive walks: bytes that are no UTF-8, folders that sort between files, odd characters."""
    make(
        tmp_path,
        "a.wav",
        "a/1.wav",
        "a/b/2.wav",
        "a/b.wav",
        "a-b/3.wav",
        "a0.wav",
        b"caf\xe9.wav",
        "café.wav",
        "line\nbreak.wav",
        " space.wav",
        "new/.hidden.wav",
        ".git/x.wav",
        "__MACOSX/._a.wav",
        "@eaDir/a.wav",
        "Thumbs.db",
        "desktop.ini",
        "z/z/z/z/deep.wav",
        "empty/.keep",
        "Ω.wav",
    )
    rng = random.Random(1)
    make(tmp_path, *(f"m/{rng.randrange(20)}/{rng.randrange(10**6)}.wav" for _ in range(200)))
    return tmp_path


def test_gives_every_file_once_in_one_order_and_nothing_hidden(tree: Path) -> None:
    given = [raw_path(file) for file in walked(tree)]
    assert len(given) == len(set(given))
    by_names = sorted(given, key=lambda path: path.split(b"/"))
    assert given == by_names
    everything = [
        os.path.relpath(os.path.join(at, f), os.fsencode(tree)) for at, _, fs in os.walk(os.fsencode(tree)) for f in fs
    ]
    ignored = (b".", b"__MACOSX", b"@eaDir", b"Thumbs.db", b"desktop.ini")
    meant = [path for path in everything if not any(part.startswith(ignored) for part in path.split(b"/"))]
    assert set(given) == set(meant)


def test_goes_on_behind_any_file_as_if_it_had_never_stopped(tree: Path) -> None:
    whole = walked(tree)
    for n in [*range(0, len(whole), 7), len(whole) - 1]:
        assert walked(tree, after=whole[n]) == whole[n + 1 :]


def test_goes_on_where_the_last_file_is_gone(tree: Path) -> None:
    whole = walked(tree)
    for n in range(0, len(whole), 23):
        (Path(os.fsdecode(os.fsencode(tree) + b"/" + raw_path(whole[n])))).unlink()
        assert paths(walked(tree, after=whole[n])) == paths(whole[n + 1 :])


def test_does_not_read_folders_again_that_lie_before(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = walked(tree)
    read: list[int] = []
    monkeypatch.setattr(
        walking, "_listing", lambda here, pattern, was=walking._listing: read.append(1) or was(here, pattern)
    )
    walked(tree)
    all_folders = len(read)
    read.clear()
    walked(tree, after=whole[-1])
    assert len(read) <= 1 < all_folders


def test_does_not_enter_folders_in_which_nothing_can_match(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[bytes] = []
    monkeypatch.setattr(
        walking, "_listing", lambda here, p, was=walking._listing: read.append(here.path) or was(here, p)
    )
    assert paths(walked(tree, pattern="a/*.wav")) == ["a/1.wav", "a/b.wav"]
    assert read == [b"", b"a"]


def test_says_names_that_are_no_utf8_and_keeps_their_bytes(tree: Path) -> None:
    odd = next(file for file in walked(tree) if file.raw is not None)
    assert (odd.path, odd.raw) == ("caf\\xe9.wav", b"caf\xe9.wav")
    assert all(file.path.encode() == raw_path(file) for file in walked(tree) if file.raw is None)


def test_sees_size_and_time(tmp_path: Path) -> None:
    make(tmp_path, "kick.wav")
    os.utime(tmp_path / "kick.wav", ns=(1, 1234567890123456789))
    assert walked(tmp_path) == [FileRef("library", "kick.wav", None, 8, 1234567890123456789)]


def test_paths_are_below_the_root_and_patterns_below_the_source(tree: Path) -> None:
    assert paths(walked(tree, "a", "*.wav")) == ["a/1.wav", "a/b.wav"]
    assert paths(walked(tree, "a/b", "**/*")) == ["a/b/2.wav"]
    assert paths(walked(tree, "a", "*.wav", after=FileRef("library", "a/1.wav"))) == ["a/b.wav"]


def test_gives_reasons_for_what_can_never_be_analysed(tmp_path: Path) -> None:
    make(tmp_path, "folder/kick.wav", "real.wav")
    os.mkfifo(tmp_path / "fifo.wav")
    (tmp_path / "loop.wav").symlink_to("loop.wav")
    (tmp_path / "linked").symlink_to("folder")
    (tmp_path / "dangling.wav").symlink_to("nowhere.wav")
    (tmp_path / "good.wav").symlink_to("real.wav")
    with closing(socket.socket(socket.AF_UNIX)) as sock:
        here = os.getcwd()
        os.chdir(tmp_path)  # a socket's path is short
        try:
            sock.bind("socket.wav")
        finally:
            os.chdir(here)
        said = {file.path: file.reason.code if file.reason else None for file in walked(tmp_path)}
    assert said == {
        "dangling.wav": None,
        "fifo.wav": "not_a_regular_file",
        "folder/kick.wav": None,
        "good.wav": None,
        "linked": "symlink_to_folder",
        "loop.wav": "symlink_loop",
        "real.wav": None,
        "socket.wav": "not_a_regular_file",
    }


def test_says_each_folder_that_is_too_deep_once(tmp_path: Path) -> None:
    deep = "/".join(["d"] * (walking.MAX_DEPTH + 2))
    make(tmp_path, f"{deep}/lost.wav", "kick.wav")
    given = walked(tmp_path)
    assert [file.reason.code if file.reason else None for file in given] == ["unreadable", None]
    assert walked(tmp_path, after=given[0]) == given[1:]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_says_folders_that_cannot_be_read_once(tmp_path: Path) -> None:
    make(tmp_path, "closed/kick.wav", "open.wav")
    (tmp_path / "closed").chmod(0)
    given = walked(tmp_path)
    (tmp_path / "closed").chmod(0o700)
    assert [(file.path, file.reason and file.reason.code) for file in given] == [
        ("closed", "unreadable"),
        ("open.wav", None),
    ]


@pytest.mark.parametrize(("path", "error"), [("missing", NotFound), ("a.wav", NotFound), ("../x", OutsideRoot)])
def test_refuses_a_source_that_is_no_folder_below_the_root(tree: Path, path: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        walked(tree, path)


def test_does_not_reach_a_source_through_a_link(tree: Path) -> None:
    (tree / "out").symlink_to("/")
    with pytest.raises(NotFound):
        walked(tree, "out")
    with pytest.raises(NotFound):
        walked(tree, "out/etc")


def test_leaves_no_descriptor_open_when_stopped_early(tree: Path) -> None:
    before = set(os.listdir("/proc/self/fd"))
    all_ = walk("library", tree, FolderSource("library"), compile_pattern("**/*"), None)
    for _ in range(40):
        next(all_)
    all_.close()
    assert set(os.listdir("/proc/self/fd")) == before


def test_a_folder_that_is_to_be_skipped_is_not_entered_by_any_name(tmp_path: Path) -> None:
    make(tmp_path / "library", "a.wav", "data/uploads/theirs.wav", "data/secrets/redis", "z.wav")
    base = tmp_path / "library"
    source, pattern = FolderSource("library"), compile_pattern("**/*")
    assert "data/secrets/redis" in paths(walked(base))
    with closing(walk("library", base, source, pattern, None, identity(base / "data"))) as files:
        assert paths([file for file in files if file is not None]) == ["a.wav", "z.wav"]
    assert identity(tmp_path / "none") == frozenset()
