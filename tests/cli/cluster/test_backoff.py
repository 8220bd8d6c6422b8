from __future__ import annotations

from cli.cluster.backoff import FIRST_S, LONGEST_S, STEADY_S, Backoff


def test_pauses_double_up_to_the_longest() -> None:
    backoff = Backoff()
    pauses = [backoff.after(0.1) for _ in range(10)]
    assert pauses[:3] == [FIRST_S, 2 * FIRST_S, 4 * FIRST_S]
    assert pauses[-1] == LONGEST_S
    assert backoff.deaths == 10


def test_a_steady_life_forgives_earlier_deaths() -> None:
    backoff = Backoff()
    for _ in range(5):
        backoff.after(0.1)
    assert backoff.after(STEADY_S) == FIRST_S
