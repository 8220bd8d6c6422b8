"""One cluster for the tests that leave it as they found it; those that break things start their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.cluster import Cluster, running
from tests.integration.collector import Collector, collecting
from tests.integration.material import make_library, make_short_files


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
def cluster(tmp_path_factory: pytest.TempPathFactory, library: Path, collector: Collector) -> Iterator[Cluster]:
    """A cluster with `library` as its root of that name, and a root `fresh` for a job that nobody else submits."""
    fresh = tmp_path_factory.mktemp("fresh")
    make_short_files(fresh, 3, seed=77)
    roots, traced = {"library": library, "fresh": fresh}, {"SAMPLEMIND_TRACING__ENDPOINT": collector.url}
    with running(tmp_path_factory.mktemp("cluster") / "data", roots, environment=traced) as cluster:
        yield cluster
