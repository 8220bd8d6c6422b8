"""One object of a bucket on its way into a file of ours: bounded, checked, and gone on with where it broke off."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from stores.buckets import PAUSE_S, Bucket, Thing
from workers.errors import BucketAway, FetchTimedOut, NoRoom, TooLarge


def fetch(
    bucket: Bucket,
    path: str,
    fd: int,
    most_bytes: int,
    *,
    etag: str | None = None,
    alive: Callable[[bytes], object] = lambda piece: None,
) -> Thing:
    """Write a whole object into the empty file `fd`; what it was.

    Parameters
    ----------
    most_bytes : int
        A larger one is refused before a byte of it comes.
    etag : str, optional
        Only if it still has this one.
    alive : callable
        Told each piece as it comes, in order, each byte once; what it raises ends the fetching.

    Raises
    ------
    FileError
        `Vanished`, `TooLarge`, `ChangedWhileReading`, `FetchTimedOut`, `AccessRefused`, ...
    BucketAway, NoRoom
        It did not come in so many tries; `fd` takes no more.
    """
    return _Fetch(bucket, path, fd, most_bytes, alive).run(etag)


def nameless(folder: Path | None) -> int:
    """An empty file of one's own, which is gone when its descriptor is closed. `NoRoom` where there can be none."""
    try:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            return os.dup(file.fileno())
    except OSError as error:
        raise NoRoom(f"{error.strerror}.") from error


class _Fetch:
    def __init__(self, bucket: Bucket, path: str, fd: int, most_bytes: int, alive: Callable[[bytes], object]) -> None:
        self._bucket, self._path, self._fd, self._most, self._alive = bucket, path, fd, most_bytes, alive
        self._have = 0
        self._ends = time.monotonic() + bucket.settings.deadline_s
        self._pause = threading.Event()

    def run(self, etag: str | None) -> Thing:
        failed = 0
        while True:
            before = self._have
            try:
                thing, pieces = self._bucket.get(self._path, self._have, etag)
                etag = thing.etag
                self._take(thing, pieces)
                return thing
            except NoRoom:
                raise
            except BucketAway:
                failed = 1 if self._have > before else failed + 1
                if failed >= self._bucket.settings.tries or (self._have and not etag):
                    raise
            self._pause.wait(PAUSE_S * 2 ** (failed - 1))
            self._in_time()

    def _take(self, thing: Thing, pieces: Iterator[bytes]) -> None:
        if thing.size > self._most:
            raise TooLarge(f"It has {thing.size / 1e6:.0f} MB; {self._most / 1e6:.0f} are allowed.")
        for piece in pieces:
            self._in_time()
            self._keep(piece)
        if self._have != thing.size:
            raise BucketAway(f"Of {thing.size} bytes {self._have} came.")

    def _keep(self, piece: bytes) -> None:
        left = memoryview(piece)
        try:
            while left:
                kept = os.pwrite(self._fd, left, self._have)
                self._have, left = self._have + kept, left[kept:]
        except OSError as error:
            raise NoRoom(f"{error.strerror}.") from error
        self._alive(piece)

    def _in_time(self) -> None:
        if time.monotonic() > self._ends:
            raise FetchTimedOut(f"After {self._bucket.settings.deadline_s:g} s {self._have} bytes had come.")
