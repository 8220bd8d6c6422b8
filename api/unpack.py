"""What is in a zip archive, within bounds: everything is looked at before anything is written."""

from __future__ import annotations

import hashlib
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from api.errors import Problem
from api.placing import checked_path

_TAIL: Final = 65_535 + 22
"""The end record and the longest comment behind it."""
_ENTRY_BYTES: Final = 1024
"""Of the directory, for each file that is allowed: a long name and its extras."""
_RATIO: Final = 100
_FREE_BYTES: Final = 100_000_000
"""What may unfold beyond the ratio: silence packs a thousand times as small."""
_BUFFER: Final = 1 << 20
_JUNK: Final = ("__MACOSX", "Thumbs.db", "desktop.ini")


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most that an archive may hold."""

    files: int
    total_bytes: int
    file_bytes: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in an archive, and where it goes: a path that leads down."""

    info: zipfile.ZipInfo
    path: str


@contextmanager
def opened(archive: Path, bounds: Bounds) -> Iterator[tuple[zipfile.ZipFile, list[Entry]]]:
    """The archive and its files; folders, hidden files and what systems leave behind are passed over.

    Raises
    ------
    Problem
        422 for what is no archive or holds names, links or ciphers that are not taken; 413 beyond the bounds.
    """
    _check_directory(archive, bounds)
    try:
        with zipfile.ZipFile(archive) as unfolded:
            entries = [Entry(each, checked_path(_name(each))) for each in unfolded.infolist() if _wanted(each)]
            _check(entries, archive.stat().st_size, bounds)
            yield unfolded, entries
    except (zipfile.BadZipFile, NotImplementedError, zlib.error, EOFError, UnicodeDecodeError) as error:
        raise _bad(f"it is damaged or of a kind that is not read ({error})") from error


def unfold(unfolded: zipfile.ZipFile, entry: Entry, into: IO[bytes]) -> str:
    """Write a file of the archive, durably; its SHA-256. `Problem` where it is longer than it says."""
    found, left = hashlib.sha256(), entry.info.file_size
    with unfolded.open(entry.info) as file:
        while piece := file.read(_BUFFER):
            left -= len(piece)
            if left < 0:
                raise _bad(f"{entry.path!r} is longer than it says")
            found.update(piece)
            into.write(piece)
    into.flush()
    os.fsync(into.fileno())
    return found.hexdigest()


def _check_directory(archive: Path, bounds: Bounds) -> None:
    """Its own account of how long its directory is, before that is read into memory as a whole."""
    size = archive.stat().st_size
    with archive.open("rb") as file:
        file.seek(max(0, size - _TAIL - 20))
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < 22:
        raise _bad("it does not end as one")
    if tail[max(0, at - 20) : at].startswith(b"PK\x06\x07"):
        raise _bad("it is of the kind for more than 65,535 files or 4 GB (zip64): send several")
    count, length = int.from_bytes(tail[at + 10 : at + 12], "little"), int.from_bytes(tail[at + 12 : at + 16], "little")
    # Folders and what is passed over count too here, hence twice.
    if count > 2 * bounds.files or length > 2 * bounds.files * _ENTRY_BYTES:
        raise _too_much(f"more than {bounds.files:,} files")


def _check(entries: list[Entry], archive_bytes: int, bounds: Bounds) -> None:
    total = sum(each.info.file_size for each in entries)
    if len(entries) > bounds.files:
        raise _too_much(f"more than {bounds.files:,} files")
    if total > bounds.total_bytes:
        raise _too_much(f"more than {bounds.total_bytes:,} bytes")
    if total > _FREE_BYTES + _RATIO * archive_bytes:
        raise _too_much(f"more than {_RATIO} times as much as it is long")
    seen = set()
    for each in entries:
        if each.info.file_size > bounds.file_bytes:
            raise _too_much(f"a file of more than {bounds.file_bytes:,} bytes ({each.path!r})")
        if each.path in seen:
            raise _bad(f"it holds {each.path!r} twice")
        seen.add(each.path)


def _wanted(info: zipfile.ZipInfo) -> bool:
    parts = _name(info).split("/")
    if info.is_dir() or any(part.startswith(".") and part.strip(".") for part in parts) or set(parts) & set(_JUNK):
        return False
    if info.flag_bits & 1:
        raise _bad("it is encrypted")
    mode = stat.S_IFMT(info.external_attr >> 16)
    if mode not in (0, stat.S_IFREG):
        raise _bad(f"{info.filename!r} is a link or a device")
    return True


def _name(info: zipfile.ZipInfo) -> str:
    # Some programs of Windows write the other slash.
    return info.filename.replace("\\", "/")


def _bad(why: str) -> Problem:
    return Problem(422, "bad_archive", f"The archive is not taken: {why}.")


def _too_much(what: str) -> Problem:
    return Problem(413, "archive_too_large", f"The archive would unfold to {what}.")
