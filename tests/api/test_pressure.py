"""Too many jobs at once are refused with the time to come back, and taken again when there is room."""

from __future__ import annotations

import pytest

from api.pressure import Pressure
from tests.api.gateway import Gateway


@pytest.fixture
def narrow(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    """A gateway that takes two jobs at once."""
    pressure = Pressure(gateway.stores.ledger, 2, clock=iter(range(0, 1000, 2)).__next__)
    object.__setattr__(gateway.app.state.parts, "pressure", pressure)
    return gateway


def test_one_too_many_is_told_when_to_come_back_and_is_taken_then(narrow: Gateway) -> None:
    first = narrow.submit()
    narrow.submit()
    for path, body in (("/v1/jobs", {"source": {"root": "library"}}), ("/v1/recompute", None)):
        answer = narrow.client.post(path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (429, "queue_full")
        assert answer.headers["Retry-After"] == "10"
        assert answer.headers["Content-Type"] == "application/problem+json"
    line = '{"root": "library", "path": "a.wav"}\n'
    manifest = narrow.client.post("/v1/jobs", content=line, headers={"Content-Type": "application/x-ndjson"})
    assert manifest.status_code == 429
    narrow.client.delete(f"/v1/jobs/{first['id']}")
    narrow.stores.ledger.finish_job(first["id"])
    assert narrow.client.post("/v1/jobs", json={"source": {"root": "library"}}).status_code == 202


def test_between_two_counts_new_jobs_are_counted_here(gateway: Gateway) -> None:
    pressure = Pressure(gateway.stores.ledger, 3, clock=lambda: 0.0)
    for _ in range(3):
        pressure.check()
    with pytest.raises(Exception, match="jobs are waiting"):
        pressure.check()
