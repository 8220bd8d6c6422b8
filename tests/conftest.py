"""Fixtures for every test: real servers, once a session. Set a URL and that server is used instead."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError

import pytest

from tests.servers import mongo_in_use, running, s3_server, start_chroma, start_mongo, start_valkey


def pytest_report_header() -> list[str]:
    try:
        return [f"ledger under test: {mongo_in_use()}"]
    except PackageNotFoundError:
        return ["ledger under test: none installed, integration tests are skipped"]


@pytest.fixture(scope="session")
def mongo_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A ledger's URL: SAMPLEMIND_TEST_MONGO_URL, or the embedded server. Use a database of your own in it."""
    given = os.environ.get("SAMPLEMIND_TEST_MONGO_URL")
    if given:
        yield given
        return
    with start_mongo(tmp_path_factory.mktemp("mongo")) as url:
        yield url


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker's URL: SAMPLEMIND_TEST_REDIS_URL, or the embedded server. Use a key prefix of your own in it."""
    given = os.environ.get("SAMPLEMIND_TEST_REDIS_URL")
    if given:
        yield given
        return
    with start_valkey(tmp_path_factory.mktemp("valkey")) as url:
        yield url


@pytest.fixture(scope="session")
def chroma_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A vector index's URL: SAMPLEMIND_TEST_CHROMA_URL, or the embedded server. Use collections of your own in it."""
    given = os.environ.get("SAMPLEMIND_TEST_CHROMA_URL")
    if given:
        yield given
        return
    with start_chroma(tmp_path_factory.mktemp("chroma")) as url:
        yield url


@pytest.fixture(scope="session")
def s3_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An S3 server's URL. Use a bucket of your own in it: `tests.s3.filled`."""
    with running(s3_server(tmp_path_factory.mktemp("s3"))) as server:
        yield server.url
