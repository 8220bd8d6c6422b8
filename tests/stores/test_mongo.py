"""The MongoDB client: its options, how its errors leave us, its indexes."""

from __future__ import annotations

import logging
import socket
from typing import Any

import pytest
from bson.errors import InvalidDocument
from pydantic import SecretStr
from pymongo import MongoClient, errors

from config.settings import MongoSettings
from stores.mongo import MongoStores, client_options, connect
from stores.mongo_door import mongo_errors
from stores.records import SampleFilter
from tests.servers import free_port
from tests.stores.making import new_job, sample, submit
from workers.errors import NotFound, StoreError, StoreUnavailable


def test_the_client_is_set_as_row_d1_says() -> None:
    options = client_options(MongoSettings(), "gateway")
    assert options | {} == {
        **options,
        "maxPoolSize": 100,
        "minPoolSize": 10,
        "socketTimeoutMS": 30000,
        "connectTimeoutMS": 5000,
        "serverSelectionTimeoutMS": 5000,
        "retryWrites": True,
        "retryReads": True,
        "w": "majority",
        "journal": True,
        "readPreference": "primaryPreferred",
        "appname": "samplemind-gateway",
    }


def test_a_worker_keeps_one_connection_warm() -> None:
    options = client_options(MongoSettings(write_concern="1"), "worker")
    assert (options["minPoolSize"], options["appname"], options["w"]) == (1, "samplemind-worker", 1)


@pytest.mark.parametrize("url", ["http://x", "mongodb://", "mongodb://a:b:c", ""])
def test_a_url_that_cannot_be_used_is_said_without_showing_it(url: str) -> None:
    with pytest.raises(StoreError) as raised:
        connect(MongoSettings(url=SecretStr(url)), pool="worker").close()
    assert url == "" or url not in str(raised.value)


PASSING = [
    errors.AutoReconnect("gone"),
    errors.ServerSelectionTimeoutError("mongo.internal:27017: refused"),
    errors.NetworkTimeout("slow"),
    errors.NotPrimaryError("election"),
    errors.WaitQueueTimeoutError("full"),
    errors.ExecutionTimeout("slow", 50),
    errors.WTimeoutError("no majority", 64),
    errors.OperationFailure("shutting down", 91),
    errors.OperationFailure("disk", 14031),
    errors.OperationFailure("labelled", 1, {"errorLabels": ["RetryableWriteError"]}),
    errors.BulkWriteError({"writeErrors": [{"code": 11000}, {"code": 91}]}),
    errors.BulkWriteError({"writeErrors": [], "writeConcernErrors": [{"code": 64}]}),
]
LASTING = [
    errors.OperationFailure("not authorised", 13),
    errors.DuplicateKeyError("dup", 11000),
    errors.DocumentTooLarge("16 MB"),
    errors.InvalidOperation("closed"),
    errors.BulkWriteError({"writeErrors": [{"code": 121}]}),
    InvalidDocument("a set"),
    OverflowError("9 bytes"),
]


@pytest.mark.parametrize("foreign", PASSING, ids=repr)
def test_what_passes_by_itself_is_unavailable(foreign: Exception) -> None:
    with pytest.raises(StoreUnavailable) as raised, mongo_errors():
        raise foreign
    assert "internal" not in str(raised.value)
    assert raised.value.__cause__ is foreign


@pytest.mark.parametrize("foreign", LASTING, ids=repr)
def test_what_stays_wrong_is_an_error(foreign: Exception) -> None:
    with pytest.raises(StoreError) as raised, mongo_errors():
        raise foreign
    assert not isinstance(raised.value, StoreUnavailable)


@pytest.mark.parametrize("ours", [NotFound("job"), ZeroDivisionError(), MemoryError()], ids=repr)
def test_what_is_not_of_the_database_goes_through(ours: Exception) -> None:
    with pytest.raises(type(ours)), mongo_errors():
        raise ours


