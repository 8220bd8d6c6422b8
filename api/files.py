"""Files below library roots, by the operating system's own means: nothing here follows a path out of its root."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from workers.errors import FileError, NotARegularFile, NotFound, OutsideRoot, SymlinkLoop, Unreadable, Vanished

MAX_PATH: Final = 4096
"""Bytes of a path below its root."""

_BY_ERRNO: Final[Mapping[int, type[FileError]]] = {
    errno.ENOENT: Vanished,
    errno.ENOTDIR: Vanished,
    errno.ENAMETOOLONG: Vanished,
    errno.ELOOP: SymlinkLoop,
    errno.ENXIO: NotARegularFile,
}


@dataclass(frozen=True, slots=True)
class Place:
    """Something that exists below a root: its real path from there, and whether it is a folder."""

    relative: str
    is_folder: bool


def flaw_of(path: str) -> str | None:
    """What is wrong with the text of a path below a root, or ``None``. Does not touch the disk."""
    try:
        encoded = path.encode("utf-8")
    except UnicodeEncodeError:
        return "is not valid Unicode"
    return flaw_of_bytes(encoded)


def flaw_of_bytes(path: bytes) -> str | None:
    """What is wrong with a path below a root, or ``None``. Does not touch the disk."""
    if len(path) > MAX_PATH:
        return f"is longer than {MAX_PATH} bytes"
    if b"\0" in path:
        return "holds a NUL character"
    if path.startswith(b"/"):
        return "must be relative to its root, not absolute"
    if path and any(part in (b"", b".", b"..") for part in path.split(b"/")):
        return "must lead down from its root: no empty part, no '.' and no '..'"
    return None


def root_of(roots: Mapping[str, Path], name: str) -> Path:
    """A root's folder. `NotFound` where none has this name."""
    if name not in roots:
        raise NotFound(f"No library root is called {name!r}.")
    return roots[name]


def locate(root: Path, path: str) -> Place:
    """Where `path` really is below `root`, all links resolved.

    Raises
    ------
    Vanished, Unreadable, SymlinkLoop
        It cannot be found.
    OutsideRoot
        A link leads out of the root.
    NotARegularFile
        It is neither a folder nor a file.
    """
    relative = _resolve(root, os.fsencode(path))
    try:
        mode = os.stat(os.path.join(os.fsencode(root), relative)).st_mode
    except OSError as error:
        raise _ours(error) from error
    if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
        raise NotARegularFile
    try:
        return Place(relative.decode("utf-8"), stat.S_ISDIR(mode))
    except UnicodeDecodeError:
        raise Unreadable("Its name is not UTF-8; submit the folder above it with a pattern.") from None


def open_beneath(root: Path, relative: bytes) -> int:
    """Open a regular file below `root` for reading; its descriptor.

    Links are resolved first and must end below the root. What was resolved is then opened part by part without
    following any link, so that whoever swaps a folder for a link in between gets an error, not a way out.
    """
    parts = [part for part in _resolve(root, relative).split(b"/") if part]
    if not parts:
        raise NotARegularFile
    try:
        folder = os.open(os.path.realpath(root), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for part in parts[:-1]:
                below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
                os.close(folder)
                folder = below
            fd = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise _ours(error) from error
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise NotARegularFile
    return fd


def subfolders(root: Path, path: str, limit: int) -> tuple[list[str], bool]:
    """Names of the folders in a folder below `root`, sorted, and whether there are more than `limit`.

    Hidden ones and links are left out: a scan does not enter them either. Names that are not UTF-8 are left out,
    for they could not be submitted.
    """
    place = locate(root, path)
    if not place.is_folder:
        raise NotFound("This is a file, not a folder.")
    found: list[str] = []
    try:
        with os.scandir(root / place.relative) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False) and _is_text(entry.name):
                    found.append(entry.name)
    except OSError as error:
        raise _ours(error) from error
    found.sort()
    return found[:limit], len(found) > limit


def _resolve(root: Path, relative: bytes) -> bytes:
    """`relative` with its links resolved, still relative to `root`; ``b""`` for the root itself."""
    try:
        top = os.path.realpath(os.fsencode(root), strict=True)
        real = os.path.realpath(os.path.join(top, relative), strict=True)
    except (OSError, ValueError) as error:
        raise _ours(error) from error
    if real == top:
        return b""
    prefix = top if top.endswith(b"/") else top + b"/"
    if not real.startswith(prefix):
        raise OutsideRoot
    return real[len(prefix) :]


def _ours(error: OSError | ValueError) -> FileError:
    number = error.errno if isinstance(error, OSError) else None
    return _BY_ERRNO.get(number or 0, Unreadable)()


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
