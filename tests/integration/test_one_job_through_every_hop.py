"""One job, followed from its request to its vectors: in the logs of every process, in a trace, in the figures."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.cluster import Cluster
from tests.integration.collector import Collector, Span
from tests.integration.waiting import wait_for

pytestmark = pytest.mark.integration

CLIENT = "4bf92f3577b34da6a3ce929d0e0e4736"
FILES = 3


@pytest.fixture(scope="module")
def job(cluster: Cluster) -> str:
    """A job of files that no other job has, ended."""
    body = {"source": {"root": "fresh"}}
    headers = {"traceparent": f"00-{CLIENT}-00f067aa0ba902b7-01"}
    answer = cluster.http.post("/v1/jobs", json=body, headers=headers)
    assert answer.status_code == 202, answer.text
    ended = cluster.wait_job(answer.json()["id"])
    assert ended["counts"]["done"] == FILES, ended
    return str(ended["id"])


def lines(cluster: Cluster, job: str) -> list[dict[str, Any]]:
    """Every line of every process's log that names the job."""
    logs = (cluster.data_dir / "logs").glob("*.log")
    said = [line for log in logs for line in log.read_text(errors="replace").splitlines() if line.startswith("{")]
    return [line for line in map(json.loads, said) if line.get("job") == job]


def test_every_hop_names_the_job_in_its_log_and_a_chunks_worker_the_chunk(cluster: Cluster, job: str) -> None:
    wanted = {
        ("gateway", "job_submitted"),
        ("worker", "scan_finished"),
        ("worker", "chunk_ended"),
        ("reconcile", "job_finished"),
        ("index", "vectors_written"),
    }
    wait_for(lambda: wanted <= {(line["part"], line["event"]) for line in lines(cluster, job)}, 60)
    assert sum(line["vectors"] for line in lines(cluster, job) if line["event"] == "vectors_written") == FILES
    chunks = {line["chunk"] for line in lines(cluster, job) if line["event"] == "chunk_ended"}
    assert chunks == {f"{job}:0"}


def test_its_trace_goes_from_the_request_to_the_vectors(cluster: Cluster, job: str, collector: Collector) -> None:
    wanted = {"submit", "publish", "scan", "chunk", "analyse", "write samples", "write rows", "job", "vectors"}
    wait_for(lambda: wanted <= {span.name for span in collector.of(job)}, 60)
    spans = collector.of(job)
    by_id = {span.id: span for span in spans}
    assert len({span.trace for span in spans}) == 1
    (first,) = [span for span in spans if not span.parent]
    assert (first.service, first.name, first.links) == ("gateway", "submit", (CLIENT,))
    assert {span.parent for span in spans if span is not first} <= set(by_id)
    assert {span.name: span.service for span in spans} == {
        **dict.fromkeys(("submit", "publish"), "gateway"),
        **dict.fromkeys(("scan", "chunk", "hash", "look up", "analyse", "write samples", "write rows"), "worker"),
        "job": "reconciler",
        "vectors": "index",
    }
    (chunk,) = [span for span in spans if span.name == "chunk"]
    files = [span for span in spans if span.name == "analyse"]
    assert len({span.said["path"] for span in files}) == FILES
    assert {by_id[span.parent] is chunk for span in files} == {True}
    assert _inside(files, chunk)
    assert first.began <= chunk.began


def _inside(spans: list[Span], outer: Span) -> bool:
    return all(outer.began <= span.began <= span.ended <= outer.ended for span in spans)
