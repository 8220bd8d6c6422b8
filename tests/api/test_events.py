"""Progress: one poller a job, ids that say what was told, streams that end."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from api import events
from api.events import Hub, Snapshot, Speed
from api.views import progress_view
from stores.memory import ManualClock, MemoryStores
from stores.records import Counts, FileRef, Job, JobState, NewJob, Priority, Row, Status
from tests.api.gateway import Gateway, failed, make_gateway
from tests.api.serving import Serving, serve
from workers.errors import StoreUnavailable


def parse(text: str) -> list[tuple[str, str, Any]]:
    """(event, id, data) of everything in a stream; comments are left out."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            found.append((fields["event"], fields["id"], json.loads(fields["data"])))
    return found


def test_an_ended_job_tells_its_state_and_ends(gateway: Gateway) -> None:
    job = gateway.folder_job({"a.wav": failed(), "b.wav": failed()})
    answer = gateway.client.get(f"/v1/jobs/{job.id}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    told = parse(answer.text)
    assert [name for name, _, _ in told] == ["progress", "end"]
    assert told[-1][2]["state"] == "complete"
    assert told[-1][2]["counts"]["failed"] == 2
    assert {"files_per_s", "eta_s"} <= set(told[0][2])


def test_after_the_end_only_the_end_is_told_again(gateway: Gateway) -> None:
    job = gateway.folder_job({"a.wav": failed()})
    address = f"/v1/jobs/{job.id}/events"
    told = parse(gateway.client.get(address).text)
    for _, seen, _ in told:
        again = parse(gateway.client.get(address, headers={"Last-Event-ID": seen}).text)
        assert [(name, identity) for name, identity, _ in again] == [("end", told[-1][1])]
    stale = parse(gateway.client.get(address, headers={"Last-Event-ID": "running.1.1.0.0.0.0.0"}).text)
    assert [name for name, _, _ in stale] == ["progress", "end"]


# -- the hub


class Counted:
    """A ledger's door that counts how often it is asked for a job, and can be away."""

    def __init__(self) -> None:
        self.stores = MemoryStores()
        self.asked = 0
        self.away = False
        ledger = self.stores.ledger
        self.job_, _ = ledger.create_job(NewJob("ann", Priority.NORMAL, None))
        ledger.add_chunk(self.job_.id, 0, 0, [FileRef("library", "a.wav")])
        ledger.add_chunk(self.job_.id, 1, 1, [FileRef("library", "b.wav")])
        ledger.accept_job(self.job_.id)

    def job(self, job_id: str, *, owner: str | None = None) -> Job:
        self.asked += 1
        if self.away:
            raise StoreUnavailable
        return self.stores.ledger.job(job_id, owner=owner)

    def end_one(self) -> None:
        ledger = self.stores.ledger
        chunk = ledger.unfed(self.job_.id, 1)
        ledger.mark_fed(self.job_.id, chunk)
        claim = ledger.claim_chunk(chunk[0], 30)
        assert claim is not None
        ledger.finish_chunk(claim, [Row(Status.FAILED)])
        ledger.finish_job(self.job_.id)


def hub_over(ledger: Counted, heartbeat_s: float = 15, *, most_streams: int = 256) -> Hub:
    return Hub(ledger, 0.01, heartbeat_s, most_streams=most_streams)  # type: ignore[arg-type]


async def collect(stream: AsyncIterator[bytes]) -> list[tuple[str, str, Any]]:
    return parse(b"".join([piece async for piece in stream]).decode())


def test_many_listeners_share_one_poller() -> None:
    async def run() -> None:
        ledger = Counted()
        hub = hub_over(ledger)
        streams = [asyncio.create_task(collect(hub.stream(ledger.job_, "ann", None, progress_view))) for _ in range(50)]
        await asyncio.sleep(0.2)
        assert (hub.polled, hub.listeners) == (1, 50)
        assert ledger.asked < 40
        ledger.end_one()
        await asyncio.sleep(0.1)
        ledger.end_one()
        for told in await asyncio.wait_for(asyncio.gather(*streams), 5):
            assert [name for name, _, _ in told] == ["progress", "progress", "progress", "end"]
            assert [data["counts"]["pending"] for _, _, data in told] == [2, 1, 0, 0]
            assert len({identity for _, identity, _ in told}) == 4
        await asyncio.sleep(0.05)
        assert (hub.polled, hub.listeners) == (0, 0)
        after = ledger.asked
        await asyncio.sleep(0.1)
        assert ledger.asked == after

    asyncio.run(run())


def test_a_late_listener_is_told_at_once_and_what_is_known_is_not_told_again() -> None:
    async def run() -> None:
        ledger = Counted()
        hub = hub_over(ledger)
        first = hub.stream(ledger.job_, "ann", None, progress_view)
        told = parse((await anext(first)).decode())
        late = hub.stream(ledger.job_, "ann", None, progress_view)
        assert parse((await asyncio.wait_for(anext(late), 1)).decode()) == told
        known = hub.stream(ledger.job_, "ann", told[0][1], progress_view)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(known), 0.2)
        await first.aclose()  # type: ignore[attr-defined]
        await late.aclose()  # type: ignore[attr-defined]
        assert hub.listeners == 0

    asyncio.run(run())


