"""The objects of one chunk, fetched from their buckets: some at once, ahead of who analyses them.

Each comes into a private file without a name, is hashed as it comes, and is kept there until it is analysed as long as
`s3.spool_mb` allows; what was not kept is fetched again, and must be what it was.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from config.settings import S3Settings
from stores.buckets import Bucket
from stores.fetching import fetch, nameless
from stores.records import FileRef
from tasks.walk import raw_path
from workers.errors import BucketAway, ChangedWhileReading, Left, NoRoom, NotDelivered

_LOOK_S: Final = 1.0
_ROUNDS: Final = 3
_UNSEEN_BYTES: Final = 16 << 20
"""What an object counts for whose size nobody saw."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An object that came: its bytes in a file of ours."""

    fd: int
    content: str
    """SHA-256 of its bytes, in hexadecimal."""
    etag: str


class Fetches:
    """Fetches a chunk's objects. A context: at its end whatever is left is given up and thrown away.

    Parameters
    ----------
    files : the chunk's, in the order in which they will be asked for
    wanted : whether a file will be asked for
    """

    def __init__(
        self,
        files: Sequence[FileRef],
        wanted: Callable[[FileRef], bool],
        buckets: Mapping[str, Bucket],
        settings: S3Settings,
        max_bytes: int,
    ) -> None:
        self._files, self._buckets, self._settings, self._max_bytes = files, buckets, settings, max_bytes
        self._todo = [n for n, file in enumerate(files) if file.root in buckets and wanted(file)]
        self._under_way: dict[int, Future[Fetched]] = {}
        self._kept: dict[int, Fetched] = {}
        self._pool = ThreadPoolExecutor(settings.ahead, thread_name_prefix="fetch")
        self._stop = threading.Event()

    def __enter__(self) -> Fetches:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._pool.shutdown(wait=False, cancel_futures=True)
        for future in self._under_way.values():
            future.add_done_callback(_throw_away)
        for fetched in self._kept.values():
            os.close(fetched.fd)
        self._kept.clear()

    def has(self, n: int) -> bool:
        """Whether the `n`-th file is an object of a bucket."""
        return self._files[n].root in self._buckets

    def take(self, n: int, alive: Callable[[], object]) -> Fetched:
        """The `n`-th file, hashed; `alive` is told while it is waited for. Its descriptor is not the caller's to close.

        Raises
        ------
        FileError
            It is not there, too large, changed while it came, ...
        BucketAway
            It cannot be had now: no file is to blame.
        """
        self._begin(n)
        fetched = _waited(self._under_way.pop(n), alive)
        if self._bytes_here() + _size(self._files[n]) <= self._settings.spool_mb << 20:
            self._kept[n] = fetched
        else:
            os.close(fetched.fd)
        return fetched

    @contextmanager
    def opened_again(self, n: int, content: str, etag: str, alive: Callable[[], object]) -> Iterator[int]:
        """A descriptor of what was taken: kept, or fetched once more. It is thrown away behind the block.

        Raises
        ------
        FileError, BucketAway
            As `take`; `ChangedWhileReading` where it is no longer the same.
        """
        fetched = self._kept.pop(n, None)
        if fetched is None:
            fetched = _waited(self._pool.submit(self._fetch, self._files[n], etag), alive)
        try:
            if fetched.content != content:
                raise ChangedWhileReading
            yield fetched.fd
        finally:
            os.close(fetched.fd)

    def _begin(self, n: int) -> None:
        """Have the `n`-th under way, and behind it as many as may be."""
        self._todo = [each for each in self._todo if each >= n]
        while self._todo and (self._todo[0] == n or len(self._under_way) < self._settings.ahead):
            file = self._files[self._todo[0]]
            if self._todo[0] != n and self._bytes_here() + _size(file) > self._settings.spool_mb << 20:
                return
            self._under_way[self._todo.pop(0)] = self._pool.submit(self._fetch, file, None)

    def _bytes_here(self) -> int:
        return sum(_size(self._files[n]) for n in (*self._kept, *self._under_way))

    def _fetch(self, file: FileRef, etag: str | None) -> Fetched:
        """What one thread does. A store that answers and still does not give a file out is given up at the third."""
        bucket = self._buckets[file.root]
        for n in range(_ROUNDS):
            try:
                return self._one(bucket, file, etag)
            except NoRoom:
                raise
            except BucketAway as error:
                if self._stop.wait(n) or not bucket.available():
                    raise
                said = error.detail
        raise NotDelivered(said)

    def _one(self, bucket: Bucket, file: FileRef, etag: str | None) -> Fetched:
        digest = hashlib.sha256()

        def came(piece: bytes) -> None:
            digest.update(piece)
            if self._stop.is_set():
                raise Left

        with ExitStack() as unless_whole:
            fd = nameless(self._settings.spool_dir)
            unless_whole.callback(os.close, fd)
            disk = os.fstatvfs(fd)
            most = min(self._max_bytes, disk.f_blocks * disk.f_frsize)
            thing = fetch(bucket, raw_path(file).decode(), fd, most, etag=etag, alive=came)
            unless_whole.pop_all()
        return Fetched(fd, digest.hexdigest(), thing.etag)


def _waited(future: Future[Fetched], alive: Callable[[], object]) -> Fetched:
    while True:
        try:
            return future.result(_LOOK_S)
        except NotYet:
            pass
        try:
            alive()
        except BaseException:
            future.add_done_callback(_throw_away)
            raise


def _size(file: FileRef) -> int:
    return file.size if file.size >= 0 else _UNSEEN_BYTES


def _throw_away(future: Future[Fetched]) -> None:
    if not future.cancelled() and future.exception() is None:
        os.close(future.result().fd)
