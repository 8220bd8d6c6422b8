"""Where the time goes is watched at functions that are there."""

from __future__ import annotations

import pytest

from benchmarks.stages import STAGES, Watch, as_markdown, found


@pytest.mark.parametrize("place", [place for places in STAGES.values() for place in places])
def test_every_stage_is_there(place: str) -> None:
    owner, name = found(place)
    assert callable(getattr(owner, name))


def test_a_stage_within_another_counts_for_the_outer_one() -> None:
    watch = Watch()
    inner = watch.stage("inner", lambda: watch.kernel(lambda: 3)())
    assert watch.stage("outer", lambda: inner())() == 3
    spent, compiled = watch.take()
    assert set(spent) == set(compiled) == {"outer"}
    assert 0 < compiled["outer"] <= spent["outer"]
    assert not watch.take()[0]


def test_shares_are_of_the_whole() -> None:
    text = as_markdown("hit", {"one": (30.0, 20.0), "two": (10.0, 0.0)}, {"hash": 5.0})
    assert "| 30 | 20         | 10   | 75 %" in text
    assert "**together**    | 40 | 20         | 20   | 100 %" in text
