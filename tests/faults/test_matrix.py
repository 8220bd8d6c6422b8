"""Every fault of the matrix once, small. ``make faults`` runs them all with ten seeds and 5,000 files."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.matrix import SCENARIOS
from tests.faults.plant import Plant, started_plant
from tests.faults.scenario import Scenario, run

pytestmark = [pytest.mark.integration, pytest.mark.faults, pytest.mark.timeout(600)]

FILES = 300


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """One for all: what a fault leaves behind would be met by the next."""
    with started_plant(tmp_path_factory.mktemp("plant")) as plant:
        yield plant


@pytest.mark.parametrize("one", [one for one in SCENARIOS if one.quick], ids=lambda one: one.name)
def test_nothing_is_lost_and_nothing_is_done_twice(plant: Plant, one: Scenario) -> None:
    outcome = run(one, plant, files=FILES, seed=0)
    assert outcome.wrong == (), one.title
