"""Progress as server-sent events: one poller a job, however many listen; nothing piles up for a slow reader.

An event's id says what it told: state and counts. So any gateway, also one that was restarted, can tell from
`Last-Event-ID` whether a client knows the present state already.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import astuple, dataclass
from typing import Any, Final

import structlog
from anyio import CapacityLimiter, to_thread

from api.answers import dump
from api.errors import Problem
from stores.doors import Ledger
from stores.records import Job, JobState
from workers.errors import NotFound, SampleMindError

HEARTBEAT_S: Final = 15.0
_WINDOW_S: Final = 30.0
_THREADS: Final = 4
"""Threads that all pollers share: they must not starve the requests of theirs."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A job at one moment, and how fast it gets on."""

    job: Job
    files_per_s: float | None
    eta_s: float | None

    @property
    def id(self) -> str:
        """Equal for equal news."""
        cancelled = "c" if self.job.cancel_requested else ""
        return f"{self.job.state}{cancelled}." + ".".join(str(count) for count in astuple(self.job.counts))


class Speed:
    """Files that ended per second over the last half minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()

    def of(self, job: Job) -> tuple[float | None, float | None]:
        """(files per second, seconds to the end); ``None`` while it cannot be said."""
        now, ended = self._clock(), job.counts.submitted - job.counts.pending
        self._seen.append((now, ended))
        while self._seen[0][0] < now - _WINDOW_S and len(self._seen) > 2:
            self._seen.popleft()
        since, before = self._seen[0]
        if now <= since:
            return None, None
        rate = max(0.0, (ended - before) / (now - since))
        if rate == 0 or job.state is JobState.SCANNING:
            return round(rate, 3), None
        return round(rate, 3), math.ceil(job.counts.pending / rate)


class _Feed:
    """One job's poller and its listeners."""

    def __init__(self) -> None:
        self.latest: Snapshot | None = None
        self.error: SampleMindError | None = None
        self.version = 0
        self.listeners = 0
        self.changed = asyncio.Condition()
        self.task: asyncio.Task[None] | None = None

    async def tell(self, snapshot: Snapshot | None = None, error: SampleMindError | None = None) -> None:
        async with self.changed:
            self.latest = snapshot or self.latest
            self.error = error
            self.version += 1
            self.changed.notify_all()


class Hub:
    """The pollers of this gateway."""

    def __init__(
        self, ledger: Ledger, interval_s: float, heartbeat_s: float = HEARTBEAT_S, *, most_streams: int
    ) -> None:
        self._ledger = ledger
        self._interval_s = interval_s
        self._heartbeat_s = heartbeat_s
        self._most_streams = most_streams
        self._feeds: dict[str, _Feed] = {}
        self._owners: dict[str, int] = {}
        self._limiter: CapacityLimiter | None = None
        self._closed = False

    @property
    def polled(self) -> int:
        """How many jobs are being polled."""
        return len(self._feeds)

    @property
    def listeners(self) -> int:
        """How many streams are open."""
        return sum(feed.listeners for feed in self._feeds.values())

    def admit(self, owner: str) -> None:
        """Refuse (429) a key, or who has none, that has enough streams open."""
        if self._owners.get(owner, 0) >= self._most_streams:
            headers = {"Retry-After": "5"}
            raise Problem(429, "too_many_streams", f"At most {self._most_streams} streams at once.", headers=headers)

    async def close(self) -> None:
        """End every stream; no new one begins."""
        self._closed = True
        for feed in list(self._feeds.values()):
            if feed.task is not None:
                feed.task.cancel()
            await feed.tell()

    async def stream(
        self, job: Job, owner: str, last_id: str | None, view: Callable[[Snapshot], Mapping[str, Any]]
    ) -> AsyncIterator[bytes]:
        """The bytes of one listener's stream, from now to the job's end.

        `view` makes the data of an event. With `last_id` the event that the client has already is left out.
        """
        async with self._listen(job.id, owner) as feed:
            version = 0  # of a feed that nothing was told yet
            while not self._closed:
                if feed.version > version and feed.latest is not None:
                    version = feed.version
                    for event, identity in _news(feed.latest, last_id):
                        last_id = identity
                        yield encode(event, identity, view(feed.latest))
                    if feed.latest.job.state.ended:
                        return
                if feed.error is not None:
                    return
                if not await self._wait(feed, version):
                    yield b": still here\n\n"

    async def ended(self, job: Job, owner: str, within_s: float) -> Job | None:
        """The job when it has ended; ``None`` where it has not within so long. `Problem` (429) as for a stream."""
        self.admit(owner)
        async with self._listen(job.id, owner) as feed:
            try:
                async with asyncio.timeout(within_s), feed.changed:
                    await feed.changed.wait_for(lambda: self._closed or feed.error is not None or _over(feed))
            except TimeoutError:
                return None
            return feed.latest.job if feed.latest is not None and _over(feed) else None

    @asynccontextmanager
    async def _listen(self, job_id: str, owner: str) -> AsyncIterator[_Feed]:
        feed = self._feeds.get(job_id)
        if feed is None:
            feed = self._feeds[job_id] = _Feed()
            feed.task = asyncio.create_task(self._poll(job_id, feed), name=f"poll {job_id}")
        feed.listeners += 1
        self._owners[owner] = self._owners.get(owner, 0) + 1
        try:
            yield feed
        finally:
            feed.listeners -= 1
            self._owners[owner] -= 1
            if not self._owners[owner]:
                del self._owners[owner]
            if not feed.listeners and self._feeds.get(job_id) is feed:
                del self._feeds[job_id]
                if feed.task is not None:
                    feed.task.cancel()

    async def _wait(self, feed: _Feed, version: int) -> bool:
        """Wait for news; False when it is time for a heartbeat instead."""
        try:
            async with asyncio.timeout(self._heartbeat_s), feed.changed:
                await feed.changed.wait_for(lambda: feed.version > version or self._closed)
        except TimeoutError:
            return False
        return True

    async def _poll(self, job_id: str, feed: _Feed) -> None:
        self._limiter = self._limiter or CapacityLimiter(_THREADS)
        speed = Speed()
        known = ""
        while True:
            try:
                job = await to_thread.run_sync(self._ledger.job, job_id, limiter=self._limiter)
            except NotFound as error:
                await feed.tell(error=error)
                return
            except SampleMindError as error:
                # The streams stay open with their heartbeats: it will be back.
                _log.warning("cannot follow a job now", job=job_id, error=error.message)
            else:
                now = Snapshot(job, *speed.of(job))
                if now.id != known:
                    known = now.id
                    await feed.tell(now)
                if job.state.ended:
                    return
            await asyncio.sleep(self._interval_s)


def _over(feed: _Feed) -> bool:
    return feed.latest is not None and feed.latest.job.state.ended


def _news(snapshot: Snapshot, last_id: str | None) -> list[tuple[str, str]]:
    """The events (name, id) that tell a client who has seen `last_id` where the job is now."""
    end = snapshot.id + ".end"
    events = []
    if last_id not in (snapshot.id, end):
        events.append(("progress", snapshot.id))
    if snapshot.job.state.ended:
        known_ended = last_id is not None and last_id.endswith(".end")
        return [("end", end)] if known_ended else [*events, ("end", end)]
    return events


def encode(event: str, identity: str, data: Mapping[str, Any]) -> bytes:
    """One event in the stream's format; the data is one line, for JSON has no bare newline."""
    return b"event: %s\nid: %s\ndata: %s\n\n" % (event.encode(), identity.encode(), dump(data))
