"""What an earlier job over the same folder says of its files: which are as they were, without reading them.

Both walks give files in one order (a bucket's another one than a disk's), so the earlier job's chunks are read along,
one look-up for 200 files. A file is as it was when its size and its time of change to the nanosecond are, and that time
lay at least `SETTLED_S` before the earlier job: a file that was changed while it was being looked at may carry the same
time twice, as disks count in steps of up to two seconds. Whoever sets a file's time back by hand is not noticed. An
object of a bucket is as it was when its ETag is, too: that needs no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from stores.doors import Ledger
from stores.records import FileRef, FileRow, Job
from tasks.walk import raw_path

SETTLED_S: Final = 2.0

Order = Any
"""Something that files are compared by: bytes, or names of folders as bytes."""


class Remembered:
    """The files of a complete job, read along with a walk that asks in the walk's order."""

    def __init__(self, ledger: Ledger, earlier: Job, *, by_key: bool = False) -> None:
        """`by_key`: the walk gives objects by the bytes of their whole keys, as a bucket lists them."""
        self._ledger, self._earlier = ledger, earlier
        self._order: Callable[[FileRef], Order] = raw_path if by_key else _by_names
        self._settled_ns = int((earlier.created_at.timestamp() - SETTLED_S) * 1e9)
        self._rows: Iterator[FileRow] | None = None
        self._row: FileRow | None = None

    def sample_of(self, file: FileRef) -> str | None:
        """The sample of a file that is as it was; ``None`` for one that is new, changed, or did not end well."""
        unsettled = file.mtime_ns >= self._settled_ns and not file.etag
        if file.size < 0 or file.reason is not None or unsettled:
            return None
        place = self._order(file)
        if self._rows is None:
            self._rows = self._from(self._chunk_of(place))
            self._row = next(self._rows, None)
        while self._row is not None and self._order(self._row.file) < place:
            self._row = next(self._rows, None)
        if self._row is None or self._order(self._row.file) != place:
            return None
        return self._row.row.sample_id if _marks(self._row.file) == _marks(file) else None

    def _from(self, n: int) -> Iterator[FileRow]:
        for each in range(n, self._earlier.chunks):
            yield from self._ledger.chunk_rows(self._earlier.id, each)

    def _chunk_of(self, place: Order) -> int:
        """The last chunk that begins at `place` or before it."""
        low, high = 0, self._earlier.chunks
        while high - low > 1:
            middle = (low + high) // 2
            rows = self._ledger.chunk_rows(self._earlier.id, middle)
            low, high = (low, middle) if not rows or self._order(rows[0].file) > place else (middle, high)
        return low


def _by_names(file: FileRef) -> list[bytes]:
    """How a walk of folders compares: name by name, as bytes."""
    return raw_path(file).split(b"/")


def _marks(file: FileRef) -> tuple[object, ...]:
    """What another content would change."""
    return file.size, file.mtime_ns, file.etag
