"""A submitted file, opened beneath its root: twice, and both times the same one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stores.records import FileRef
from tasks.walk import raw_path
from workers.audio.files import content_hash, file_errors, open_beneath
from workers.errors import ChangedWhileReading, OutsideRoot, TooLarge


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a file when it was hashed."""

    content: str
    """SHA-256 of its bytes, in hexadecimal."""
    identity: tuple[int, int, int, int] | str
    """Device, inode, size in bytes, time of modification in nanoseconds; of an object in a bucket its ETag."""


def hash_file(roots: Mapping[str, Path], file: FileRef, max_bytes: int) -> Seen:
    """Hash a submitted file.

    Raises
    ------
    FileError
        It cannot be opened or read, has more than `max_bytes`, or was written to meanwhile.
    """
    with _opened(roots, file) as fd:
        before = _identity(fd)
        if before[2] > max_bytes:
            raise TooLarge(f"It has {before[2] / 1e6:.0f} MB; {max_bytes / 1e6:.0f} are allowed.")
        content = content_hash(fd)
        if _identity(fd) != before:
            raise ChangedWhileReading()
    return Seen(content, before)


@contextmanager
def opened_again(roots: Mapping[str, Path], file: FileRef, seen: Seen) -> Iterator[int]:
    """The descriptor of a file whose content is still what was hashed, checked before the block and after it.

    Raises
    ------
    FileError
        It cannot be opened any more, or is another one or has changed.
    """
    with _opened(roots, file) as fd:
        if _identity(fd) != seen.identity:
            raise ChangedWhileReading()
        yield fd
        if _identity(fd) != seen.identity:
            raise ChangedWhileReading()


@contextmanager
def _opened(roots: Mapping[str, Path], file: FileRef) -> Iterator[int]:
    root = roots.get(file.root)
    if root is None:
        raise OutsideRoot(f"There is no library root {file.root!r} here.")
    fd = open_beneath(root, raw_path(file))
    try:
        yield fd
    finally:
        os.close(fd)


def _identity(fd: int) -> tuple[int, int, int, int]:
    with file_errors():
        found = os.fstat(fd)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
