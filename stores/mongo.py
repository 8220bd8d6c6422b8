"""The MongoDB client (row D1) and what one connection to it opens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import Any, Literal

from pymongo import MongoClient
from pymongo.errors import ConfigurationError, InvalidURI
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from config.settings import MongoSettings
from stores.abreast import Abreast
from stores.keys import MongoKeys
from stores.ledger import MongoLedger
from stores.marks import MongoMarks
from stores.mongo_door import Document
from stores.samples import MongoSamples
from stores.searches import MongoSearches
from workers.errors import StoreError

Pool = Literal["gateway", "worker"]


class MongoStores:
    """Every door of the ledger's server over one pool of connections. Make it after a fork, never before one."""

    def __init__(self, client: MongoClient[Document], database: str) -> None:
        self._client = client
        opened = client[database]
        self.ledger = MongoLedger(opened)
        self._abreast = Abreast()
        self.samples = MongoSamples(opened, self._abreast)
        self.keys = MongoKeys(opened)
        self.marks = MongoMarks(opened)
        self.searches = MongoSearches(opened)

    def close(self) -> None:
        """Give the connections back."""
        self._abreast.close()
        self._client.close()


class _Telling(CommandListener):
    """Tells of each command that is sent."""

    def __init__(self, told: Callable[[], object]) -> None:
        self._told = told

    def started(self, event: CommandStartedEvent) -> None:
        self._told()

    def succeeded(self, event: CommandSucceededEvent) -> None:
        pass

    def failed(self, event: CommandFailedEvent) -> None:
        pass


def connect(settings: MongoSettings, *, pool: Pool, told: Callable[[], object] | None = None) -> MongoStores:
    """Open the ledger. Nothing is sent yet: `MongoStores.ledger.ping` says whether the server answers.

    `told` is called at each command that is sent, in the thread that sends it: whoever waits for a reply gets on.

    Raises
    ------
    StoreError
        The URL cannot be used.
    """
    options = client_options(settings, pool)
    if told is not None:
        options["event_listeners"] = [_Telling(told)]
    try:
        client: MongoClient[Document] = MongoClient(settings.url.get_secret_value(), **options)
    except (ConfigurationError, InvalidURI, ValueError) as error:
        raise StoreError("(mongo.url cannot be used)") from error
    return MongoStores(client, settings.database)


def client_options(settings: MongoSettings, pool: Pool) -> dict[str, Any]:
    """Row D1. ``journal``: without it the embedded server loses acknowledged writes when it is killed."""
    acknowledged = settings.write_concern
    files = {"tlsCAFile": settings.tls_ca, "tlsCertificateKeyFile": settings.tls_cert}
    tls: dict[str, Any] = {name: str(path) for name, path in files.items() if path is not None}
    return {
        "appname": f"samplemind-{pool}",
        "maxPoolSize": settings.max_pool_size,
        "minPoolSize": settings.min_pool_size if pool == "gateway" else min(1, settings.min_pool_size),
        "socketTimeoutMS": int(settings.socket_timeout_s * 1000),
        "connectTimeoutMS": int(settings.connect_timeout_s * 1000),
        "serverSelectionTimeoutMS": int(settings.server_selection_timeout_s * 1000),
        "waitQueueTimeoutMS": int(settings.socket_timeout_s * 1000),
        "retryWrites": True,
        "retryReads": True,
        "w": int(acknowledged) if acknowledged.isdigit() else acknowledged,
        "journal": True,
        "readPreference": settings.read_preference,
        "tz_aware": True,
        "tzinfo": UTC,
        **({"tls": True, **tls} if tls else {}),
    }
