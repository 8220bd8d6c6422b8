"""The gateway under test, over memory twins."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.gateway import Gateway, make_gateway


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway on loopback without any key, asked from this machine."""
    made = make_gateway(tmp_path)
    with made.client:
        yield made
