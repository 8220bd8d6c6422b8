from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from config import tracing
from config.settings import TracingSettings
from tests.integration.collector import Collector, collecting
from tests.servers import PROJECT


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector
        tracing.close_tracing()


def test_without_an_endpoint_nothing_that_sends_is_loaded_and_a_span_is_nothing() -> None:
    code = """
import sys
import tasks.analyze, tasks.reconcile, tasks.index
from config import tracing
from config.settings import TracingSettings
tracing.configure_tracing(TracingSettings(), "worker")
with tracing.span("job", "chunk"), tracing.step("analyse"):
    tracing.submitted("job")
    tracing.happened("job", "vectors", 0.0)
assert not tracing.is_tracing()
assert not [name for name in sys.modules if name.startswith(("opentelemetry.exporter", "config.spans"))]
"""
    subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=True)


def test_processes_that_know_a_job_s_id_alone_agree_on_its_trace(collector: Collector) -> None:
    for part in ("worker", "gateway"):
        tracing.configure_tracing(TracingSettings(endpoint=collector.url), part)
        if part == "gateway":
            tracing.submitted("a job", priority="bulk")
        else:
            with tracing.span("a job", "chunk"), tracing.step("analyse", path="kick.wav"):
                pass
        tracing.close_tracing()
    first, chunk, file = (next(s for s in collector.spans if s.name == n) for n in ("submit", "chunk", "analyse"))
    assert first.trace == chunk.trace == file.trace
    assert (first.parent, chunk.parent, file.parent) == ("", first.id, chunk.id)
    assert first.said == {"job": "a job", "priority": "bulk"}


def test_a_share_of_jobs_is_traced_and_every_process_chooses_the_same(collector: Collector) -> None:
    tracing.configure_tracing(TracingSettings(endpoint=collector.url, ratio=0.25), "worker")
    for n in range(400):
        with tracing.span(f"job {n}", "chunk"), tracing.step("analyse"):
            pass
        tracing.happened(f"job {n}", "vectors", 0.0)
    tracing.close_tracing()
    names = [{span.said.get("job") for span in collector.spans if span.name == name} for name in ("chunk", "vectors")]
    assert names[0] == names[1]
    assert 60 < len(names[0]) < 140
    assert sum(span.name == "analyse" for span in collector.spans) == len(names[0])


def test_a_step_outside_of_any_span_is_nobody_s(collector: Collector) -> None:
    tracing.configure_tracing(TracingSettings(endpoint=collector.url), "worker")
    with tracing.step("analyse"):
        pass
    tracing.close_tracing()
    assert collector.spans == []


@pytest.mark.parametrize("parent", ["", "00-zz", "00-" + "0" * 31 + "-" + "1" * 16 + "-01", "x" * 9000])
def test_a_client_s_trace_that_makes_no_sense_is_left_out(collector: Collector, parent: str) -> None:
    tracing.configure_tracing(TracingSettings(endpoint=collector.url), "gateway")
    token = tracing.asked.set((1_000, parent))
    tracing.submitted("job")
    tracing.asked.reset(token)
    tracing.close_tracing()
    assert [(span.links, span.began) for span in collector.spans] == [((), 1_000)]


def test_a_collector_that_is_away_costs_no_more_than_its_time() -> None:
    tracing.configure_tracing(TracingSettings(endpoint="http://127.0.0.1:9/v1/traces"), "worker")
    with tracing.span("job", "chunk"):
        pass
    tracing.close_tracing()
    assert not tracing.is_tracing()
