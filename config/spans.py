"""Spans as OpenTelemetry's SDK makes and sends them: loaded by `config.tracing` where traces are wanted, else never."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, TraceFlags
from opentelemetry.util.types import AttributeValue

_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)


class Spans:
    """This process's spans.

    Parameters
    ----------
    endpoint : where the collector takes OTLP over HTTP
    about : attributes of this process
    ratio : the share of jobs that is traced: all processes choose the same ones
    export_s : longest wait for the collector
    """

    def __init__(self, endpoint: str, about: Mapping[str, str], ratio: float, export_s: float) -> None:
        self._ids = _Ids()
        self._below = round(ratio * (1 << 64))
        self._provider = TracerProvider(resource=Resource(about), id_generator=self._ids, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint, timeout=export_s)))
        self._tracer = self._provider.get_tracer("samplemind")

    @contextmanager
    def of_job(self, job_id: str, name: str, said: Mapping[str, AttributeValue]) -> Iterator[None]:
        """A child of the job's first span, open while the block lasts."""
        if not self._wanted(job_id):
            yield
            return
        attributes = {"job": job_id, **said}
        with self._tracer.start_as_current_span(name, _below_first(job_id), attributes=attributes):
            yield

    @contextmanager
    def step(self, name: str, said: Mapping[str, AttributeValue]) -> Iterator[None]:
        """A child of the span that is open, if there is one."""
        if not trace.get_current_span().get_span_context().is_valid:
            yield
            return
        with self._tracer.start_as_current_span(name, attributes=dict(said)):
            yield

    def first(
        self, job_id: str, name: str, began_ns: int, said: Mapping[str, AttributeValue], client: re.Match[str] | None
    ) -> None:
        """The job's first span, over now; `client`: trace and span of who asked, in hexadecimal."""
        if not self._wanted(job_id):
            return
        links = [Link(SpanContext(int(client[1], 16), int(client[2], 16), True, _SAMPLED))] if client else []
        with self._ids.forced(*ids_of(job_id)):
            attributes = {"job": job_id, **said}
            self._tracer.start_span(name, Context(), attributes=attributes, links=links, start_time=began_ns).end()

    def over(self, job_id: str, name: str, began_ns: int, said: Mapping[str, AttributeValue]) -> None:
        """A child of the job's first span that began then and ends now."""
        if self._wanted(job_id):
            attributes = {"job": job_id, **said}
            self._tracer.start_span(name, _below_first(job_id), attributes=attributes, start_time=began_ns).end()

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()

    def _wanted(self, job_id: str) -> bool:
        return ids_of(job_id)[0] & (1 << 64) - 1 < self._below


def ids_of(job_id: str) -> tuple[int, int]:
    """Of a job's trace (128 bits) and of its first span (64 bits)."""
    digest = hashlib.sha256(f"samplemind job {job_id}".encode()).digest()
    return int.from_bytes(digest[:16], "big"), int.from_bytes(digest[16:24], "big")


def _below_first(job_id: str) -> Context:
    first = SpanContext(*ids_of(job_id), is_remote=True, trace_flags=_SAMPLED)
    return trace.set_span_in_context(NonRecordingSpan(first), Context())


class _Ids(RandomIdGenerator):
    """By chance, but for the first span of a job. That one is made while nothing else of this thread is."""

    def __init__(self) -> None:
        self._forced: threading.local = threading.local()

    @contextmanager
    def forced(self, trace_id: int, span_id: int) -> Iterator[None]:
        self._forced.ids = (trace_id, span_id)
        try:
            yield
        finally:
            del self._forced.ids

    def generate_trace_id(self) -> int:
        ids: tuple[int, int] | None = getattr(self._forced, "ids", None)
        return ids[0] if ids else super().generate_trace_id()

    def generate_span_id(self) -> int:
        ids: tuple[int, int] | None = getattr(self._forced, "ids", None)
        return ids[1] if ids else super().generate_span_id()
