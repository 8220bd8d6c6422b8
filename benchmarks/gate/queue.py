"""The queue path of one tree, from a submitted folder to a finished job, around an analysis that costs nothing.

Scan, chunks, claims, hashes, rows and samples as a worker and the reconciler do them; no broker. Once on the stores in
memory, which shows our own code alone, and once on the embedded ledger, with the CPU time of its server beside ours:
a request too many costs there.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.gate.side import Sample

FILES = 200
"""Of a job; as many as a chunk holds."""


class Jobs:
    """A folder of small files, and jobs over it."""

    def __init__(self, ledger: Any, samples: Any, folder: Path) -> None:
        from tests.tasks.twins import analysis

        self._ledger, self._samples, self._folder = ledger, samples, folder
        self._analysis = analysis()
        self._written = 0

    def write(self) -> None:
        """Other contents than ever before."""
        self._written += 1
        for n in range(FILES):
            text = f"{self._folder} {self._written} {n}".encode()
            (self._folder / f"{n:04d}.wav").write_bytes(text)

    def run(self) -> None:
        """One job, from its submission to its end."""
        from config.settings import QueueSettings
        from stores.records import FolderSource, NewJob, Priority
        from tasks.chunk import Bench, Ended, work_on
        from tasks.scanning import Slice, scan_slice

        ledger, roots, queue = self._ledger, {"library": self._folder}, QueueSettings()
        bench = Bench(ledger, self._samples, lambda fd, name, alive: self._analysis, roots)
        job, _ = ledger.create_job(NewJob("compare", Priority.NORMAL, FolderSource("library", "")))
        ledger.accept_job(job.id)
        while scan_slice(job.id, ledger, self._samples, roots, queue) is Slice.MORE:
            pass
        while chunks := ledger.unfed(job.id, 50):
            ledger.mark_fed(job.id, chunks)
            for chunk in chunks:
                claim = ledger.claim_chunk(chunk, queue.lease_s)
                assert work_on(claim, bench) is Ended.DONE
        counts = ledger.fold(job.id)
        assert counts.done + counts.reused == FILES, counts
        ledger.finish_job(job.id)


def samples(asked: dict[str, Any]) -> Iterator[tuple[str, Sample]]:
    """Name and samples of each way, in seconds a job of `FILES` files."""
    from config.logging import configure_logging
    from config.settings import LogSettings
    from stores.memory import MemoryStores

    configure_logging(LogSettings(level="warning"))
    memory = MemoryStores()
    yield from both("in memory", Jobs(memory.ledger, memory.samples, new_folder()), time.process_time)
    if asked.get("mongo"):
        yield from on_the_ledger(asked["mongo"])


def on_the_ledger(mongo: dict[str, Any]) -> Iterator[tuple[str, Sample]]:
    """On a database of this side's own in the ledger that both sides share."""
    from config.settings import MongoSettings
    from stores.mongo import connect

    stores = connect(MongoSettings(url=mongo["url"], database=mongo["database"], min_pool_size=0), pool="worker")
    stores.ledger.prepare()
    jobs = Jobs(stores.ledger, stores.samples, new_folder())
    yield from both("on the ledger", jobs, partial(with_server, int(mongo["pid"])))


def both(where: str, jobs: Jobs, clock: Callable[[], float]) -> Iterator[tuple[str, Sample]]:
    """New files, and the same once more."""

    def sample(prepare: Callable[[], object], calls: int) -> float:
        spent = 0.0
        for _ in range(calls):
            prepare()
            began = clock()
            jobs.run()
            spent += clock() - began
        return spent

    jobs.write()
    yield f"new files, {where}", partial(sample, jobs.write)
    yield f"known files, {where}", partial(sample, lambda: None)


def with_server(pid: int) -> float:
    """CPU seconds of this process and of all threads of the server, where the system says them."""
    theirs = sum(nanoseconds(each / "schedstat") for each in Path(f"/proc/{pid}/task").glob("*"))
    return time.process_time() + theirs / 1e9


def nanoseconds(schedstat: Path) -> int:
    """A thread's time on a core; 0 of one that has just ended."""
    try:
        return int(schedstat.read_text().split()[0])
    except OSError:
        return 0


def new_folder() -> Path:
    """A folder that goes when this process does, or with the temporary folder that the whole comparison has."""
    return Path(tempfile.mkdtemp(prefix="queue-"))
