"""The cluster end to end, measured from every side: ``python -m benchmarks.cluster``.

Jobs are submitted over HTTP to a cluster of its own, with one worker and then with a second one that joins it. What
came of them is read from Flower's API, from both ``/metrics`` and from the ledger, and said to agree or not. The same
files go through the bare pipeline in turns with the jobs, so that what the way through the cluster costs is a ratio.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.cluster_watch import WORKERS, Watch, first_of, watching
from config.environment import cap_threads, use_kernel_cache
from tests.integration.cluster import running
from tests.integration.waiting import wait_for

if TYPE_CHECKING:
    from workers.audio.decode import Decoder

LOOPS, ONE_SHOTS = "loops of 8.4 s", "one-shots of 0.25 s"
WANTED = {LOOPS: 1.1, ONE_SHOTS: 1.4}
"""Most CPU of the workers, in that of the bare pipeline."""
_BARE_SHARE = 4
"""One file in so many also goes through the bare pipeline."""
_SETTLED_S = 3.0
"""The gateway keeps its figures for two seconds: so long after a job they are not of before its end."""
_LASTS = 4000
"""So many one-shots keep one worker at work until another one has joined."""


@dataclass(frozen=True)
class Run:
    """One job. CPU in milliseconds a file; `busy`: the share of the workers' time in which they had a core."""

    kind: str
    workers: int
    files: int
    seconds: float
    """From the request to the job's end, as the client sees it."""
    seconds_flower: float
    """From the first chunk's start to the last one's end, as Flower's API says."""
    seconds_ledger: float
    bare_ms: float
    worker_ms: float
    servers_ms: dict[str, float]
    busy: float
    counted: dict[str, dict[str, float]]


@dataclass
class Report:
    """Everything that was measured. Seconds, megabytes."""

    machine: str
    cores: int
    python: str
    runs: list[Run] = field(default_factory=list)
    to_start_s: list[float] = field(default_factory=list)
    """From a request for one file, nothing else at work, to the start of its chunk (Flower)."""
    to_end_s: list[float] = field(default_factory=list)
    cold_ready_s: list[float] = field(default_factory=list)
    """From the start of a worker's process to the moment it takes work."""
    cold_first_s: list[float] = field(default_factory=list)
    """The same to its first chunk's end."""
    worker_mb: list[float] = field(default_factory=list)

    def of(self, kind: str, workers: int) -> list[Run]:
        """The runs of a kind of files with so many workers."""
        return [run for run in self.runs if (run.kind, run.workers) == (kind, workers)]


def write_files(folder: Path, sound: bytes, count: int, serial: Iterator[int]) -> Path:
    """The same sound so many times, each with another mark behind it: different contents, the same work."""
    for n in range(count):
        path = folder / f"{n // 1000:03d}" / f"{n % 1000:03d}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        mark = b"mark" + struct.pack("<IQ", 8, next(serial))
        path.write_bytes(sound[:4] + struct.pack("<I", len(sound) - 8 + len(mark)) + sound[8:] + mark)
    return folder


