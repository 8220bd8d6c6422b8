"""A collector of OpenTelemetry traces: takes OTLP over HTTP, as a real one does, and keeps what came."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue


@dataclass(frozen=True)
class Span:
    """One span as it came; times in ns, ids in hexadecimal."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    began: int
    ended: int
    said: dict[str, object]
    links: tuple[str, ...]


class Collector:
    """What came so far."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.spans: list[Span] = []

    def of(self, job_id: str) -> list[Span]:
        """Every span of a job's trace, by when it began."""
        mine = {span.trace for span in self.spans if span.said.get("job") == job_id}
        return sorted((span for span in list(self.spans) if span.trace in mine), key=lambda span: span.began)


def _plain(values: object) -> dict[str, object]:
    def one(pair: KeyValue) -> object:
        return getattr(pair.value, pair.value.WhichOneof("value") or "string_value")

    return {pair.key: one(pair) for pair in values}  # type: ignore[attr-defined]


def spans_in(body: bytes) -> Iterator[Span]:
    """What one request brings."""
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        service = str(_plain(resource.resource.attributes)["service.name"])
        for span in (each for scope in resource.scope_spans for each in scope.spans):
            yield Span(
                service=service,
                name=span.name,
                trace=span.trace_id.hex(),
                id=span.span_id.hex(),
                parent=span.parent_span_id.hex(),
                began=span.start_time_unix_nano,
                ended=span.end_time_unix_nano,
                said=_plain(span.attributes),
                links=tuple(link.trace_id.hex() for link in span.links),
            )


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on a free port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            collector.spans += spans_in(body)
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    collector = Collector(f"http://127.0.0.1:{server.server_port}/v1/traces")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
