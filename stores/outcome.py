"""How files, chunks and jobs end: the arithmetic of the conservation law. No I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from stores.records import Counts, JobState, Reason, Row, Status
from workers.errors import ParameterError

Tally = Mapping[str, int]
"""Files by how they ended; never `pending`."""

CANCELLED = Row(Status.SKIPPED, reason=Reason("cancelled", "The job was cancelled before this file was started."))
ABANDONED_S = 600.0
"""A manifest that brought no chunk for so long is not coming any more: its gateway died."""


def tally(rows: Iterable[Row]) -> dict[str, int]:
    """Count ends."""
    return dict(Counter(str(row.status) for row in rows))


def causes(rows: Iterable[Row]) -> dict[str, int]:
    """Count failures by their codes."""
    return dict(Counter(row.reason.code for row in rows if row.status is Status.FAILED and row.reason))


def add(tallies: Iterable[Tally]) -> dict[str, int]:
    """The sum of several tallies."""
    total: Counter[str] = Counter()
    for one in tallies:
        total.update(one)
    return dict(total)


def counts(submitted: int, ended: Tally) -> Counts:
    """A job's counts: what has not ended is pending."""
    return Counts(submitted=submitted, pending=submitted - sum(ended.values()), **ended)


def check_rows(rows: Sequence[Row], size: int) -> None:
    """Raise `ParameterError` unless each of `size` files has one end."""
    if len(rows) != size:
        raise ParameterError(f"{len(rows)} rows for a chunk of {size} files")
    if any(row.status is Status.PENDING for row in rows):
        raise ParameterError("pending is not an end")


def end_state(*, cancelled: bool, reason: Reason | None) -> JobState:
    """The state of a job of which every file has ended."""
    if cancelled:
        return JobState.CANCELLED
    return JobState.FAILED if reason else JobState.COMPLETE
