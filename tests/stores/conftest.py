"""One suite for both: every contract test runs on the memory twin and on a real server."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import SecretStr
from pymongo import MongoClient

from config.settings import MongoSettings
from stores.doors import Keys, Ledger, Samples
from stores.memory import ManualClock, MemoryStores
from stores.mongo import MongoStores, connect

LEASE = 0.25
"""Seconds. Short, because a test on a real server waits for its end."""
LONG = 60.0


@dataclass
class Bench:
    """Stores under test, and time that passes."""

    stores: MemoryStores | MongoStores
    let_pass: Callable[[float], None]

    @property
    def ledger(self) -> Ledger:
        return self.stores.ledger

    @property
    def samples(self) -> Samples:
        return self.stores.samples

    @property
    def keys(self) -> Keys:
        return self.stores.keys

    def end_leases(self) -> None:
        """Every lease of `LEASE` seconds is over."""
        self.let_pass(LEASE + 0.05)


@pytest.fixture
def mongo_settings(mongo_url: str) -> Iterator[MongoSettings]:
    """A database of this test's own, dropped at its end."""
    database = f"test_{uuid.uuid4().hex[:12]}"
    yield MongoSettings(url=SecretStr(mongo_url), database=database, min_pool_size=0)
    with MongoClient[dict[str, Any]](mongo_url) as client:
        client.drop_database(database)


@pytest.fixture
def mongo(mongo_settings: MongoSettings) -> Iterator[MongoStores]:
    """Prepared stores on a real server."""
    opened = connect(mongo_settings, pool="worker")
    opened.ledger.prepare()
    yield opened
    opened.close()


@pytest.fixture(params=["memory", pytest.param("mongo", marks=pytest.mark.integration)])
def bench(request: pytest.FixtureRequest) -> Bench:
    if request.param == "memory":
        clock = ManualClock()
        return Bench(MemoryStores(clock), clock.advance)
    return Bench(request.getfixturevalue("mongo"), time.sleep)
