"""What a large export costs the gateway: ``python -m benchmarks.exports [--rows 1000000] [--formats parquet ...]``.

A gateway in a process of its own serves a job of so many files over HTTP; their analyses are made up from a real one
as they are asked for, so that nothing but the export grows. Printed are the most memory that was resident in it before
and after, its CPU time, and what pyarrow counts in the file that arrived.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import httpx
import psutil

from benchmarks.measure import table
from config.environment import child_environment
from stores.memory import MemoryLedger, MemorySamples, MemoryStores
from stores.records import FileRef, FileRow, NewJob, Page, Priority, Reason, Row, Sample, Status

WANTED_MB = 300
_FAILED_EACH = 50
_REASON = Reason("not_audio", "This is not an audio file.")


class MadeUpFiles(MemoryLedger):
    """A ledger whose only job has `rows` files; every fiftieth failed."""

    rows = 0

    def files(self, job_id: str, *, status: Status | None, cursor: str | None, limit: int) -> Page[FileRow]:
        start = int(cursor or 0)
        end = min(start + limit, self.rows)
        return Page(tuple(_row(i) for i in range(start, end)), str(end) if end < self.rows else None)


class MadeUpSamples(MemorySamples):
    """Analyses near a real one, of a thousand: to make one up costs as much as to export it."""

    made: list[dict[str, Any]]

    def many(self, sample_ids: Sequence[str], *, owner: str | None = None, listed: bool = False) -> dict[str, Sample]:
        now = datetime.now(UTC)
        return {one: Sample(one, one[:64], "1.2.0", self._like(one), (), now) for one in sample_ids}

    def _like(self, one: str) -> dict[str, Any]:
        return self.made[int(one[:8], 16) % len(self.made)]


def _row(i: int) -> FileRow:
    content = hashlib.sha256(str(i).encode()).hexdigest()
    row = Row(Status.FAILED, None, _REASON) if i % _FAILED_EACH == 1 else Row(Status.DONE, f"{content}-1.2.0-0")
    return FileRow(i, FileRef("library", f"pack {i // 500}/{content[:8]} {i}.wav"), row)


def _near(value: Any, chance: Random) -> Any:
    if isinstance(value, float):
        return value * (1 + 0.1 * chance.random())
    if isinstance(value, dict):
        return {name: _near(each, chance) for name, each in value.items()}
    return [_near(each, chance) for each in value] if isinstance(value, list | tuple) else value


def serve(rows: int) -> None:
    """Be the gateway: print where it listens and the job's id, until standard input ends."""
    from starlette.testclient import TestClient

    from api.app import create_app
    from tests.api.gateway import HERE, Gateway, Sent, make_settings
    from tests.api.serving import serve as serving

    stores = MemoryStores()
    files, samples = MadeUpFiles(stores.clock), MadeUpSamples(stores.clock)
    real = json.loads(sys.stdin.readline())
    files.rows, samples.made = rows, [_near(real, Random(n)) for n in range(1000)]
    stores.ledger, stores.samples = files, samples
    job = files.accept_job(files.create_job(NewJob("local", Priority.NORMAL, None))[0].id)
    with tempfile.TemporaryDirectory(prefix="samplemind-bench-") as folder:
        settings = make_settings(Path(folder))
        app = create_app(settings, stores=stores, vectors=stores.vectors, pulse=stores.pulse, sender=Sent())
        with serving(Gateway(app, settings, stores, Sent(), TestClient(app, client=HERE))) as there:
            print(json.dumps({"url": there.url, "job": job.id}), flush=True)
            sys.stdin.readline()


@contextmanager
def gateway(rows: int) -> Iterator[tuple[int, str]]:
    """A gateway process: its id, and where its export is."""
    command = [sys.executable, "-m", "benchmarks.exports", "--serve", str(rows)]
    child = subprocess.Popen(command, env=child_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdin is not None
    assert child.stdout is not None
    with child:
        child.stdin.write(json.dumps(_real()) + "\n")
        child.stdin.flush()
        said = json.loads(child.stdout.readline())
        yield child.pid, f"{said['url']}/v1/exports/{said['job']}"
        child.stdin.close()


def _real() -> dict[str, Any]:
    """The analysis of a drum loop."""
    from tests.workers.analysis.sounds import drum_loop, info_of
    from workers.analysis import analyze
    from workers.audio.hints import Hints

    y = drum_loop(120)
    return analyze(y, info_of(y), Hints(name_bpm=120.0)).to_dict()


def most_mb(pid: int) -> float:
    """The most memory that was ever resident in a process."""
    lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def measure(rows: int, form: str) -> list[str]:
    """One export, in a gateway of its own."""
    with gateway(rows) as (pid, url), tempfile.NamedTemporaryFile(suffix=f".{form}") as kept:
        process, before = psutil.Process(pid), most_mb(pid)
        started = sum(process.cpu_times()[:2])
        with httpx.stream("GET", url, params={"format": form}, timeout=120, trust_env=False) as answer:
            for piece in answer.raise_for_status().iter_bytes():
                kept.write(piece)
        kept.flush()
        after, cpu_s = most_mb(pid), sum(process.cpu_times()[:2]) - started
        assert counted(Path(kept.name), form) == rows
        verdict = "reached" if after < WANTED_MB else "NOT REACHED"
        size = f"{Path(kept.name).stat().st_size / 1e6:.0f}"
        return [form, f"{rows:,}", size, f"{before:.0f}", f"{after:.0f}", f"{1e6 * cpu_s / rows:.0f}", verdict]


def counted(path: Path, form: str) -> int:
    """Rows in a file."""
    if form == "parquet":
        from pyarrow.parquet import read_metadata

        return int(read_metadata(path).num_rows)
    with path.open("rb") as file:
        return sum(1 for _ in file) - (form == "csv")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exports", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="files of the job")
    parser.add_argument("--formats", nargs="+", choices=("parquet", "ndjson", "csv"), default=["parquet"])
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        serve(options.serve)
        return
    head = ["format", "rows", "size, MB", "before, MB", "most, MB", "CPU, µs a row", f"wanted: under {WANTED_MB} MB"]
    print(table(head, [measure(options.rows, form) for form in options.formats]))


if __name__ == "__main__":
    main()
