"""Jobs, files and samples for tests."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from typing import Any

from stores.doors import Ledger
from stores.records import (
    Claim,
    FileRef,
    FolderSource,
    Job,
    NewJob,
    NewSample,
    Origin,
    Priority,
    Reason,
    Row,
    Status,
)
from workers.model import VECTOR_DIMENSIONS

BROKEN = Reason("decode_failed", "The audio is damaged and could not be decoded.")


def new_job(owner: str = "ada", *, source: bool = True, **changes: Any) -> NewJob:
    folder = FolderSource("library", "drums") if source else None
    return NewJob(
        **{"owner": owner, "priority": Priority.NORMAL, "source": folder, "label": "library/drums", **changes}
    )


def files(count: int, start: int = 0) -> list[FileRef]:
    return [
        FileRef("library", f"drums/kick {i:05}.wav", size=1000 + i, mtime_ns=10**18 + i)
        for i in range(start, start + count)
    ]


def submit(ledger: Ledger, sizes: Sequence[int], *, fed: bool = True, **job: Any) -> Job:
    """A running job with chunks of these sizes, published unless said otherwise."""
    made, _ = ledger.create_job(new_job(**job))
    scan = ledger.claim_scan(made.id, 60)
    assert scan is not None
    first = 0
    for n, size in enumerate(sizes):
        assert ledger.add_chunk(made.id, n, first, files(size, first))
        first += size
    assert ledger.finish_scan(made.id, scan.token)
    if fed:
        ledger.mark_fed(made.id, ledger.unfed(made.id, len(sizes)))
    return ledger.job(made.id)


def claim(ledger: Ledger, job: Job, n: int, part: int = 0, lease_s: float = 60) -> Claim:
    held = ledger.claim_chunk(f"{job.id}:{n}:{part}" if part else f"{job.id}:{n}", lease_s)
    assert held is not None
    return held


def done(count: int) -> list[Row]:
    return [Row(Status.DONE, sample_id=f"sample-{i}") for i in range(count)]


def finish(ledger: Ledger, job: Job, n: int, rows: Sequence[Row] | None = None) -> None:
    held = claim(ledger, job, n)
    assert ledger.finish_chunk(held, rows or done(len(held.files)))


def hash_of(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def sample(
    number: int,
    *,
    bpm: float | None = 120.0,
    key: str | None = "C minor",
    camelot: str | None = "5A",
    kind: str = "loop",
    note: str | None = None,
    duration_s: float = 8.0,
    defects: Sequence[str] = (),
    path: str | None = None,
    owner: str = "ada",
    silent: bool = False,
    job: str = "J",
    pcm: str | None = None,
) -> NewSample:
    tonic, mode = key.split() if key else (None, None)
    analysis = {
        "audio": {"duration_s": duration_s, "sample_rate_hz": 44100, "pcm_xxh128": pcm},
        "kind": {"label": kind, "confidence": 0.9},
        "tempo": {"bpm": bpm, "confidence": 0.9, "reason": None if bpm else "too short"},
        "key": {"tonic": tonic, "mode": mode, "label": key, "camelot": camelot if key else None, "confidence": 0.8},
        "pitch": {"note": note, "midi": None},
        "spectrum": {"centroid_hz": 1234.5, "bands": (0.1, 0.2)},
        "defects": tuple({"code": code, "message": code} for code in defects),
    }
    content = hash_of(number)
    values = [float((number * 7 + i) % 13 - 6) for i in range(VECTOR_DIMENSIONS)]
    return NewSample(
        id=f"{content}-1.0.0-0",
        content=content,
        analyzer="1.0.0",
        analysis=analysis,
        vector=b"" if silent else struct.pack(f"<{VECTOR_DIMENSIONS}f", *values),
        peaks=bytes([number % 256]) * 8,
        mel=bytes([number % 256]) * 16,
        origin=Origin(job, number),
        owner=owner,
        file=FileRef("library", path or f"drums/kick {number}.wav", size=5, mtime_ns=7),
    )
