"""How jobs and chunks are written down in MongoDB. No I/O.

A chunk is one document: its files as short lists (a name for each field a thousand times over would be half of it), and
once it is done their ends beside them. So the end of every file of a chunk and the end of the chunk are one write.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bson import Binary

from stores import outcome
from stores.identity import ChunkId
from stores.outcome import Tally
from stores.records import (
    Counts,
    Death,
    FileRef,
    FileRow,
    FolderSource,
    Job,
    JobState,
    NewJob,
    Priority,
    Reason,
    Row,
    SamplesSource,
    Source,
    Status,
)

OPEN, SPLITTING, SPLIT, DONE = "open", "splitting", "split", "done"
DROPPED = "dropped"
"""A job that is going away: nobody sees it any more, its chunks are being deleted."""
ACTIVE = (str(JobState.SCANNING), str(JobState.RUNNING))
TAKES_CHUNKS = (str(JobState.RECEIVING), str(JobState.SCANNING))


# -- files and their ends
def pack_file(file: FileRef, root: str | None) -> list[Any]:
    """[path, size, mtime_ns] and, where there is more to say, a mapping of it. `root`: the chunk's own."""
    rest: dict[str, Any] = {}
    if file.root != root:
        rest["root"] = file.root
    if file.raw is not None:
        rest["raw"] = Binary(file.raw)
    if file.reason is not None:
        rest["reason"] = [file.reason.code, file.reason.message]
    if file.known is not None:
        rest["known"] = file.known
    if file.etag is not None:
        rest["etag"] = file.etag
    packed: list[Any] = [file.path, file.size, file.mtime_ns]
    return [*packed, rest] if rest else packed


def unpack_file(packed: Sequence[Any], root: str | None) -> FileRef:
    path, size, mtime_ns = packed[:3]
    rest: Mapping[str, Any] = packed[3] if len(packed) > 3 else {}
    raw, reason = rest.get("raw"), rest.get("reason")
    return FileRef(
        root=rest.get("root", root) or "",
        path=path,
        raw=None if raw is None else bytes(raw),
        size=size,
        mtime_ns=mtime_ns,
        reason=Reason(*reason) if reason else None,
        known=rest.get("known"),
        etag=rest.get("etag"),
    )


def pack_row(row: Row) -> list[Any]:
    """[status, sample_id, code, message], without the end that is empty."""
    reason = (row.reason.code, row.reason.message) if row.reason else ()
    return [str(row.status), row.sample_id, *reason] if row.sample_id is not None or reason else [str(row.status)]


def unpack_row(packed: Sequence[Any]) -> Row:
    status, sample_id, *reason = [*packed, None][: max(2, len(packed))]
    return Row(Status(status), sample_id, Reason(*reason) if reason else None)


# -- chunks
def new_chunk(chunk: ChunkId, first: int, files: Sequence[FileRef], of: int | None = None) -> dict[str, Any]:
    """An open chunk; `of`: how many parts there are, for a part of a split one."""
    roots = {file.root for file in files}
    root = roots.pop() if len(roots) == 1 else None
    document: dict[str, Any] = {
        "_id": str(chunk),
        "job": chunk.job,
        "n": chunk.n,
        "part": chunk.part,
        "first": first,
        "size": len(files),
        "state": OPEN,
        "attempt": 0,
        "root": root,
        "files": [pack_file(file, root) for file in files],
    }
    return document if of is None else {**document, "of": of}


def ended(rows: Sequence[Row]) -> dict[str, Any]:
    """What `finish_chunk` sets."""
    end = {"state": DONE, "rows": [pack_row(row) for row in rows], "counts": outcome.tally(rows)}
    return end | _failures(outcome.causes(rows))


def all_ended(row: Row, size: int) -> dict[str, Any]:
    """The same where every file ended alike: its end once."""
    end = {"state": DONE, "all": pack_row(row), "counts": {str(row.status): size}}
    return end | _failures(dict.fromkeys(outcome.causes([row]), size))


def _failures(causes: Mapping[str, int]) -> dict[str, Any]:
    """What puts a chunk into the quarantine; a chunk without failures says nothing and is in no index of them."""
    return {"failed": True, "causes": causes} if causes else {}


def files_of(chunk: Mapping[str, Any]) -> tuple[FileRef, ...]:
    return tuple(unpack_file(packed, chunk["root"]) for packed in chunk["files"])


def deaths_of(chunk: Mapping[str, Any]) -> tuple[Death, ...]:
    """The files at which earlier attempts died, one each."""
    return tuple(Death(*said) for _, said in sorted(chunk.get("deaths", {}).items(), key=lambda each: int(each[0])))


def rows_of(chunk: Mapping[str, Any]) -> list[FileRow]:
    """A chunk's files with their ends, `pending` while it is open."""
    files = files_of(chunk)
    if chunk["state"] != DONE:
        ends = [Row(Status.PENDING)] * len(files)
    elif chunk.get("all"):
        ends = [unpack_row(chunk["all"])] * len(files)
    else:
        ends = [unpack_row(packed) for packed in chunk["rows"]]
    return [FileRow(chunk["first"] + i, file, row) for i, (file, row) in enumerate(zip(files, ends, strict=True))]


# -- jobs
def new_job(new: NewJob) -> dict[str, Any]:
    """A job without its id and times, which the server gives."""
    document: dict[str, Any] = {
        "v": 1,
        "owner": new.owner,
        "fingerprint": new.fingerprint,
        "state": str(JobState.SCANNING if new.source else JobState.RECEIVING),
        "priority": str(new.priority),
        "source": asdict(new.source) if new.source else None,
        "label": new.label,
        "cancel_requested": False,
        "chunks": 0,
        "submitted": 0,
        "fed": 0,
        "folded": {"n": 0, "counts": {}},
    }
    return document if new.idempotency_key is None else {**document, "key": new.idempotency_key}


def is_paused(job: Mapping[str, Any]) -> bool:
    return bool(job.get("paused")) and job["state"] in ACTIVE


def job_of(document: Mapping[str, Any], counts: Counts) -> Job:
    source, reason = document["source"], document.get("reason")
    return Job(
        id=document["_id"],
        owner=document["owner"],
        state=JobState.PAUSED if is_paused(document) else JobState(document["state"]),
        priority=Priority(document["priority"]),
        source=source_of(source) if source else None,
        label=document["label"],
        created_at=document["created_at"],
        counts=counts,
        cancel_requested=document["cancel_requested"],
        finished_at=document.get("finished_at"),
        reason=Reason(*reason) if reason else None,
        chunks=document["chunks"],
        fed=document["fed"],
    )


def source_of(document: Mapping[str, Any]) -> Source:
    return SamplesSource(**document) if "analyzer" in document else FolderSource(**document)


def place_key(job: Mapping[str, Any]) -> str | None:
    """The same for all jobs of one owner over one folder; ``None`` for jobs over something else."""
    source = job["source"]
    if not source or "root" not in source:
        return None
    said = "\0".join((job["owner"], source["root"], source["path"], source["pattern"]))
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


def owner_of_samples(job: Mapping[str, Any]) -> str:
    """Whose the samples of a job's chunks will be: nobody's in particular where it remakes everybody's."""
    source = job["source"]
    return "" if source and source.get("owner", "") is None else job["owner"]


def stored_counts(document: Mapping[str, Any]) -> Counts:
    """What a job's own row knows: final for one that has ended, else up to its last fold."""
    known: Tally = document["counts"] if "counts" in document else document["folded"]["counts"]
    return outcome.counts(document["submitted"], known)
