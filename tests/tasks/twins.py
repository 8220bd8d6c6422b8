"""Twins for the tests of tasks: a sender that remembers, an analysis that needs no audio, files in a folder."""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from pathlib import Path

from stores.memory import ManualClock, MemoryStores
from stores.records import FileRef, FolderSource, Job, NewJob, Priority
from tasks.names import QueueName
from workers.errors import DecodeFailed, NotAudio, StoreUnavailable
from workers.model import (
    VECTOR_DIMENSIONS,
    Analysis,
    AudioInfo,
    Key,
    Kind,
    Loudness,
    Pitch,
    Preview,
    Tempo,
)


class RecordingSender:
    """Remembers what was published, and fails while `away`."""

    def __init__(self) -> None:
        self.scans: list[str] = []
        self.ahead: list[str] = []
        self.sent: list[tuple[Priority, str]] = []
        self.away = False

    def scan(self, job_id: str, *, ahead: bool = False) -> None:
        self._check()
        self.scans.append(job_id)
        if ahead:
            self.ahead.append(job_id)

    def chunks(self, priority: Priority, chunk_ids: Sequence[str]) -> None:
        self._check()
        self.sent.extend((priority, chunk_id) for chunk_id in chunk_ids)

    def take(self) -> list[tuple[Priority, str]]:
        """What was published since the last call."""
        taken, self.sent = self.sent, []
        return taken

    def _check(self) -> None:
        if self.away:
            raise StoreUnavailable("twin")


class Cluster:
    """Memory stores on a clock that the test sets, and a sender whose messages are the queues' lengths."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.stores = MemoryStores(self.clock)
        self.ledger, self.samples, self.pulse = self.stores.ledger, self.stores.samples, self.stores.pulse
        self.sender = RecordingSender()

    def job(self, priority: Priority = Priority.NORMAL, source: FolderSource | None = None, owner: str = "me") -> Job:
        return self.ledger.create_job(NewJob(owner=owner, priority=priority, source=source))[0]

    def job_of(self, *chunks: Sequence[FileRef], priority: Priority = Priority.NORMAL, owner: str = "me") -> Job:
        """An accepted job with these chunks."""
        job = self.job(priority, owner=owner)
        first = 0
        for n, files in enumerate(chunks):
            assert self.ledger.add_chunk(job.id, n, first, files)
            first += len(files)
        return self.ledger.accept_job(job.id)

    def lengths(self, **lengths: int) -> dict[str, int]:
        return {name.value: lengths.get(name.value, 0) for name in QueueName}


def refs(count: int, *, size: int = 1000) -> list[FileRef]:
    """Files that need not exist."""
    return [FileRef("library", f"{n:05d}.wav", size=size) for n in range(count)]


def write(folder: Path, name: str, content: bytes) -> FileRef:
    """A file below `folder`, and its reference."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    seen = path.stat()
    return FileRef("library", name, size=seen.st_size, mtime_ns=seen.st_mtime_ns)


class ByContent:
    """Analyses files by their first bytes: ``!bad`` is damaged, ``!not`` is no audio, ``!bug`` and ``!mem`` raise."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, fd: int, name: str, alive: object = None) -> Analysis:
        self.names.append(name)
        said = os.pread(fd, 4, 0)
        if said == b"!bad":
            raise DecodeFailed
        if said == b"!not":
            raise NotAudio
        if said == b"!bug":
            raise ZeroDivisionError
        if said == b"!mem":
            raise MemoryError
        return analysis(float("nan") if said == b"!nan" else float(os.fstat(fd).st_size))


def analysis(of: float = 1.0) -> Analysis:
    """An analysis that says almost nothing."""
    info = AudioInfo(1.0, 44100, 1, "WAV", "PCM_16", 44100, 1.0)
    return Analysis(
        audio=info,
        kind=Kind("one-shot", 1.0),
        tempo=Tempo(None, 0.0, None, (), "too short"),
        key=Key(None, None, None, None, 0.0, None, "too short"),
        pitch=Pitch(None, None, None, None, 0.0, "no pitch"),
        loudness=Loudness(None, None, None, None),
        spectrum={},
        envelope={},
        rhythm={},
        timbre={},
        defects=(),
        vector=struct.pack(f"<{VECTOR_DIMENSIONS}f", of, *[1.0] * (VECTOR_DIMENSIONS - 1)),
        preview=Preview(b"", b""),
    )
