"""A gateway over the memory twins, and what tests put into it."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.app import create_app
from config.settings import FlowerSettings, GatewaySettings, LimitSettings, Settings
from stores.memory import MemoryStores
from stores.records import FileRef, Job, NewSample, Origin, Priority, Reason, Row, Status
from workers.errors import StoreUnavailable
from workers.model import (
    MEL_COLUMNS,
    MEL_ROWS,
    PEAKS,
    VECTOR_DIMENSIONS,
    Analysis,
    AudioInfo,
    Defect,
    Evidence,
    Key,
    Kind,
    Loudness,
    Pitch,
    Preview,
    Tempo,
    camelot,
    sample_id,
)

HERE = ("127.0.0.1", 50000)


@dataclass
class Sent:
    """The twin of the queue's sender: remembers, or is down."""

    scans: list[str] = field(default_factory=list)
    chunk_ids: list[tuple[Priority, str]] = field(default_factory=list)
    down: bool = False

    def scan(self, job_id: str, *, ahead: bool = False) -> None:
        self._up()
        self.scans.append(job_id)

    def chunks(self, priority: Priority, chunk_ids: Sequence[str]) -> None:
        self._up()
        self.chunk_ids += [(priority, one) for one in chunk_ids]

    def _up(self) -> None:
        if self.down:
            raise StoreUnavailable("Redis: ConnectionError.")


@dataclass
class Gateway:
    """A gateway under test, its doors, and a client at this machine."""

    app: FastAPI
    settings: Settings
    stores: MemoryStores
    sent: Sent
    client: TestClient

    def submit(self, path: str = "", **more: Any) -> dict[str, Any]:
        """Submit a folder of the root `library`."""
        answer = self.client.post("/v1/jobs", json={"source": {"root": "library", "path": path}, **more})
        assert answer.status_code == 202, answer.text
        said: dict[str, Any] = answer.json()
        return said

    def submit_to(self, url: str) -> str:
        """Submit the whole root `library` to this gateway where it listens; the job's id."""
        answer = httpx.post(f"{url}/v1/jobs", json={"source": {"root": "library"}}, timeout=10)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def end(self, job_id: str, rows: Sequence[Row]) -> None:
        """Do what a worker does: end the job's next open chunk with these rows."""
        ledger = self.stores.ledger
        for chunk_id in ledger.unfed(job_id, 1):
            ledger.mark_fed(job_id, [chunk_id])
            claim = ledger.claim_chunk(chunk_id, 30)
            assert claim is not None
            assert ledger.finish_chunk(claim, rows)

    def folder_job(self, files: Mapping[str, Row]) -> Job:
        """A job over a folder, ended with these rows."""
        ledger = self.stores.ledger
        job_id = self.submit()["id"]
        claim = ledger.claim_scan(job_id, 30)
        assert claim is not None
        ledger.add_chunk(job_id, 0, 0, [FileRef("library", path) for path in files])
        assert ledger.finish_scan(job_id, claim.token)
        self.end(job_id, list(files.values()))
        ledger.finish_job(job_id)
        return ledger.job(job_id)

    def sample(self, name: str, *, owner: str = "local", **changes: Any) -> str:
        """Keep an analysed sample whose file is `name` in the root `library`; its id."""
        made = sample(name, owner=owner, **changes)
        self.stores.samples.insert([made])
        self.stores.samples.seen_at([(made.id, made.file)])
        return made.id

    def index(self) -> None:
        """Do what the index writer does."""
        samples, vectors = self.stores.samples, self.stores.vectors
        vectors.open(samples.generation())
        while (outgoing := samples.outgoing(1000)) is not None:
            vectors.upsert(outgoing.vectors)
            samples.sent(outgoing, samples.generation())


def make_settings(
    folder: Path, *, data_dir: Path | None = None, limits: LimitSettings | None = None, **gateway: Any
) -> Settings:
    """Settings that depend on nothing around the tests; the root `library` is a folder in `folder`."""
    library = folder / "library"
    library.mkdir(exist_ok=True)
    return Settings(
        data_dir=data_dir or folder / "data",
        roots={"library": library},
        gateway=GatewaySettings(**{"event_interval_s": 0.02, **gateway}),
        limits=limits or LimitSettings(),
        flower=FlowerSettings(url="http://127.0.0.1:1"),
    )


def make_gateway(folder: Path, *, client: tuple[str, int] = HERE, **gateway: Any) -> Gateway:
    """A gateway over fresh memory twins."""
    settings = make_settings(folder, **gateway)
    stores, sent = MemoryStores(), Sent()
    app = create_app(settings, stores=stores, vectors=stores.vectors, pulse=stores.pulse, sender=sent)
    made = TestClient(app, base_url="http://127.0.0.1:8000", client=client, raise_server_exceptions=False)
    return Gateway(app, settings, stores, sent, made)


def vector(**aspects: Sequence[float]) -> bytes:
    """A vector with these numbers at the beginning of each aspect named, zero elsewhere."""
    from workers.model import ASPECTS

    numbers = [0.0] * VECTOR_DIMENSIONS
    for name, values in aspects.items():
        start = ASPECTS[name][0]
        numbers[start : start + len(values)] = values
    return struct.pack(f"<{VECTOR_DIMENSIONS}f", *numbers)


def analysis(**changes: Any) -> Analysis:
    """A loop at 120 BPM in C minor."""
    made = Analysis(
        audio=AudioInfo(8.0, 44100, 2, "WAV", "PCM_24", 352800, 8.0),
        kind=Kind("loop", 0.97),
        tempo=Tempo(120.0, 0.94, 16, (Evidence("length", 120.0, 0.6),), None),
        key=Key("C", "minor", "C minor", camelot("C", "minor"), 0.81, -3.1, None),
        pitch=Pitch(None, None, None, None, 0.0, "not a single pitched sound"),
        loudness=Loudness(-14.2, -0.8, -17.9, 12.1),
        spectrum={"centroid_hz": 1500.0},
        envelope={"attack_s": 0.01},
        rhythm={"onset_count": 16},
        timbre={"mfcc": (1.0, -2.0)},
        defects=(),
        vector=vector(timbre=[1.0], rhythm=[1.0]),
        preview=Preview(bytes(range(256)) * (2 * PEAKS // 256), bytes(MEL_ROWS * MEL_COLUMNS)),
    )
    return replace(made, **changes)


def sample(name: str, *, owner: str = "local", content: str | None = None, **changes: Any) -> NewSample:
    """An analysed sample, its content made up from its name."""
    import hashlib

    said = analysis(**changes)
    sha256 = content or hashlib.sha256(name.encode()).hexdigest()
    return NewSample(
        id=sample_id(sha256),
        content=sha256,
        analyzer="1.0.0",
        analysis=said.to_dict(),
        vector=said.vector,
        peaks=said.preview.peaks,
        mel=said.preview.mel,
        origin=Origin("JOB", 0),
        owner=owner,
        file=FileRef("library", name),
    )


def done(one: str) -> Row:
    """A file that was analysed."""
    return Row(Status.DONE, one)


def failed(code: str = "not_audio", message: str = "This is not an audio file.") -> Row:
    """A file that was not."""
    return Row(Status.FAILED, reason=Reason(code, message))


def clipping() -> tuple[Defect, ...]:
    """A defect."""
    return (Defect("clipping", "It clips.", 0.5, 3.0),)


def counts(job: Mapping[str, Any]) -> dict[str, int]:
    """A job's counts that are not zero."""
    return {name: n for name, n in job["counts"].items() if n}
