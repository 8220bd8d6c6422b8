"""Walk a folder below a library root: every entry once, in one order, from wherever the last walk stopped.

The order is depth first, names compared as raw bytes, a folder's files at the folder's own place. It depends on
nothing but the names, so a walk may stop anywhere and another may go on behind the last file it gave.

No link to a folder is followed and every folder is opened below its parent's descriptor, so that a walk never
leaves the root, whatever is renamed meanwhile.

Not given at all: names with a leading dot, ``__MACOSX``, ``@eaDir``, ``Thumbs.db``, ``desktop.ini`` and what does
not match the pattern. Given with a reason, for the ledger to end: links to folders, loops of links, what is no
regular file, and folders that cannot be read.
"""

from __future__ import annotations

import errno
import os
import stat
from bisect import bisect_left
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stores.records import FileRef, FolderSource, Reason
from tasks.pattern import Pattern, States
from workers.errors import FileError, NotARegularFile, NotFound, OutsideRoot, SymlinkLoop, Unreadable
from workers.naming import named

IGNORED: Final = frozenset({b"__MACOSX", b"@eaDir", b"Thumbs.db", b"desktop.ini"})
MAX_DEPTH: Final = 128
"""Folders below folders; each holds a descriptor while it is walked."""

SYMLINK_TO_FOLDER: Final = Reason("symlink_to_folder", "Links to folders are not followed.")

Identity = tuple[int, int]
"""Which folder it is, by whatever path: its device and inode."""

Entries = Generator[FileRef | None, None, None]

_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_BELOW_FLAGS = _FOLDER_FLAGS | os.O_NOFOLLOW


@dataclass(frozen=True, slots=True)
class _Here:
    """A folder that is being walked."""

    root: str
    fd: int
    path: bytes
    """Below the root."""
    states: States
    depth: int
    skip: frozenset[Identity] = frozenset()


def submitted(name: bytes) -> bool:
    """Whether an entry of this name belongs to the library, rather than to the system that keeps it."""
    return not name.startswith(b".") and name not in IGNORED


def walk(
    root: str,
    base: Path,
    source: FolderSource,
    pattern: Pattern,
    after: FileRef | None,
    skip: frozenset[Identity] = frozenset(),
) -> Entries:
    """Every entry of a source behind `after`, in order, and ``None`` for each folder: a moment to look at the clock.

    Close it (`contextlib.closing`) if it is not read to its end: it holds descriptors.

    Parameters
    ----------
    root, base : the library root's name and folder
    source : which folder below it
    pattern : which files, by their path below that folder
    after : the last entry that an earlier walk gave
    skip : folders that are not entered, nor given

    Raises
    ------
    NotFound, OutsideRoot, Unreadable
        The source folder itself is not there, is reached through a link, or cannot be read.
    """
    parts = _parts(source.path)
    fd = _open_source(base, parts)
    try:
        here = _Here(root, fd, b"/".join(parts), pattern.start(), 0, skip)
        try:
            names = _listing(here, pattern)
        except OSError as error:
            raise _source_error(error) from error
        yield from _folder(here, names, pattern, _remaining(parts, after))
    finally:
        os.close(fd)


def identity(folder: Path) -> frozenset[Identity]:
    """What `walk` is told to skip this folder; nothing where it is not there."""
    try:
        seen = os.stat(folder)
    except OSError:
        return frozenset()
    return frozenset({(seen.st_dev, seen.st_ino)})


def raw_path(file: FileRef) -> bytes:
    """The bytes of a file's path below its root."""
    return file.raw if file.raw is not None else file.path.encode()


def _parts(path: str) -> list[bytes]:
    parts = [os.fsencode(part) for part in path.split("/") if part not in ("", ".")]
    if b".." in parts or any(b"\0" in part for part in parts):
        raise OutsideRoot()
    return parts


def _open_source(base: Path, parts: list[bytes]) -> int:
    try:
        fd = os.open(base, _FOLDER_FLAGS)
        for part in parts:
            try:
                below = os.open(part, _BELOW_FLAGS, dir_fd=fd)
            finally:
                os.close(fd)
            fd = below
    except OSError as error:
        raise _source_error(error) from error
    return fd


def _source_error(error: OSError) -> Exception:
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG):
        return NotFound("The folder is not there (links to folders are not followed).")
    return Unreadable(f"The folder could not be opened: {os.strerror(error.errno or errno.EIO)}.")


def _remaining(parts: list[bytes], after: FileRef | None) -> list[bytes]:
    """The names below the source that lead to `after`; empty to begin at the beginning."""
    if after is None:
        return []
    names = raw_path(after).split(b"/")
    return names[len(parts) :] if names[: len(parts)] == parts else []


