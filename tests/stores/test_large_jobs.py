"""A job of hundreds of chunks: no call may cost by the size of the ledger.

What counts is the processor time of the ledger's server and of this process together, so that a busy machine changes
little. The bounds are some ten times what was measured on two cores; a collection scan is far above them.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import psutil
import pytest

from stores.identity import ChunkId
from stores.mongo import MongoStores
from stores.records import FileRef, JobState, Row, SampleFilter, Status
from tests.stores.making import BROKEN, claim, new_job, sample, submit

pytestmark = [pytest.mark.integration, pytest.mark.slow]

T = TypeVar("T")
CHUNKS, FILES = 400, 100


def refs(first: int) -> list[FileRef]:
    path = "drums/kicks/a folder of usual length/kick number {:07} long.wav"
    return [FileRef("library", path.format(first + i), size=123456, mtime_ns=10**18) for i in range(FILES)]


class Stopwatch:
    def __init__(self, server: psutil.Process) -> None:
        self._server = server
        self.said: list[str] = []
        self.slow: list[str] = []

    def __call__(self, name: str, most_ms: float, call: Callable[[], T], times: int = 1) -> T:
        each_ms = []
        for _ in range(times):
            begun = self._worked_s()
            result = call()
            each_ms.append((self._worked_s() - begun) * 1000)
        took = statistics.median(each_ms)  # now and then the server tidies up in the middle of a call
        self.said.append(f"{name:24} {took:8.1f} ms")
        if took > most_ms:
            self.slow.append(f"{name}: {took:.0f} ms, at most {most_ms:.0f}")
        return result

    def _worked_s(self) -> float:
        spent = self._server.cpu_times()
        return float(spent.user + spent.system) + time.process_time()


@pytest.fixture
def watch(mongo_url: str) -> Stopwatch:
    port = urlsplit(mongo_url).port
    for process in psutil.process_iter():
        try:
            listening = [each for each in process.net_connections() if each.status == psutil.CONN_LISTEN]
        except (psutil.AccessDenied, psutil.NoSuchProcess):
            continue
        if port in [each.laddr.port for each in listening]:
            return Stopwatch(process)
    pytest.skip("the ledger's server is not on this machine: its processor time cannot be read")


def test_no_call_costs_by_the_size_of_the_ledger(mongo: MongoStores, watch: Stopwatch) -> None:
    ledger = mongo.ledger
    job = ledger.create_job(new_job())[0]
    scan = ledger.claim_scan(job.id, 600)
    assert scan is not None
    numbers = iter(range(CHUNKS))

    def add() -> None:
        n = next(numbers)
        assert ledger.add_chunk(job.id, n, n * FILES, refs(n * FILES))

    watch("add_chunk", 60, add, CHUNKS)
    watch("renew_scan", 60, lambda: ledger.renew_scan(job.id, scan.token, 600), 5)
    watch("finish_scan", 400, lambda: ledger.finish_scan(job.id, scan.token))
    watch("unfed 50", 60, lambda: ledger.unfed(job.id, 50), 3)
    for _ in range(4):
        watch("mark_fed 50", 1500, lambda: ledger.mark_fed(job.id, ledger.unfed(job.id, 50)))
    ledger.mark_fed(job.id, ledger.unfed(job.id, CHUNKS - 200))
    todo = iter(range(240))
    ends = [Row(Status.DONE, "a" * 64 + "-1.0.0-0")] * (FILES - 1) + [Row(Status.FAILED, reason=BROKEN)]
    held = watch("claim_chunk", 60, lambda: claim(ledger, job, next(todo)), 20)
    watch("renew_chunk", 60, lambda: ledger.renew_chunk(held, 60), 20)
    watch("finish_chunk", 400, lambda: ledger.finish_chunk(held, ends))
    for n in todo:
        ledger.finish_chunk(claim(ledger, job, n), ends)
    watch("stale (nothing)", 2000, lambda: ledger.stale(job.id, published_s_ago=600, limit=50), 3)
    watch("job before fold", 1500, lambda: ledger.job(job.id), 3)
    watch("fold 0 (head open)", 1500, lambda: ledger.fold(job.id))
    for n in range(19):
        ledger.split_chunk(str(ChunkId(job.id, n)))
    watch("job, head open", 1500, lambda: ledger.job(job.id), 3)
    watch("files page 100", 200, lambda: ledger.files(job.id, status=None, cursor=None, limit=100), 5)
    watch("files failed 100", 1500, lambda: ledger.files(job.id, status=Status.FAILED, cursor=None, limit=100), 3)
    watch("idle_scans", 60, ledger.idle_scans, 5)
    watch("active_jobs", 60, ledger.active_jobs, 5)
    watch("jobs", 1500, lambda: ledger.jobs(owner=None, cursor=None, limit=50), 3)
    watch("hold", 60, lambda: ledger.hold("reconciler", "me", 60), 5)
    watch("ping", 60, ledger.ping, 5)
    ledger.request_cancel(job.id)
    watch("sweep_cancelled 200", 4000, lambda: ledger.sweep_cancelled(job.id, 200))
    other = submit(ledger, [1, 1])
    watch("claim beside it", 400, lambda: claim(ledger, other, 0))
    print("\n" + "\n".join(watch.said))
    assert watch.slow == []


def test_a_settled_job_is_cheap_to_ask_for(mongo: MongoStores, watch: Stopwatch) -> None:
    ledger = mongo.ledger
    job = submit(ledger, [1] * 100)
    for n in range(100):
        ledger.finish_chunk(claim(ledger, job, n), [Row(Status.DONE, "s")])
    watch("fold 100", 1500, lambda: ledger.fold(job.id))
    watch("job after fold", 60, lambda: ledger.job(job.id), 5)
    assert watch("finish_job", 400, lambda: ledger.finish_job(job.id)) is JobState.COMPLETE
    watch("job ended", 60, lambda: ledger.job(job.id), 5)
    print("\n" + "\n".join(watch.said))
    assert watch.slow == []


def test_samples_are_found_without_reading_all(mongo: MongoStores, watch: Stopwatch) -> None:
    samples = mongo.samples
    numbers = iter(range(0, 10**6, 100))
    kinds = ["loop", "one-shot"]

    def hundred() -> list[Any]:
        start = next(numbers)
        return [sample(start + i, bpm=60.0 + (start + i) % 120, kind=kinds[i % 2]) for i in range(100)]

    watch("insert 100", 2000, lambda: samples.insert(hundred()), 25)
    first = samples.page(SampleFilter(), cursor=None, limit=100)
    ids = [each.id for each in first.items]
    watch("page 100", 300, lambda: samples.page(SampleFilter(), cursor=first.next, limit=100), 5)
    watch("page kind", 600, lambda: samples.page(SampleFilter(kind="loop"), cursor=None, limit=100), 5)
    watch("page bpm, rare", 900, lambda: samples.page(SampleFilter(bpm=(100, 100)), cursor=None, limit=100), 5)
    watch("page text, rare", 2500, lambda: samples.page(SampleFilter(text="1711"), cursor=None, limit=100), 3)
    watch("known 100", 400, lambda: samples.known(ids), 5)
    watch("get", 60, lambda: samples.get(ids[0]), 5)
    watch("outgoing 100, first", 600, lambda: samples.outgoing(100), 3)
    outgoing = watch("outgoing 100", 300, lambda: samples.outgoing(100), 3)
    assert outgoing is not None
    watch("sent 100", 100, lambda: samples.sent(outgoing, 1))
    watch("indexed_count", 900, samples.indexed_count, 3)
    watch("count", 600, samples.count, 3)
    print("\n" + "\n".join(watch.said))
    assert watch.slow == []