def test_a_ledger_that_is_away_is_unavailable_whatever_is_asked() -> None:
    settings = MongoSettings(
        url=SecretStr(f"mongodb://127.0.0.1:{free_port()}"),
        server_selection_timeout_s=0.05,
        connect_timeout_s=0.05,
        min_pool_size=0,
    )
    stores = connect(settings, pool="worker")
    asks: list[Any] = [
        stores.ledger.ping,
        stores.ledger.prepare,
        stores.ledger.active_jobs,
        stores.samples.generation,
        stores.keys.any,
        lambda: stores.ledger.create_job(new_job()),
        lambda: stores.ledger.files("x", status=None, cursor=None, limit=1),
        lambda: stores.ledger.claim_chunk("x:0", 1),
        lambda: stores.samples.insert([sample(1)]),
        lambda: stores.samples.page(SampleFilter(), cursor=None, limit=1),
        lambda: stores.keys.create(name="a", owner="a", scopes=[], ttl_s=None),
    ]
    for ask in asks:
        with pytest.raises(StoreUnavailable):
            ask()
    stores.close()


def test_a_server_that_does_not_answer_is_unavailable() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(1)
        settings = MongoSettings(
            url=SecretStr(f"mongodb://127.0.0.1:{deaf.getsockname()[1]}"),
            server_selection_timeout_s=0.2,
            connect_timeout_s=0.1,
            min_pool_size=0,
        )
        stores = connect(settings, pool="worker")
        with pytest.raises(StoreUnavailable):
            stores.ledger.ping()
        stores.close()


@pytest.mark.integration
def test_a_value_the_database_cannot_hold_is_an_error_of_ours(mongo: MongoStores) -> None:
    bad = sample(1)
    bad.analysis["odd"] = {1, 2}  # type: ignore[index]
    with pytest.raises(StoreError):
        mongo.samples.insert([bad])
    with pytest.raises(StoreError):
        mongo.ledger.create_job(new_job(label="\ud800"))


@pytest.mark.integration
def test_every_index_is_there_after_preparing_and_complete(mongo: MongoStores, database: Any) -> None:
    submit(mongo.ledger, [2, 2])
    mongo.ledger.create_job(new_job(idempotency_key="k"))
    mongo.samples.insert([sample(i, bpm=None if i % 2 else 100.0, defects=["dc"], silent=i == 3) for i in range(9)])
    made = {
        f"{name}.{index}" for name in database.list_collection_names() for index in database[name].index_information()
    }
    assert made >= {
        "jobs.idempotency",
        "jobs.state",
        "chunks.by_state",
        "samples.range",
        "samples.silent",
        "outbox.ready",
        "samples.bpm",
    }
    assert mongo.ledger.verify_indexes() == []


@pytest.mark.integration
def test_an_index_that_misses_rows_is_found_and_made_again(mongo: MongoStores, database: Any) -> None:
    mongo.samples.insert([sample(i, bpm=100.0 if i % 2 else None) for i in range(9)])
    database.samples.drop_index("key")
    database.samples.create_index(
        [("analysis.key.label", 1)], name="key", partialFilterExpression={"analysis.tempo.bpm": {"$gt": 0}}
    )
    assert mongo.ledger.verify_indexes() == ["samples.key"]
    assert "partialFilterExpression" not in database.samples.index_information()["key"]
    assert mongo.ledger.verify_indexes() == []


@pytest.mark.integration
def test_an_index_missing_on_a_collection_in_use_is_made_and_said(
    mongo: MongoStores, database: Any, caplog: pytest.LogCaptureFixture
) -> None:
    mongo.samples.insert([sample(1)])
    database.samples.drop_index("bpm")
    with caplog.at_level(logging.WARNING):
        mongo.ledger.prepare()
    assert "bpm of samples" in caplog.text
    assert "bpm" in database.samples.index_information()


@pytest.fixture
def database(mongo_settings: MongoSettings) -> Any:
    with MongoClient[dict[str, Any]](mongo_settings.url.get_secret_value()) as client:
        yield client[mongo_settings.database]
