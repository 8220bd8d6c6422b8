"""Opening files below a root: what is let in, what is not, and that nothing waits."""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from workers.audio.files import content_hash, open_beneath, open_regular, unchanged
from workers.errors import FileError, NotARegularFile, OutsideRoot, SymlinkLoop, Unreadable, Vanished
from workers.naming import shown


@pytest.fixture
def library(tmp_path: Path) -> Path:
    root = tmp_path / "library"
    (root / "drums" / "kicks").mkdir(parents=True)
    (root / "drums" / "kicks" / "one.wav").write_bytes(b"boom")
    (tmp_path / "secret.wav").write_bytes(b"secret")
    (tmp_path / "library2").mkdir()
    (tmp_path / "library2" / "other.wav").write_bytes(b"other")
    return root


def read(fd: int) -> bytes:
    with os.fdopen(fd, "rb") as file:
        return file.read()


def refuses(root: Path, relative: bytes, error: type[FileError]) -> None:
    before = os.listdir("/proc/self/fd") if sys.platform == "linux" else []
    with pytest.raises(error):
        os.close(open_beneath(root, relative))
    if sys.platform == "linux":
        assert len(os.listdir("/proc/self/fd")) == len(before)


@pytest.mark.parametrize("relative", [b"drums/kicks/one.wav", b"./drums//kicks/./one.wav"])
def test_opens_a_file_below_the_root(library: Path, relative: bytes) -> None:
    assert read(open_beneath(library, relative)) == b"boom"


@pytest.mark.parametrize(
    "relative", [b"../secret.wav", b"drums/../../secret.wav", b"drums/../drums/kicks/one.wav", b"/etc/passwd", b".."]
)
def test_refuses_paths_that_lead_up_or_start_at_the_top(library: Path, relative: bytes) -> None:
    refuses(library, relative, OutsideRoot)


def test_follows_a_link_that_stays_below_the_root(library: Path) -> None:
    (library / "link.wav").symlink_to("drums/kicks/one.wav")
    (library / "absolute.wav").symlink_to(library / "drums" / "kicks" / "one.wav")
    (library / "folder").symlink_to("drums")
    (library / "drums" / "up.wav").symlink_to("../link.wav")
    for relative in (b"link.wav", b"absolute.wav", b"folder/kicks/one.wav", b"drums/up.wav"):
        assert read(open_beneath(library, relative)) == b"boom"


def test_refuses_a_link_that_leads_out(library: Path, tmp_path: Path) -> None:
    (library / "out.wav").symlink_to("../secret.wav")
    (library / "out").symlink_to(tmp_path)
    (library / "neighbour").symlink_to("../library2")  # a name that starts like the root's
    for relative in (b"out.wav", b"out/secret.wav", b"neighbour/other.wav"):
        refuses(library, relative, OutsideRoot)


