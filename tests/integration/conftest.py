"""One cluster for the tests that leave it as they found it; those that break things start their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.cluster import Cluster, running
from tests.integration.material import make_library


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Loops with known tempo, one-shots with known note, duplicates, and everything broken that we know of."""
    return make_library(tmp_path_factory.mktemp("library"))


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory, library: Path) -> Iterator[Cluster]:
    """A cluster with `library` as its root of that name."""
    with running(tmp_path_factory.mktemp("cluster") / "data", {"library": library}) as cluster:
        yield cluster