def test_a_quiet_stream_has_a_heartbeat() -> None:
    async def run() -> list[bytes]:
        ledger = Counted()
        stream = hub_over(ledger, heartbeat_s=0.05).stream(ledger.job_, "ann", None, progress_view)
        return [await anext(stream) for _ in range(3)]

    pieces = asyncio.run(run())
    assert pieces[0].startswith(b"event: progress")
    assert all(piece.startswith(b": ") and piece.endswith(b"\n\n") for piece in pieces[1:])


def test_a_ledger_that_is_away_for_a_while_ends_no_stream() -> None:
    async def run() -> list[tuple[str, str, Any]]:
        ledger = Counted()
        ledger.away = True
        stream = asyncio.create_task(collect(hub_over(ledger).stream(ledger.job_, "ann", None, progress_view)))
        await asyncio.sleep(0.1)
        ledger.away = False
        ledger.end_one()
        ledger.end_one()
        return await asyncio.wait_for(stream, 5)

    assert asyncio.run(run())[-1][0] == "end"


def test_a_job_that_is_gone_ends_its_stream() -> None:
    async def run() -> None:
        ledger = Counted()
        gone = replace(ledger.job_, id="gone")
        assert await asyncio.wait_for(collect(hub_over(ledger).stream(gone, "ann", None, progress_view)), 5) == []

    asyncio.run(run())


def test_closing_ends_every_stream() -> None:
    async def run() -> None:
        ledger = Counted()
        hub = hub_over(ledger)
        streams = [asyncio.create_task(collect(hub.stream(ledger.job_, "ann", None, progress_view))) for _ in range(3)]
        await asyncio.sleep(0.1)
        await hub.close()
        assert all(len(told) == 1 for told in await asyncio.wait_for(asyncio.gather(*streams), 2))
        assert (hub.polled, hub.listeners) == (0, 0)

    asyncio.run(run())


def test_an_owner_has_so_many_streams_and_no_more() -> None:
    async def run() -> None:
        ledger = Counted()
        hub = hub_over(ledger, most_streams=1)
        hub.admit("ann")
        stream = hub.stream(ledger.job_, "ann", None, progress_view)
        await anext(stream)
        with pytest.raises(events.Problem) as caught:
            hub.admit("ann")
        assert caught.value.status_code == 429
        hub.admit("bob")
        await stream.aclose()  # type: ignore[attr-defined]
        hub.admit("ann")

    asyncio.run(run())


def job_with(state: JobState = JobState.RUNNING, **counts: int) -> Job:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Job("J", "ann", state, Priority.NORMAL, None, "", at, Counts(**counts))


