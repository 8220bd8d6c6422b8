"""What Prometheus reads: units in the names, no label that a client can make up."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog
from prometheus_client import (
    CollectorRegistry,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.index import audit_of
from stores.doors import Ledger, Pulse, Samples
from stores.records import Counts, Job, JobState
from tasks.signs import replaced
from workers.errors import SampleMindError

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT", "PATCH"})
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_RECENT: Final = 50
_KNOWN_FOR_S: Final = 2.0

_log = structlog.get_logger(__name__)


class Metrics:
    """This gateway's figures. One registry an application, so that two in one process do not mix."""

    def __init__(self, ledger: Ledger, samples: Samples, pulse: Pulse, signs: Path) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each bucket that nobody reads
        self.registry = CollectorRegistry()
        self.durations = Histogram(
            "samplemind_http_request_duration_seconds",
            "Time from a request's head to the first byte of its answer.",
            ("method", "route", "status"),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.streams = Gauge("samplemind_event_streams", "Open event streams.", registry=self.registry)
        ProcessCollector(registry=self.registry)
        self.registry.register(_Cluster(ledger, samples, pulse, signs))

    def text(self) -> bytes:
        """Everything, in Prometheus's text format."""
        return generate_latest(self.registry)


class _Cluster(Collector):
    """Figures of the cluster, asked for when they are read and kept for two seconds."""

    def __init__(self, ledger: Ledger, samples: Samples, pulse: Pulse, signs: Path) -> None:
        self._sources: dict[str, Callable[[], list[Metric]]] = {
            "ledger": lambda: _of_jobs(ledger),
            "samples": lambda: _of_samples(samples),
            "queue": lambda: _of_pulse(pulse),
            "supervisor": lambda: _of_supervisor(signs),
        }
        self._lock = threading.Lock()
        self._at = float("-inf")
        self._known: list[Metric] = []

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterator[Metric]:
        with self._lock:
            if time.monotonic() - self._at >= _KNOWN_FOR_S:
                self._known = list(self._ask())
                self._at = time.monotonic()
            known = self._known
        yield from known

    def _ask(self) -> Iterator[Metric]:
        up = GaugeMetricFamily(
            "samplemind_source_up", "1 where the figures of this source are there.", labels=["source"]
        )
        for name, source in self._sources.items():
            try:
                yield from source()
            except SampleMindError as error:
                _log.warning("figures are missing", source=name, error=error.message)
                up.add_metric([name], 0)
            else:
                up.add_metric([name], 1)
        yield up


def _of_jobs(ledger: Ledger) -> list[Metric]:
    recent = ledger.jobs(owner=None, cursor=None, limit=_RECENT).items
    jobs: dict[str, Job] = {job.id: job for job in (*ledger.active_jobs(), *recent)}
    files = GaugeMetricFamily(
        "samplemind_files",
        f"Files of the active and the {_RECENT} latest jobs, by how they stand.",
        labels=["status"],
    )
    for name in (field.name for field in fields(Counts) if field.name != "submitted"):
        files.add_metric([name], sum(getattr(job.counts, name) for job in jobs.values()))
    states = GaugeMetricFamily(
        "samplemind_jobs", f"The active and the {_RECENT} latest jobs, by state.", labels=["state"]
    )
    count = Counter(job.state for job in jobs.values())
    for state in JobState:
        states.add_metric([state.value], count[state])
    active = [job.created_at for job in jobs.values() if not job.state.ended]
    age_s = (datetime.now(UTC) - min(active)).total_seconds() if active else 0
    oldest = GaugeMetricFamily(
        "samplemind_oldest_active_job_age_seconds",
        "Since the oldest job that has not ended was submitted.",
        value=age_s,
    )
    return [files, states, oldest]


def _of_samples(samples: Samples) -> list[Metric]:
    return [
        GaugeMetricFamily("samplemind_samples", "Different contents that were analysed.", value=samples.count()),
        GaugeMetricFamily(
            "samplemind_samples_indexed",
            "Those in the vector index's present generation.",
            value=samples.indexed_count(roughly=True),
        ),
        GaugeMetricFamily(
            "samplemind_index_generation", "The generation of the index that searches ask.", value=samples.serving()
        ),
    ]


def _of_pulse(pulse: Pulse) -> list[Metric]:
    waiting = GaugeMetricFamily("samplemind_queue_messages", "Messages that wait in a queue.", labels=["queue"])
    for name, length in pulse.queue_lengths().items():
        waiting.add_metric([name], length)
    processes = GaugeMetricFamily(
        "samplemind_processes_alive", "Processes that beat in time, by part.", labels=["part"]
    )
    stuck = GaugeMetricFamily(
        "samplemind_processes_stuck", "Of these, those that do not get on, by part.", labels=["part"]
    )
    beats = pulse.alive()
    alive = Counter(each.get("part", "") for each in beats)
    still = Counter(each.get("part", "") for each in beats if each.get("stuck"))
    for part in ("worker", "reconciler", "index"):
        processes.add_metric([part], alive[part])
        stuck.add_metric([part], still[part])
    audit = GaugeMetricFamily(
        "samplemind_index_audit_vectors",
        "Vectors in the last audit of the index, by what was found of them.",
        labels=["found"],
    )
    for found, count in (audit_of(beats) or {}).items():
        if found != "audits":
            audit.add_metric([found], count)
    return [waiting, processes, stuck, audit, *_of_workers(beats)]


def _of_workers(beats: Sequence[Mapping[str, str]]) -> list[Metric]:
    """What each worker's process has done since it began; Prometheus sees that it began anew."""
    files = CounterMetricFamily("samplemind_worker_files", "Files of chunks that a worker ended.", labels=["worker"])
    chunks = CounterMetricFamily("samplemind_worker_chunks", "Chunks that a worker ended.", labels=["worker"])
    for each in beats:
        if each.get("part") == "worker" and "files" in each:
            files.add_metric([each["name"]], float(each["files"]))
            chunks.add_metric([each["name"]], float(each["chunks"]))
    return [files, chunks]


def _of_supervisor(signs: Path) -> list[Metric]:
    again = CounterMetricFamily(
        "samplemind_parts_replaced", "Times that `up` replaced a part because it did not get on.", labels=["part"]
    )
    for part, count in replaced(signs).items():
        again.add_metric([part], count)
    return [again]


class Timing:
    """ASGI middleware: how long each route takes to begin its answer, by the route's template."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()

        async def timed(message: Message) -> None:
            if message["type"] == "http.response.start":
                method = scope["method"] if scope["method"] in _METHODS else "other"
                labels = (method, template_of(scope), str(message["status"]))
                self.metrics.durations.labels(*labels).observe(time.perf_counter() - began)
            await send(message)

        await self.app(scope, receive, timed)


def template_of(scope: Scope) -> str:
    """The template of the route that answered, ``(none)`` where there was none."""
    route = scope.get("route")
    return str(getattr(route, "path", None) or "(none)")