class Bench:
    """A cluster, its library, and the bare pipeline in this process."""

    def __init__(self, watch: Watch, library: Path, sounds: dict[str, bytes], decoder: Decoder, report: Report) -> None:
        self._watch, self._library, self._sounds, self._decoder = watch, library, sounds, decoder
        self._serial = iter(range(1 << 40))
        self.report = report

    @contextmanager
    def fresh(self, kind: str, count: int) -> Iterator[str]:
        """A folder of files that nobody has seen, below the library's root."""
        folder = Path(tempfile.mkdtemp(dir=self._library))
        write_files(folder, self._sounds[kind], count, self._serial)
        yield folder.name
        shutil.rmtree(folder)

    def job(self, kind: str, count: int, workers: int) -> None:
        """One job, and a part of its files through the bare pipeline before it."""
        with self.fresh(kind, count) as path:
            bare_ms = self._bare_ms(path)
            threading.Event().wait(_SETTLED_S)
            figures, cpu, began = self._watch.figures(), self._watch.cpu_s(), time.time()
            cluster = self._watch.cluster
            job_id = cluster.submit(path)
            job = cluster.wait_job(job_id, within_s=600)
            seconds = time.time() - began
            assert job["counts"]["done"] == count, job
            spent = {name: seconds_of - cpu.get(name, 0) for name, seconds_of in self._watch.cpu_s().items()}
            counted = self._watch.agreed(job_id, figures)
        tasks, kept = self._watch.tasks(job_id), self._watch.kept(job_id)
        run = Run(
            kind=kind,
            workers=workers,
            files=count,
            seconds=seconds,
            seconds_flower=tasks.last_succeeded - tasks.first_started,
            seconds_ledger=kept.finished - kept.created,
            bare_ms=bare_ms,
            worker_ms=1000 * spent[WORKERS] / count,
            servers_ms={name: 1000 * s / count for name, s in sorted(spent.items()) if name != WORKERS},
            busy=spent[WORKERS] / seconds / workers,
            counted=counted,
        )
        self.report.runs.append(run)
        print(f"{kind}, {workers}: {count / seconds:.1f} files/s, {counted}", file=sys.stderr, flush=True)

    def _bare_ms(self, path: str) -> float:
        """CPU milliseconds a file of hashing, decoding, analysing and describing, with nothing around it."""
        from benchmarks.pipeline import Clock
        from workers.file import analyze_path

        paths = sorted((self._library / path).rglob("*.wav"))[::_BARE_SHARE]

        def all_of_them() -> None:
            for each in paths:
                assert analyze_path(self._decoder, each)["status"] == "done"

        return 1000 * Clock(self._decoder).of(all_of_them) / len(paths)

    def single(self) -> None:
        """One file alone, interactive, while nothing else is at work."""
        with self.fresh(ONE_SHOTS, 1) as path:
            began = time.time()
            job_id = self._watch.cluster.submit(f"{path}/000/000.wav", priority="interactive")
            self._watch.cluster.wait_job(job_id)
            wait_for(lambda: self._watch.tasks(job_id).succeeded == 1, 20, 0.05)
            tasks = self._watch.tasks(job_id)
        self.report.to_start_s.append(tasks.first_started - began)
        self.report.to_end_s.append(tasks.last_succeeded - began)

    def cold(self, log: Path) -> subprocess.Popen[bytes]:
        """A worker that joins while there is work, from the start of its process, which is given."""
        with self.fresh(ONE_SHOTS, _LASTS) as path:
            job_id = self._watch.cluster.submit(path)
            wait_for(lambda: self._watch.cluster.job(job_id)["counts"]["done"] > 0, 60, 0.02)
            began = time.time()
            process = self._watch.add_worker(f"{log.stem}@bench", log)
            try:
                wait_for(lambda: first_of(log, "chunk_ended") is not None, 150, 0.05)
            except AssertionError as error:
                ended(process)
                raise AssertionError(f"no result of the worker that joined: {log.read_text()[-2000:]}") from error
            for event, into in (("worker_ready", self.report.cold_ready_s), ("chunk_ended", self.report.cold_first_s)):
                line = first_of(log, event)
                assert line is not None
                into.append(datetime.fromisoformat(line["timestamp"]).timestamp() - began)
            self._watch.cluster.http.delete(f"/v1/jobs/{job_id}").raise_for_status()
            self._watch.cluster.wait_job(job_id)
        print(f"a worker joined: {self.report.cold_first_s[-1]:.1f} s", file=sys.stderr, flush=True)
        return process


def measure(loops: int, one_shots: int, repeats: int) -> Report:
    """Run it all."""
    from benchmarks.pipeline_material import short_ones, usual_ones
    from config.settings import DecodeSettings
    from workers.audio.decode import Decoder
    from workers.kernels import warm

    warm()
    report = Report(platform.processor() or platform.machine(), os.cpu_count() or 1, platform.python_version())
    counts = {LOOPS: loops, ONE_SHOTS: one_shots}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="samplemind-bench-")))
        library, sources = folder / "library", folder / "sounds"
        library.mkdir()
        sources.mkdir()
        sounds = {
            LOOPS: usual_ones(sources)["loop 8.4 s, WAV 16"].read_bytes(),
            ONE_SHOTS: short_ones(sources)["drum hit 0.25 s, WAV 16"].read_bytes(),
        }
        print("starting a cluster …", file=sys.stderr, flush=True)
        cluster = stack.enter_context(running(folder / "data", {"library": library}, workers=1))
        watch = stack.enter_context(watching(cluster))
        bench = Bench(watch, library, sounds, stack.enter_context(Decoder(DecodeSettings())), report)
        bench.single()  # the first of everything is slower
        report.to_start_s.clear()
        report.to_end_s.clear()
        for workers in (1, 2):
            for _ in range(repeats):
                bench.single()
                for kind, count in counts.items():
                    bench.job(kind, count, workers)
            if workers == 1:
                for n in range(repeats):
                    joined = bench.cold(folder / f"cold{n}.log")
                    stack.callback(ended, joined)
                    if n < repeats - 1:
                        ended(joined)
        report.worker_mb = watch.memory_mb()
    return report


def ended(worker: subprocess.Popen[bytes]) -> None:
    """Stop a worker, and wait until it is gone."""
    if worker.poll() is None:
        worker.terminate()
        worker.wait(60)


def main() -> None:
    """Parse, measure, print."""
    from benchmarks.cluster_report import draw, markdown

    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster", description=__doc__)
    parser.add_argument("--loops", type=int, default=150, help="loops of a job")
    parser.add_argument("--one-shots", type=int, default=1500, help="one-shots of a job")
    parser.add_argument("--repeats", type=int, default=3, help="jobs of each, 2 or more")
    parser.add_argument("--json", type=Path, help="also write what was measured there (cluster_schema.json)")
    parser.add_argument("--pictures", type=Path, help="draw the scaling into this folder, as PNG and SVG")
    given = parser.parse_args()
    cap_threads()
    use_kernel_cache()
    report = measure(given.loops, given.one_shots, max(2, given.repeats))
    print(markdown(report))
    if given.json:
        given.json.write_text(json.dumps({"schema": 1, **asdict(report)}, indent=1) + "\n")
    if given.pictures:
        draw(report, given.pictures)


if __name__ == "__main__":
    main()
