"""A job's files in pages: the walk over its chunks, whatever keeps them. No I/O of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from stores import cursor as cursors
from stores.outcome import Tally
from stores.records import FileRow, Page, Status

WINDOW = 20
"""Chunks fetched at a time: some 400 KB."""
BUDGET = 200
"""Most chunks looked at for one page. A page may come back empty with a `next`: go on there."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """One chunk, or one part of a split one, as the walk sees it."""

    n: int
    part: int
    size: int
    ended: Tally | None
    """Its tally, ``None`` while it is open."""
    rows: Callable[[], Sequence[FileRow]]

    def may_hold(self, status: Status | None) -> bool:
        if status is None:
            return True
        if self.ended is None:
            return status is Status.PENDING
        return self.ended.get(str(status), 0) > 0


Fetch = Callable[[int, int], Sequence[Stretch]]
"""(from n, below n) -> the stretches of these chunks, in order, split chunks by their parts."""


def file_page(
    job_id: str, chunks: int, fetch: Fetch, *, status: Status | None, cursor: str | None, limit: int
) -> Page[FileRow]:
    """Some of a job's files in the order they were submitted."""
    question = ("files", job_id, str(status))
    at = cursors.read(question, cursor, (int, int, int)) if cursor else [0, 0, 0]
    n, part, index = (int(number) for number in at)
    found: list[FileRow] = []
    budget_ends = n + BUDGET
    for stretch in _walk(fetch, n, min(chunks, budget_ends)):
        if (stretch.n, stretch.part) < (n, part) or not stretch.may_hold(status):
            continue
        skip = index if (stretch.n, stretch.part) == (n, part) else 0
        for i, row in enumerate(stretch.rows()):
            if i < skip or status not in (None, row.row.status):
                continue
            if len(found) == limit:
                return Page(tuple(found), cursors.write(question, (stretch.n, stretch.part, i)))
            found.append(row)
    more = cursors.write(question, (budget_ends, 0, 0)) if budget_ends < chunks else None
    return Page(tuple(found), more)


def _walk(fetch: Fetch, start: int, end: int) -> Iterator[Stretch]:
    for window in range(start, end, WINDOW):
        yield from fetch(window, min(window + WINDOW, end))
