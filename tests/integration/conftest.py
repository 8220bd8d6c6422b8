"""One cluster for the tests that leave it as they found it; those that break things start their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.proxy import Proxy
from tests.integration.cluster import Cluster, running
from tests.integration.collector import Collector, collecting
from tests.integration.material import make_library, make_short_files
from tests.servers import Server, s3_server
from tests.servers import running as running_server

PACKS = "packs"
"""A root in a bucket of this name, behind this prefix."""


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Loops with known tempo, one-shots with known note, duplicates, and everything broken that we know of."""
    return make_library(tmp_path_factory.mktemp("library"))


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """Takes the traces of `cluster`."""
    with collecting() as collector:
        yield collector


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The S3 server of the cluster's root `packs`."""
    with running_server(s3_server(tmp_path_factory.mktemp("s3"))) as server:
        yield server


@pytest.fixture(scope="session")
def link(store: Server) -> Iterator[Proxy]:
    """The cluster's way to it."""
    with Proxy(store.port) as link:
        yield link


@pytest.fixture(scope="session")
def cluster(
    tmp_path_factory: pytest.TempPathFactory, library: Path, link: Proxy, collector: Collector
) -> Iterator[Cluster]:
    """A cluster with `library` as its root of that name, a root `fresh` for a job that nobody else submits, and a
    bucket."""
    fresh = tmp_path_factory.mktemp("fresh")
    make_short_files(fresh, 3, seed=77)
    roots = {"library": library, "fresh": fresh, PACKS: f"s3://{PACKS}/{PACKS}"}
    environment = {
        "SAMPLEMIND_TRACING__ENDPOINT": collector.url,
        "SAMPLEMIND_S3__ENDPOINT": f"http://127.0.0.1:{link.port}",
        "SAMPLEMIND_S3__ACCESS_KEY_ID": "ada",
        "SAMPLEMIND_S3__SECRET_ACCESS_KEY": "never-in-a-log",
        "SAMPLEMIND_S3__TRIES": "2",
        "SAMPLEMIND_S3__LATER_S": "2",
    }
    with running(tmp_path_factory.mktemp("cluster") / "data", roots, environment=environment) as cluster:
        yield cluster
