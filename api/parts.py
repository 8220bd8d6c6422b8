"""What the gateway works with, made once when it starts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

import structlog

from api.archives import Archives
from api.events import Hub
from api.fence import Fence
from api.hints import Hints
from api.index import Index
from api.listening import Listening
from api.metrics import Metrics
from api.pressure import Pressure
from api.quotas import Quotas, Tabs
from api.readiness import Readiness
from api.resumable import Resumable
from api.security import Gate
from api.shared import Shared
from api.shelves import Places
from api.turns import Turns
from api.unpack import Bounds
from api.uploads import Uploads
from config.settings import Settings
from stores.doors import Keys, Ledger, Marks, Pulse, Samples, Searches, Vectors
from stores.records import Facets, Job, Offer, Page, Sample
from tasks.send import Sends
from workers.errors import StoreError
from workers.model import ANALYZER_VERSION

_log = structlog.get_logger(__name__)
_BETWEEN_PAGES_S = 0.05


class Stores(Protocol):
    """The ledger's doors, on one connection."""

    @property
    def ledger(self) -> Ledger: ...
    @property
    def samples(self) -> Samples: ...
    @property
    def keys(self) -> Keys: ...
    @property
    def marks(self) -> Marks: ...
    @property
    def searches(self) -> Searches: ...
    def close(self) -> None:
        """Give the connections back."""


@dataclass(frozen=True, slots=True)
class Parts:
    """One gateway's parts."""

    settings: Settings
    ledger: Ledger
    samples: Samples
    keys: Keys
    marks: Marks
    searches: Searches
    pulse: Pulse
    index: Index
    hints: Hints
    gate: Gate
    hub: Hub
    asked: Shared[Job]
    counted: Shared[Facets]
    listed: Shared[Page[Sample]]
    turns: Turns
    pressure: Pressure
    readiness: Readiness
    metrics: Metrics
    uploads: Uploads
    resumable: Resumable
    archives: Archives
    quotas: Quotas
    tabs: Tabs
    fence: Fence
    listening: Listening
    places: Places

    @classmethod
    def assemble(cls, settings: Settings, stores: Stores, vectors: Vectors, pulse: Pulse, sender: Sends) -> Parts:
        """Everything around these doors."""
        ledger, samples = stores.ledger, stores.samples
        most_mb = min(settings.gateway.max_body_mb, settings.decode.max_file_mb)
        quotas = Quotas(settings.limits)
        uploads = Uploads(settings.uploads_dir, round(most_mb * 1_000_000))
        folders = settings.folders
        writable = {name: folders[name] for name in settings.gateway.upload_roots if name in folders}
        return cls(
            settings=settings,
            ledger=ledger,
            samples=samples,
            keys=stores.keys,
            marks=stores.marks,
            searches=stores.searches,
            pulse=pulse,
            index=Index(samples, vectors, settings.chroma.cache_vectors),
            hints=Hints(sender, ledger),
            gate=Gate(stores.keys, settings.gateway.host),
            asked=Shared(),
            counted=Shared(),
            listed=Shared(),
            turns=Turns(),
            pressure=Pressure(ledger, settings.queue.max_jobs),
            hub=Hub(ledger, settings.gateway.event_interval_s, most_streams=settings.limits.streams),
            readiness=Readiness(ledger, pulse, vectors, settings.flower.url),
            metrics=Metrics(ledger, samples, pulse, settings.signs_dir),
            uploads=uploads,
            archives=Archives(uploads, _bounds(settings), round(most_mb * 1_000_000)),
            resumable=Resumable(uploads, writable, round(most_mb * 1_000_000)),
            quotas=quotas,
            tabs=Tabs(quotas, ledger),
            fence=Fence(settings),
            listening=Listening(settings.decode),
            places=Places.of(settings),
        )

    async def prepare(self, every_s: float = 2.0) -> None:
        """Make what is missing of collections and indexes, as soon as the ledger answers."""
        while True:
            try:
                await asyncio.to_thread(self.ledger.prepare)
                await asyncio.to_thread(self.ledger.announce, self.offer())
            except StoreError as error:
                _log.warning("the ledger is not there yet", error=error.message)
                await asyncio.sleep(every_s)
            else:
                return

    async def read_ahead(self, every_s: float = 1.0) -> None:
        """Read the index into memory while searches want it, a page at a time: they come first."""
        while True:
            try:
                more = await asyncio.to_thread(self.index.read_ahead)
            except StoreError as error:
                _log.warning("the index cannot be read", error=error.message)
                more = False
            await asyncio.sleep(_BETWEEN_PAGES_S if more else every_s)

    def offer(self) -> Offer:
        """What workers on other machines must have, too."""
        return Offer(ANALYZER_VERSION, tuple(sorted(self.settings.all_roots)), self.settings.redis.key_prefix)

    async def close(self) -> None:
        """End streams and open questions."""
        await self.hub.close()
        await self.readiness.close()
        await asyncio.to_thread(self.listening.close)


def _bounds(settings: Settings) -> Bounds:
    """What an archive may unfold to."""
    most = settings.gateway
    return Bounds(most.max_zip_files, round(most.max_zip_mb * 1_000_000), settings.decode.max_file_mb * 1_000_000)