def _listing(here: _Here, pattern: Pattern) -> list[bytes]:
    """A folder's names in order, without those that are never submitted. Plain bytes: it may hold a million."""
    with os.scandir(here.fd) as entries:
        return sorted(os.fsencode(entry.name) for entry in entries if _may_be_meant(here, entry, pattern))


def _may_be_meant(here: _Here, entry: os.DirEntry[str], pattern: Pattern) -> bool:
    """Leave out what need not be looked at: ignored names, and plain files that do not match (no `stat` for them)."""
    name = entry.name
    if not submitted(os.fsencode(name)):
        return False
    if entry.is_file(follow_symlinks=False):
        return pattern.accepts(pattern.step(here.states, _said(os.fsencode(name))))
    return True


def _said(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")


def _folder(here: _Here, names: list[bytes], pattern: Pattern, after: list[bytes]) -> Entries:
    """The entries of one folder behind the names `after`, of which the first is one of its own."""
    yield None
    first = bisect_left(names, after[0]) if after else 0
    for name in names[first:]:
        below: list[bytes] = []
        is_last = False
        if after and name == after[0]:
            below, is_last = after[1:], len(after) == 1
        states = pattern.step(here.states, _said(name))
        if states:
            yield from _entry(here, name, states, pattern, below, is_last)


def _entry(here: _Here, name: bytes, states: States, pattern: Pattern, below: list[bytes], is_last: bool) -> Entries:
    """One entry: nothing, itself, or a folder's content. `is_last`: it was given already (what is in it was not)."""
    try:
        seen = os.stat(name, dir_fd=here.fd, follow_symlinks=False)
    except FileNotFoundError:
        return  # gone since the folder was listed
    except OSError as error:
        if not is_last and pattern.accepts(states):
            yield _ref(here, name, reason=_unreadable(error))
        return
    if stat.S_ISDIR(seen.st_mode):
        if (seen.st_dev, seen.st_ino) in here.skip:
            return
        if pattern.leads_on(states):
            yield from _subfolder(here, name, states, pattern, below, is_last)
    elif not is_last and not below:
        given = _link(here, name) if stat.S_ISLNK(seen.st_mode) else _plain(here, name, seen)
        if pattern.accepts(states) or given.reason == SYMLINK_TO_FOLDER:
            yield given


def _subfolder(
    here: _Here, name: bytes, states: States, pattern: Pattern, below: list[bytes], is_last: bool
) -> Entries:
    """What is in a folder, or the folder itself where it cannot be read."""
    fd = -1
    try:
        try:
            if here.depth >= MAX_DEPTH:
                raise OSError(errno.EMFILE, "")
            fd = os.open(name, _BELOW_FLAGS, dir_fd=here.fd)
            inner = _Here(here.root, fd, _join(here.path, name), states, here.depth + 1, here.skip)
            names = _listing(inner, pattern)
        except FileNotFoundError:
            return
        except OSError as error:
            if not is_last:
                yield _ref(here, name, reason=_unreadable(error))
            return
        yield from _folder(inner, names, pattern, below)
    finally:
        if fd >= 0:
            os.close(fd)


def _plain(here: _Here, name: bytes, seen: os.stat_result) -> FileRef:
    if not stat.S_ISREG(seen.st_mode):
        return _ref(here, name, reason=_reason(NotARegularFile()))
    return _ref(here, name, size=seen.st_size, mtime_ns=seen.st_mtime_ns)


def _link(here: _Here, name: bytes) -> FileRef:
    """A link. One to a file, or to nothing, is kept: the worker opens it beneath the root and says what it is."""
    try:
        seen = os.stat(name, dir_fd=here.fd)
    except OSError as error:
        return _ref(here, name, reason=_reason(SymlinkLoop()) if error.errno == errno.ELOOP else None)
    if stat.S_ISDIR(seen.st_mode):
        return _ref(here, name, reason=SYMLINK_TO_FOLDER)
    return _plain(here, name, seen)


def _ref(here: _Here, name: bytes, *, size: int = -1, mtime_ns: int = 0, reason: Reason | None = None) -> FileRef:
    path = _join(here.path, name)
    return FileRef(here.root, *named(path), size, mtime_ns, reason)


def _unreadable(error: OSError) -> Reason:
    if error.errno == errno.EMFILE:
        return _reason(Unreadable(f"It lies more than {MAX_DEPTH} folders deep."))
    return _reason(Unreadable(os.strerror(error.errno or errno.EIO) + "."))


def _reason(error: FileError) -> Reason:
    return Reason(error.code, error.message)


def _join(folder: bytes, name: bytes) -> bytes:
    return folder + b"/" + name if folder else name
