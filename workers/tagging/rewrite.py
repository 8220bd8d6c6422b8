"""A file written anew in the old one's place: whole or not at all, sounding the same to the last sample."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from workers.audio.decode import Decoder
from workers.audio.files import content_hash, open_regular
from workers.errors import ChangedSince, NotWritable, SoundDiffers, WriteRefused
from workers.tagging.formats import splice_of
from workers.tagging.marks import Marks
from workers.tagging.splice import Splice, copy, inverse

_MARK = ".samplemind-"
"""In the names of files that are being written: what a killed process leaves is known by it."""


@dataclass(frozen=True, slots=True)
class Change:
    """What happened, or would happen, to a file."""

    path: Path
    """Where the file really is, links followed."""
    before: str
    """SHA-256 of the old file."""
    after: str
    """SHA-256 of the new file."""
    sound: str
    """SHA-256 of the samples that both decode to."""
    undo: Splice
    """How the old file is made of the new one."""


def prepared(path: Path, marks: Marks, decoder: Decoder, *, expected: str | None = None) -> Pending:
    """Make the new file beside the old one and prove that it sounds the same; nothing is replaced yet.

    Parameters
    ----------
    path : Path
        The file; a link to it is followed.
    marks : Marks
        What to say in it.
    decoder : Decoder
        This process's own: it decodes both.
    expected : str or None
        SHA-256 that the file must have: that of the content that was analysed.

    Raises
    ------
    FileError, TaggingError
        Why nothing was done.
    """
    place = Path(os.path.realpath(path))
    with _opened(place) as fd:
        before = os.fstat(fd)
        if before.st_nlink > 1:
            raise NotWritable("It has several names (hard links), and only one of them would change.")
        old_hash = content_hash(fd)
        if expected is not None and old_hash != expected:
            raise ChangedSince
        splice = splice_of(fd, marks)
        undo = inverse(fd, splice, before.st_size)
        sound = _sound(decoder, fd, place.name)
        return _made(place, fd, splice, before, Change(place, old_hash, "", sound, undo), decoder)


def restored(path: Path, undo: Splice, *, before: str, after: str, decoder: Decoder) -> Pending:
    """Make the old file (SHA-256 `before`) of the new one (`after`), by the pieces that were kept.

    Raises
    ------
    FileError, TaggingError
        `ChangedSince` if somebody else wrote to it meanwhile.
    """
    place = Path(os.path.realpath(path))
    with _opened(place) as fd:
        now = os.fstat(fd)
        if content_hash(fd) != after:
            raise ChangedSince
        again = inverse(fd, undo, now.st_size)
        pending = _made(place, fd, undo, now, Change(place, after, "", _sound(decoder, fd, place.name), again), decoder)
    if pending.change.after != before:
        pending.discard()
        raise SoundDiffers("What was kept does not make the old file.")
    return pending


class Pending:
    """A new file, proved and safe on the disk, beside the old one. `take_place` or `discard` it."""

    def __init__(self, change: Change, new: Path, before: os.stat_result) -> None:
        self.change, self._new, self._before = change, new, before

    def take_place(self) -> None:
        """Put the new file in the old one's place, at once. Raises `ChangedSince` or `WriteRefused`."""
        try:
            with _refusals():
                now = self.change.path.stat()
                same = (now.st_ino, now.st_size, now.st_mtime_ns)
                if same != (self._before.st_ino, self._before.st_size, self._before.st_mtime_ns):
                    raise ChangedSince
                os.replace(self._new, self.change.path)
                _sync_folder(self.change.path.parent)
        finally:
            self.discard()

    def discard(self) -> None:
        """Remove the new file, if it is still beside the old one."""
        with contextlib.suppress(FileNotFoundError):
            self._new.unlink()


def _made(place: Path, fd: int, splice: Splice, before: os.stat_result, change: Change, decoder: Decoder) -> Pending:
    """The new file on the disk, hashed and heard."""
    new = place.with_name(f".{place.name[:100]}{_MARK}{secrets.token_hex(6)}")
    pending = Pending(change, new, before)
    try:
        with _refusals():
            target = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                copy(fd, splice, target)
                _same_rights(fd, target, before)
                os.fsync(target)
                after = content_hash(target)
                sound = _sound(decoder, target, place.name)
            finally:
                os.close(target)
        if sound != change.sound:
            raise SoundDiffers
        pending.change = Change(change.path, change.before, after, sound, change.undo)
        return pending
    except BaseException:
        pending.discard()
        raise


def _sound(decoder: Decoder, fd: int, name: str) -> str:
    """SHA-256 of all samples, as float32, and of their rate and of the shape of what is held of them at once."""
    decoded = decoder.decode(fd, name)
    digest = hashlib.sha256(f"{decoded.info.sample_rate_hz} {decoded.info.frames} {decoded.y.shape}".encode())
    digest.update(decoded.y.data)
    last = decoded.whole
    while not last:
        block = decoder.go_on(0)
        digest.update(block.y.data)
        last = block.last
    return digest.hexdigest()


def _same_rights(old: int, new: int, before: os.stat_result) -> None:
    """Mode, owner and extended attributes of the old file, as far as we may give them."""
    os.fchmod(new, before.st_mode & 0o7777)
    with contextlib.suppress(PermissionError):
        os.fchown(new, before.st_uid, before.st_gid)
    for name in os.listxattr(old) if hasattr(os, "listxattr") else ():
        with contextlib.suppress(PermissionError):
            os.setxattr(new, name, os.getxattr(old, name))


@contextmanager
def _opened(place: Path) -> Iterator[int]:
    fd = open_regular(place)
    try:
        yield fd
    finally:
        os.close(fd)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WriteRefused(f"{os.strerror(error.errno) if error.errno else error}.") from error


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
