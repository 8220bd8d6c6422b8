"""Opening files that nobody vouches for: below their root, regular, and never waiting for one.

A FIFO named ``kick.wav`` must not hang a worker and a link must not lead it out of its library root, so a file is
opened without blocking, one folder at a time, and looked at again once it is open.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from pathlib import Path
from types import TracebackType

from workers.errors import FileError, NotARegularFile, OutsideRoot, SymlinkLoop, Unreadable, Vanished

_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
# O_PATH (Linux) passes folders that may be entered but not listed.
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
_HASH_BLOCK = 1 << 20

_SAID_BY: dict[int, type[FileError]] = {
    errno.ENOENT: Vanished,
    errno.ENOTDIR: Vanished,
    errno.ESTALE: Vanished,
    errno.ELOOP: SymlinkLoop,
    errno.EISDIR: NotARegularFile,
    errno.ENXIO: NotARegularFile,  # a socket
    errno.ENODEV: NotARegularFile,
}


class _FileErrors:
    """What `file_errors` returns. A generator would cost each file as much as the calls that it watches over."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if isinstance(error, OSError):
            detail = os.strerror(error.errno) if error.errno else str(error)
            ours = _SAID_BY.get(error.errno or 0, Unreadable)
            raise ours(detail if ours is Unreadable else "") from error  # the others say it all themselves
        if isinstance(error, ValueError):  # a zero byte in the path: no such file can be
            raise Vanished(str(error)) from error


_FILE_ERRORS = _FileErrors()


def file_errors() -> _FileErrors:
    """Say what the operating system says in our words: each ``OSError`` becomes a `FileError`."""
    return _FILE_ERRORS


def open_regular(path: bytes | str | os.PathLike[str]) -> int:
    """Open the regular file at `path` for reading, following links as the system does.

    Returns
    -------
    fd : int
        A descriptor that is not inherited; the caller closes it.

    Raises
    ------
    FileError
        `Vanished`, `Unreadable`, `NotARegularFile` or `SymlinkLoop`.
    """
    with file_errors():
        # Opening some devices has effects, so they are refused before; the second look is for what changed between.
        found = os.stat(path)
        if stat.S_ISDIR(found.st_mode):
            os.scandir(path).close()  # where it may not be listed, that is what is wrong
        _must_be_regular(found)
        return _regular(os.open(path, _READ))


def open_beneath(root: Path, relative: bytes) -> int:
    """Open the regular file `relative` below the folder `root` for reading, never leaving it.

    A link, to a file or to a folder, is followed only where it leads to something below `root`.

    Returns
    -------
    fd : int
        A descriptor that is not inherited; the caller closes it.

    Raises
    ------
    FileError
        `OutsideRoot` for an absolute path, ``..`` or a link that leads out; else as `open_regular`.
    """
    parts = _parts(relative)
    with file_errors():
        try:
            return _walk(os.fsencode(root), parts)
        except _LinkMet:
            return _through_link(root, relative)


def content_hash(fd: int) -> str:
    """Hash the whole file: SHA-256, in hexadecimal. Leaves the offset at 0.

    Raises
    ------
    FileError
        `Unreadable` where the disk fails.
    """
    digest = hashlib.sha256()
    block = memoryview(bytearray(_HASH_BLOCK))
    offset = 0
    with file_errors():
        while got := os.preadv(fd, [block], offset):
            digest.update(block[:got])
            offset += got
        os.lseek(fd, 0, os.SEEK_SET)
    return digest.hexdigest()


def unchanged(fd: int, before: os.stat_result) -> bool:
    """Whether the file still has the size and the modification time it had `before`."""
    with file_errors():
        now = os.fstat(fd)
    return (now.st_size, now.st_mtime_ns) == (before.st_size, before.st_mtime_ns)


class _LinkMet(Exception):
    """A component of the path is a symbolic link."""


def _parts(relative: bytes) -> list[bytes]:
    if relative.startswith(b"/"):
        raise OutsideRoot("An absolute path.")
    parts = [part for part in relative.split(b"/") if part not in (b"", b".")]
    if b".." in parts:
        raise OutsideRoot("The path holds '..'.")
    if not parts:
        raise NotARegularFile("The library root itself.")
    return parts


def _walk(root: bytes, parts: list[bytes]) -> int:
    """Open `parts` below `root`, each by its parent's descriptor. Raises `_LinkMet` at a link."""
    at = os.open(root, _FOLDER)
    try:
        for part in parts[:-1]:
            inner = _enter(at, part)
            os.close(at)
            at = inner
        _must_be_regular(_look(at, parts[-1]))
        return _regular(_open_last(at, parts[-1]))
    finally:
        os.close(at)


def _enter(at: int, part: bytes) -> int:
    try:
        return os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=at)
    except OSError as error:
        # Depending on the flags a link is ELOOP or ENOTDIR: look which it is.
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            _look(at, part)
        raise


def _look(at: int, part: bytes) -> os.stat_result:
    found = os.stat(part, dir_fd=at, follow_symlinks=False)
    if stat.S_ISLNK(found.st_mode):
        raise _LinkMet
    return found


def _open_last(at: int, part: bytes) -> int:
    try:
        return os.open(part, _READ | os.O_NOFOLLOW, dir_fd=at)
    except OSError as error:
        if error.errno == errno.ELOOP:  # became a link since it was looked at
            raise _LinkMet from error
        raise


def _through_link(root: Path, relative: bytes) -> int:
    """Resolve a path with links in it, check where it leads, and walk there without following any."""
    base = os.path.realpath(os.fsencode(root), strict=True)
    target = os.path.realpath(os.path.join(base, relative), strict=True)
    prefix = base.rstrip(b"/") + b"/"
    if not target.startswith(prefix):
        raise OutsideRoot("A link leads out of it.")
    try:
        return _walk(base, target[len(prefix) :].split(b"/"))
    except _LinkMet as error:  # changed between the two: somebody is playing tricks
        raise OutsideRoot("A link changed while it was followed.") from error


def _must_be_regular(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise NotARegularFile(_KINDS.get(stat.S_IFMT(found.st_mode), ""))


_KINDS = {
    stat.S_IFDIR: "It is a folder.",
    stat.S_IFIFO: "It is a FIFO.",
    stat.S_IFSOCK: "It is a socket.",
    stat.S_IFCHR: "It is a device.",
    stat.S_IFBLK: "It is a device.",
}


def _regular(fd: int) -> int:
    try:
        _must_be_regular(os.fstat(fd))
    except BaseException:
        os.close(fd)
        raise
    return fd