def test_a_root_that_is_a_link_itself_is_where_it_leads(library: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(library)
    (library / "link.wav").symlink_to("drums/kicks/one.wav")
    assert read(open_beneath(tmp_path / "alias", b"drums/kicks/one.wav")) == b"boom"
    assert read(open_beneath(tmp_path / "alias", b"link.wav")) == b"boom"


def test_says_why_a_file_is_not_there(library: Path) -> None:
    (library / "dangling.wav").symlink_to("nowhere.wav")
    (library / "a.wav").symlink_to("b.wav")
    (library / "b.wav").symlink_to("a.wav")
    refuses(library, b"nothing.wav", Vanished)
    refuses(library, b"drums/kicks/one.wav/deeper.wav", Vanished)
    refuses(library, b"dangling.wav", Vanished)
    refuses(library, b"zero\0byte.wav", Vanished)
    refuses(library, b"a.wav", SymlinkLoop)
    refuses(library, b"n" * 300 + b".wav", Unreadable)
    refuses(library / "not there", b"one.wav", Vanished)


def test_refuses_what_is_no_regular_file_without_waiting_for_it(library: Path) -> None:
    os.mkfifo(library / "fifo.wav")
    (library / "link_to_fifo.wav").symlink_to("fifo.wav")
    for relative in (b"fifo.wav", b"link_to_fifo.wav", b"drums", b"", b".", b"drums/"):
        refuses(library, relative, NotARegularFile)
    with pytest.raises(NotARegularFile):
        open_regular("/dev/null")
    with pytest.raises(NotARegularFile):
        open_regular(library / "fifo.wav")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_says_that_a_file_may_not_be_read(library: Path) -> None:
    (library / "drums" / "kicks" / "one.wav").chmod(0)
    refuses(library, b"drums/kicks/one.wav", Unreadable)


def test_of_a_folder_that_may_not_be_listed_that_is_said(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: object) -> None:
        raise PermissionError(errno.EACCES, "", path)

    monkeypatch.setattr(os, "scandir", refused)  # root lists everything
    with pytest.raises(Unreadable, match="Permission denied"):
        open_regular(library / "drums")


def test_a_plain_path_may_be_text_bytes_or_a_path_and_links_are_followed(library: Path) -> None:
    path = library / "drums" / "kicks" / "one.wav"
    (library / "link.wav").symlink_to(path)
    for given in (path, str(path), os.fsencode(path), library / "link.wav"):
        assert read(open_regular(given)) == b"boom"


def test_a_plain_path_is_refused_with_the_same_words(library: Path) -> None:
    (library / "a.wav").symlink_to("a.wav")
    for path, error in (("nothing.wav", Vanished), ("a.wav", SymlinkLoop), ("drums", NotARegularFile)):
        with pytest.raises(error):
            open_regular(library / path)
    with pytest.raises(Vanished):
        open_regular("zero\0byte")


def test_names_that_are_not_text_are_opened(library: Path) -> None:
    name = b"\xff\xfe \n \" ' \xf0\x9f\xa5\x81.wav"
    with open(os.path.join(os.fsencode(library), name), "wb") as file:
        file.write(b"odd")
    assert read(open_beneath(library, name)) == b"odd"
    assert read(open_regular(os.path.join(library, os.fsdecode(name)))) == b"odd"


def test_descriptors_are_not_inherited(library: Path) -> None:
    fd = open_beneath(library, b"drums/kicks/one.wav")
    code = f"import os; os.fstat({fd})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, close_fds=False, timeout=60)
    os.close(fd)
    assert b"Bad file descriptor" in done.stderr


def test_hashes_the_bytes_wherever_the_offset_is_and_leaves_it_at_0(library: Path) -> None:
    content = os.urandom(3_000_001)
    (library / "noise.wav").write_bytes(content)
    fd = open_beneath(library, b"noise.wav")
    os.lseek(fd, 1000, os.SEEK_SET)
    assert content_hash(fd) == hashlib.sha256(content).hexdigest()
    assert os.lseek(fd, 0, os.SEEK_CUR) == 0
    os.close(fd)


def test_notices_that_a_file_was_written_to(library: Path) -> None:
    path = library / "drums" / "kicks" / "one.wav"
    fd = open_regular(path)
    before = os.fstat(fd)
    assert unchanged(fd, before)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert not unchanged(fd, before)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert unchanged(fd, before)
    with path.open("ab") as file:
        file.write(b"more")
    assert not unchanged(fd, before)
    os.close(fd)


def test_no_two_names_are_shown_alike() -> None:
    pieces = (b"\xff", b"\\xff", b"\\", b"x", b"ff", b"\\x41", b"\xc3\xa9", b"\\xFF", b"\xc3", b"\xa9")
    names = {b"".join(parts) for n in range(1, 5) for parts in itertools.product(pieces, repeat=n)}
    assert len({shown(name) for name in names}) == len(names)
    assert [shown(name) for name in (b"\xff.wav", b"\\xff.wav")] == ["\\xff.wav", "\\\\xff.wav"]
    for plain in (b"a\\b.wav", b"\\x41.wav", "\u00e9.wav".encode()):
        assert shown(plain).encode() == plain
