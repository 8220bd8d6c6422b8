"""Files into a library root, part by part below it: no link is followed, nothing that is there is replaced."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from api.errors import Problem, refuse_field
from api.files import flaw_of
from api.uploads import disk_problem, safe_name

_BUFFER: Final = 1 << 20
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def checked_path(path: str) -> str:
    """A path for a new file below a root. `Problem` (422) where a part of it is no name that every disk takes."""
    flaw = flaw_of(path) if path else "is empty"
    if flaw:
        raise refuse_field("path", flaw)
    for part in path.split("/"):
        if safe_name(part) != part:
            raise refuse_field("path", f"{part!r} cannot be the name of a file or folder here")
    return path


def put(root: Path, path: str, source: Path, sha256: str) -> bool:
    """Have the file `source` at `path` below `root`, durably; whether it was there already. `source` stays.

    Raises
    ------
    Problem
        409 where something else has that name; 503 where the disk refuses.
    """
    *folders, name = path.split("/")
    try:
        with _folder(root, folders, make=True) as folder:
            if _is_there(folder, name, sha256):
                return True
            _copy(folder, name, source, sha256)
            os.fsync(folder)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ELOOP, errno.ENOTDIR):  # a file, or a link, where a folder should be
            raise _taken(path) from error
        raise disk_problem(error) from error
    return False


def there(root: Path, path: str, sha256: str) -> bool:
    """Whether just this content is at `path`. `Problem` (409) where something else is."""
    *folders, name = path.split("/")
    try:
        with _folder(root, folders, make=False) as folder:
            try:
                same = _is_there(folder, name, sha256)
                taken = not same and name in os.listdir(folder)
            except OSError as error:  # a link, or a file that may not be read
                raise _taken(path) from error
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _taken(path) from error
    if taken:
        raise _taken(path)
    return same


@contextmanager
def _folder(root: Path, parts: list[str], *, make: bool) -> Iterator[int]:
    fd = os.open(os.path.realpath(root), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts:
            if make:
                _make(part, fd)
            below = os.open(part, _FOLDER, dir_fd=fd)
            os.close(fd)
            fd = below
        yield fd
    finally:
        os.close(fd)


def _make(part: str, fd: int) -> None:
    with contextlib.suppress(FileExistsError):  # is opened next, if it is a folder
        os.mkdir(part, dir_fd=fd)
        os.fsync(fd)


def _is_there(folder: int, name: str, sha256: str) -> bool:
    try:
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        return False
    with open(fd, "rb") as file:
        return hash_of(file.fileno()) == sha256


def hash_of(fd: int) -> str:
    """SHA-256 of an open file's content, hex."""
    found = hashlib.sha256()
    at = 0
    while piece := os.pread(fd, _BUFFER, at):
        found.update(piece)
        at += len(piece)
    return found.hexdigest()


def _copy(folder: int, name: str, source: Path, sha256: str) -> None:
    """Copy beside its place, then name it there: nobody sees half a file."""
    part = f".{secrets.token_hex(8)}.part"
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644, dir_fd=folder)
    try:
        with open(fd, "wb") as into, source.open("rb") as out:
            while piece := out.read(_BUFFER):
                into.write(piece)
            into.flush()
            os.fsync(into.fileno())
        if not _is_there(folder, part, sha256):
            raise OSError(errno.EIO, "what was written is not what was read")
        _name(folder, part, name)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(part, dir_fd=folder)


def _name(folder: int, part: str, name: str) -> None:
    try:
        os.link(part, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)  # which replaces nothing
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
        # A file system without links (exFAT): between the look and the renaming there is a moment.
        if name in os.listdir(folder):
            raise FileExistsError(errno.EEXIST, name) from error
        os.rename(part, name, src_dir_fd=folder, dst_dir_fd=folder)


def _taken(path: str) -> Problem:
    return Problem(409, "name_taken", f"There is another file or folder at {path!r}, and nothing is replaced.")
