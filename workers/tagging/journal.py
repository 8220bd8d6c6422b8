"""What was written where, and how to take it back: one JSON line a change, safe on the disk before the change is."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from workers.errors import WriteRefused
from workers.tagging.rewrite import Change
from workers.tagging.splice import Splice, pieces_as_json, pieces_from_json


@dataclass(frozen=True, slots=True)
class Entry:
    """One change of a file."""

    path: Path
    at: str
    """When, in UTC, as ISO 8601."""
    before: str
    after: str
    """SHA-256 of the file before and after."""
    sound: str
    """SHA-256 of its samples, the same before and after."""
    undo: Splice


class Journal:
    """The changes made from one data folder, the oldest first. Several processes may write to it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, change: Change) -> None:
        """Write down a change that is about to happen. Raises `WriteRefused`."""
        line = {
            "path": os.fsencode(change.path).decode("utf-8", "surrogateescape"),
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "before": change.before,
            "after": change.after,
            "sound": change.sound,
            "undo": pieces_as_json(change.undo),
        }
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._locked(os.O_WRONLY | os.O_APPEND | os.O_CREAT) as fd:
                os.write(fd, json.dumps(line).encode() + b"\n")
                os.fsync(fd)
        except OSError as error:
            raise WriteRefused("The undo journal cannot be written, so nothing else is.") from error

    def last(self, path: Path, after: str) -> Entry | None:
        """The latest change that left the file at `path` as it is now: with the SHA-256 `after`."""
        place = Path(os.path.realpath(path))
        found = None
        for entry in self:
            if entry.path == place and entry.after == after:
                found = entry
        return found

    def __iter__(self) -> Iterator[Entry]:
        """Every change that can be read; a line that a power cut left half is passed over."""
        try:
            with self.path.open(encoding="utf-8") as lines:
                for line in lines:
                    entry = _entry(line)
                    if entry is not None:
                        yield entry
        except FileNotFoundError:
            return

    @contextmanager
    def _locked(self, flags: int) -> Iterator[int]:
        fd = os.open(self.path, flags | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield fd
        finally:
            os.close(fd)


def _entry(line: str) -> Entry | None:
    try:
        said = json.loads(line)
        place = Path(os.fsdecode(said["path"].encode("utf-8", "surrogateescape")))
        undo = pieces_from_json(said["undo"])
        return Entry(place, said["at"], said["before"], said["after"], said["sound"], undo)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