def test_speed_is_that_of_the_last_half_minute() -> None:
    clock = ManualClock()
    speed = Speed(clock)
    assert speed.of(job_with(submitted=1000, pending=1000)) == (None, None)
    clock.advance(10)
    assert speed.of(job_with(submitted=1000, pending=900, done=100)) == (10, 90)
    for _ in range(60):
        clock.advance(1)
        rate, eta = speed.of(job_with(submitted=1000, pending=900, done=100))
    assert (rate, eta) == (0, None)


def test_while_the_folder_is_walked_no_end_is_foretold() -> None:
    clock = ManualClock()
    speed = Speed(clock)
    speed.of(job_with(JobState.SCANNING, submitted=10, pending=10))
    clock.advance(1)
    assert speed.of(job_with(JobState.SCANNING, submitted=20, pending=15, done=5)) == (5, None)


def test_an_id_tells_news_apart() -> None:
    one = Snapshot(job_with(submitted=2, pending=2), None, None)
    same = Snapshot(job_with(submitted=2, pending=2), 5.0, 1)
    other = Snapshot(job_with(submitted=2, pending=1, done=1), None, None)
    cancelled = Snapshot(replace(one.job, cancel_requested=True), None, None)
    assert one.id == same.id
    assert len({one.id, other.id, cancelled.id}) == 3


# -- a real server


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    """The gateway behind uvicorn on a free port."""
    with serve(make_gateway(tmp_path)) as running:
        yield running


@contextmanager
def listening(serving: Serving, job_id: str, **headers: str) -> Iterator[Iterator[str]]:
    with (
        httpx.Client(base_url=serving.url, timeout=10) as client,
        client.stream("GET", f"/v1/jobs/{job_id}/events", headers=headers) as answer,
    ):
        assert answer.status_code == 200
        yield answer.iter_text()


def test_events_arrive_as_they_happen_and_resume_after_a_break(serving: Serving) -> None:
    gateway = serving.gateway
    ledger = gateway.stores.ledger
    job, _ = ledger.create_job(NewJob("local", Priority.NORMAL, None))
    for n in range(2):
        ledger.add_chunk(job.id, n, n, [FileRef("library", f"{n}.wav")])
    ledger.accept_job(job.id)
    with listening(serving, job.id) as stream:
        first = parse(next(stream))[0]
        assert (first[0], first[2]["counts"]["pending"]) == ("progress", 2)
        gateway.end(job.id, [failed()])
        second = parse(next(stream))[0]
        assert second[2]["counts"]["pending"] == 1
    gateway.end(job.id, [failed()])
    ledger.finish_job(job.id)
    with listening(serving, job.id, **{"Last-Event-ID": second[1]}) as stream:
        rest = parse("".join(stream))
    assert [name for name, _, _ in rest] == ["progress", "end"]
    assert rest[-1][2]["state"] == "complete"


def test_a_client_that_goes_away_is_forgotten(serving: Serving) -> None:
    job = serving.gateway.submit_to(serving.url)
    hub = serving.gateway.app.state.parts.hub
    with listening(serving, job) as stream:
        next(stream)
        assert hub.listeners == 1
    deadline = time.monotonic() + 30
    while hub.listeners and time.monotonic() < deadline:
        time.sleep(0.02)
    assert (hub.listeners, hub.polled) == (0, 0)


def test_open_streams_do_not_hold_up_a_stop(serving: Serving) -> None:
    job = serving.gateway.submit_to(serving.url)
    with listening(serving, job) as stream:
        next(stream)
        began = time.monotonic()
        serving.stop()
        assert "".join(stream) == ""
        assert time.monotonic() - began < 20


def test_streams_leave_the_threads_to_requests(serving: Serving) -> None:
    jobs = [serving.gateway.submit_to(serving.url) for _ in range(60)]
    with httpx.Client(base_url=serving.url, timeout=10, limits=httpx.Limits(max_connections=200)) as client:
        streams = [client.send(client.build_request("GET", f"/v1/jobs/{job}/events"), stream=True) for job in jobs]
        began = time.monotonic()
        for _ in range(20):
            assert client.get("/v1/jobs?limit=1").status_code == 200
        assert time.monotonic() - began < 20
        assert serving.gateway.app.state.parts.hub.listeners == 60
        for stream in streams:
            stream.close()
