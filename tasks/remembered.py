"""What an earlier job over the same folder says of its files: which are as they were, without reading them.

Both walks give files in one order, so the earlier job's chunks are read along, one look-up for 200 files. A file is as
it was when its size and its time of change to the nanosecond are, and that time lay at least `SETTLED_S` before the
earlier job: a file that was changed while it was being looked at may carry the same time twice, as disks count in
steps of up to two seconds. Whoever sets a file's time back by hand is not noticed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from stores.doors import Ledger
from stores.records import FileRef, FileRow, Job
from tasks.walk import raw_path

SETTLED_S: Final = 2.0


class Remembered:
    """The files of a complete job, read along with a walk that asks in the walk's order."""

    def __init__(self, ledger: Ledger, earlier: Job) -> None:
        self._ledger, self._earlier = ledger, earlier
        self._settled_ns = int((earlier.created_at.timestamp() - SETTLED_S) * 1e9)
        self._rows: Iterator[FileRow] | None = None
        self._row: FileRow | None = None

    def sample_of(self, file: FileRef) -> str | None:
        """The sample of a file that is as it was; ``None`` for one that is new, changed, or did not end well."""
        if file.size < 0 or file.reason is not None or file.mtime_ns >= self._settled_ns:
            return None
        place = _order(file)
        if self._rows is None:
            self._rows = self._from(self._chunk_of(place))
            self._row = next(self._rows, None)
        while self._row is not None and _order(self._row.file) < place:
            self._row = next(self._rows, None)
        if self._row is None or _order(self._row.file) != place:
            return None
        was = self._row.file
        return self._row.row.sample_id if (was.size, was.mtime_ns) == (file.size, file.mtime_ns) else None

    def _from(self, n: int) -> Iterator[FileRow]:
        for each in range(n, self._earlier.chunks):
            yield from self._ledger.chunk_rows(self._earlier.id, each)

    def _chunk_of(self, place: list[bytes]) -> int:
        """The last chunk that begins at `place` or before it."""
        low, high = 0, self._earlier.chunks
        while high - low > 1:
            middle = (low + high) // 2
            rows = self._ledger.chunk_rows(self._earlier.id, middle)
            low, high = (low, middle) if not rows or _order(rows[0].file) > place else (middle, high)
        return low


def _order(file: FileRef) -> list[bytes]:
    """How a walk compares: name by name, as bytes."""
    return raw_path(file).split(b"/")
