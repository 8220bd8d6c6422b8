"""Files that failed and were not tried again: the walk over them, whatever keeps the ledger. No I/O of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from stores import cursor as cursors
from stores.identity import ChunkId
from stores.records import Cause, Death, FailedFile, FileRow, Job, Page, Status
from workers.errors import KilledWorker, NotFound, sentence_of

_JOBS: Final = 100
"""Jobs looked at in one question."""

Jobs = Callable[[str | None, int], Page[Job]]
"""(cursor, limit) -> some of the jobs that may be seen, newest first."""


@dataclass(frozen=True, slots=True)
class FailedChunk:
    """A chunk, or a part of a split one, in which files failed."""

    id: ChunkId
    causes: Mapping[str, int]
    """How many failed of what, those that were tried again among them."""
    released: frozenset[int]
    """Places in the chunk of the files that another job has tried since."""
    attempt: int
    deaths: tuple[Death, ...]
    rows: Callable[[], Sequence[FileRow]]

    def left(self) -> Iterator[tuple[int, FileRow]]:
        """The files that failed and are not released, with their places."""
        for i, row in enumerate(self.rows()):
            if row.row.status is Status.FAILED and i not in self.released:
                yield i, row


Chunks = Callable[[str, int, int], Iterable[FailedChunk]]
"""(job, from n, from part) -> its chunks with failed files from there on, in order."""


def file_id(chunk: ChunkId, i: int) -> str:
    """The id of a failed file: opaque to users."""
    return f"{chunk.job}.{chunk.n}.{chunk.part}.{i}"


def parse_file_id(said: str) -> tuple[ChunkId, int]:
    """The chunk and the place in it. `NotFound` where it is no such id."""
    job, *numbers = said.split(".")
    if len(numbers) != 3 or not all(each.isascii() and each.isdigit() and len(each) < 10 for each in numbers):
        raise NotFound("There is no such file in the quarantine.")
    n, part, i = map(int, numbers)
    return ChunkId(job, n, part), i


def failed_page(
    jobs: Jobs, chunks: Chunks, *, owner: str | None, cause: str | None, cursor: str | None, limit: int
) -> Page[FailedFile]:
    """Failed files, those of the newest job first, in the order they were submitted."""
    question = ("quarantine", owner, cause)
    at: list[str | int] = ["", 0, 0, 0]
    if cursor:
        at = cursors.read(question, cursor, (str, int, int, int))
    job_id = str(at[0])
    n, part, first = map(int, at[1:])
    found: list[FailedFile] = []
    for job in _jobs_from(jobs, owner, job_id):
        here = job.id == job_id
        for chunk in chunks(job.id, n if here else 0, part if here else 0):
            if cause is not None and cause not in chunk.causes:
                continue
            skip = first if here and (chunk.id.n, chunk.id.part) == (n, part) else 0
            for i, row in chunk.left():
                if i < skip or cause not in (None, _code(row)):
                    continue
                if len(found) == limit:
                    return Page(tuple(found), cursors.write(question, (job.id, chunk.id.n, chunk.id.part, i)))
                found.append(failed_file(chunk, i, row))
    return Page(tuple(found), None)


def causes_of(jobs: Jobs, chunks: Chunks, owner: str | None) -> list[Cause]:
    """How many files failed of what, the most frequent first."""
    count: Counter[str] = Counter()
    for job in _jobs_from(jobs, owner, ""):
        for chunk in chunks(job.id, 0, 0):
            count.update((_code(row) for _, row in chunk.left()) if chunk.released else chunk.causes)
    return [
        Cause(code, sentence_of(code), number) for code, number in sorted(count.items(), key=lambda e: (-e[1], e[0]))
    ]


def failed_file(chunk: FailedChunk, i: int, row: FileRow) -> FailedFile:
    """One of them, with what is known of its end."""
    assert row.row.reason is not None
    died_of = tuple(death.of for death in chunk.deaths if death.n == i)
    killer = row.row.reason.code == KilledWorker.code
    tries = (len(died_of) or chunk.attempt) if killer else len(died_of) + 1
    return FailedFile(
        id=file_id(chunk.id, i),
        job_id=chunk.id.job,
        index=row.index,
        file=row.file,
        reason=row.row.reason,
        attempts=tries,
        died_of=died_of,
    )


def _code(row: FileRow) -> str:
    return row.row.reason.code if row.row.reason else ""


def _jobs_from(jobs: Jobs, owner: str | None, job_id: str) -> Iterator[Job]:
    """Jobs in which files failed, newest first, from this one on."""
    cursor = cursors.write(("jobs", owner), (f"{job_id}~",)) if job_id else None
    while True:
        page = jobs(cursor, _JOBS)
        yield from (job for job in page.items if job.counts.failed)
        cursor = page.next
        if cursor is None:
            return
