"""Alive, able to work, and figures."""

from __future__ import annotations

import http.server
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from api import readiness
from stores.memory import MemoryPulse, MemoryStores
from tests.api.gateway import Gateway, make_gateway
from workers.errors import StoreUnavailable

PARTS = {"ledger", "queue", "vectors", "worker", "reconciler", "index", "flower"}


@pytest.fixture
def flower() -> Iterator[str]:
    """Something that answers as Flower does."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/healthcheck" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def beat(pulse: MemoryPulse, *parts: str) -> None:
    for part in parts:
        pulse.beat(part, f"{part}-1", {"at": 1}, 60)


def check(stores: MemoryStores, flower: str) -> readiness.Readiness:
    return readiness.Readiness(stores.ledger, stores.pulse, stores.vectors, flower)


def test_alive_whatever_else_is_not(gateway: Gateway) -> None:
    assert gateway.client.get("/health").json() == {"status": "alive"}


def test_not_ready_says_what_is_missing_in_words(gateway: Gateway) -> None:
    answer = gateway.client.get("/ready")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    parts = answer.json()["parts"]
    assert set(parts) == PARTS
    assert parts["ledger"] == {"ok": True, "detail": "answers"}
    assert parts["worker"] == {"ok": False, "detail": "no worker is alive"}
    assert not parts["flower"]["ok"]
    assert "no index writer is alive" in answer.json()["detail"]


def test_ready_once_every_part_works(tmp_path: Path, flower: str) -> None:
    gateway = make_gateway(tmp_path)
    beat(gateway.stores.pulse, "worker", "reconciler", "index")
    gateway.stores.pulse.beat("worker", "worker-2", {}, 60)
    object.__setattr__(gateway.app.state.parts, "readiness", check(gateway.stores, flower))
    with gateway.client:
        answer = gateway.client.get("/ready")
    assert answer.status_code == 200, answer.text
    assert answer.json()["parts"]["worker"] == {"ok": True, "detail": "2 workers are alive"}
    assert set(answer.json()["parts"]) == PARTS


def test_a_database_that_is_away_is_not_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise StoreUnavailable("MongoDB: no primary.")

    gateway = make_gateway(tmp_path)
    for door in (gateway.stores.ledger, gateway.stores.vectors, gateway.stores.pulse):
        monkeypatch.setattr(door, "ping", away)
    monkeypatch.setattr(gateway.stores.pulse, "alive", away)
    with gateway.client:
        parts = gateway.client.get("/ready").json()["parts"]
    assert "no primary" in parts["ledger"]["detail"]
    assert not any(part["ok"] for part in parts.values())
    assert "cannot be seen" in parts["worker"]["detail"]


def test_a_database_that_hangs_costs_three_seconds_and_one_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = make_gateway(tmp_path)
    free, asked = threading.Event(), []

    def hang() -> None:
        asked.append(1)
        free.wait(20)

    monkeypatch.setattr(gateway.stores.ledger, "ping", hang)
    monkeypatch.setattr(readiness, "_PATIENCE_S", 1.0)  # of which the parts that do answer need a hundredth
    monkeypatch.setattr(readiness, "_KNOWN_FOR_S", 0.0)
    with gateway.client:
        for _ in range(3):
            began = time.monotonic()
            parts = gateway.client.get("/ready").json()["parts"]
            assert time.monotonic() - began < 15
            assert "does not answer" in parts["ledger"]["detail"]
            assert parts["vectors"]["ok"]
        assert len(asked) == 1
        free.set()


def test_answers_are_kept_for_two_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = make_gateway(tmp_path)
    asked = []
    monkeypatch.setattr(gateway.stores.ledger, "ping", lambda: asked.append(1))
    with gateway.client:
        for _ in range(10):
            gateway.client.get("/ready")
    assert len(asked) == 1


def test_figures_have_units_and_bounded_labels(gateway: Gateway) -> None:
    gateway.submit()
    gateway.stores.pulse.lengths = {"scan": 1, "normal": 7}
    beat(gateway.stores.pulse, "worker")
    for n in range(20):
        gateway.client.get(f"/v1/jobs/{n}")
        gateway.client.get(f"/made/up/{n}")
        gateway.client.request(f"MADEUP{n}", "/v1/jobs")
    text = gateway.client.get("/metrics").text
    assert 'samplemind_queue_messages{queue="normal"} 7.0' in text
    assert 'samplemind_processes_alive{part="worker"} 1.0' in text
    assert 'samplemind_files{status="pending"} 0.0' in text
    assert 'samplemind_jobs{state="scanning"} 1.0' in text
    assert (
        'samplemind_http_request_duration_seconds_count{method="GET",route="/v1/jobs/{job_id}",status="404"} 20' in text
    )
    assert 'route="(none)",status="404"} 20' in text
    assert 'method="other"' in text
    assert "MADEUP" not in text
    assert len(re.findall("samplemind_http_request_duration_seconds_count", text)) < 8


def test_figures_that_cannot_be_had_are_missing_not_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise StoreUnavailable

    gateway = make_gateway(tmp_path)
    monkeypatch.setattr(gateway.stores.ledger, "jobs", away)
    text = gateway.client.get("/metrics").text
    assert 'samplemind_source_up{source="ledger"} 0.0' in text
    assert 'samplemind_source_up{source="queue"} 1.0' in text
    assert "samplemind_files{" not in text
