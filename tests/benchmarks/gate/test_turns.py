"""The gate with sides whose times are made up: it is quiet where nothing changed, and sees what became slower."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import pytest

from benchmarks.compare import speeds
from benchmarks.gate.turns import Pair, Start, in_turns, ratio_of

CASES = {"kernels: K1": 1e-6, "kernels: K9": 2e-4, "pipeline: loop": 0.014, "queue: new files, on the ledger": 0.4}


class Told:
    """A side with a clock of its own: neighbours, drift, and the luck of where things lie in this process."""

    def __init__(self, chance: random.Random, machine: list[float], slower: Mapping[str, float]) -> None:
        self._chance, self._machine, self._slower = chance, machine, slower
        self._luck = {case: chance.gauss(1, 0.02) for case in CASES}
        self.closed = False

    @property
    def cases(self) -> Sequence[str]:
        return list(CASES)

    def calls(self, case: str) -> int:
        return max(1, round(0.015 / CASES[case]))

    def seconds(self, case: str, calls: int) -> float:
        self._machine[0] *= self._chance.gauss(1, 0.01)
        neighbour = 1.5 if self._chance.random() < 0.05 else 1.0
        noise = self._chance.gauss(1, 0.04) * neighbour * self._machine[0] * self._luck[case]
        return CASES[case] * calls * noise * self._slower.get(case, 1.0)

    def close(self) -> None:
        self.closed = True


def sides(seed: int, **slower: float) -> Start:
    """Pairs of processes on one machine; head is slower by so much at cases that begin so."""
    chance, machine = random.Random(seed), [1.0]
    named = {case: factor for start, factor in slower.items() for case in CASES if case.startswith(start)}
    return lambda: (Told(chance, machine, named), Told(chance, machine, {}))


def found(start: Start, verdict: str) -> set[str]:
    rows, _ = speeds(start, 3, 7)
    return {row.case for row in rows if row.ratio.verdict == verdict}


def test_the_same_commit_raises_no_alarm_in_twenty_runs() -> None:
    for seed in range(20):
        assert not found(sides(seed), "slower"), seed


@pytest.mark.parametrize("part", ["kernels", "queue", "pipeline"])
def test_a_third_more_is_seen_each_time_and_only_there(part: str) -> None:
    for seed in range(10):
        assert found(sides(seed, **{part: 1.3}), "slower") == {case for case in CASES if case.startswith(part)}, seed


def test_what_became_faster_is_no_alarm() -> None:
    assert found(sides(1, kernels=0.6), "faster") == {"kernels: K1", "kernels: K9"}
    assert not found(sides(1, kernels=0.6), "slower")


def test_a_first_look_alone_decides_nothing() -> None:
    """Slow in the first three launches by bad luck, never again."""
    launches = [sides(1, queue=1.5)] * 3 + [sides(2)] * 3
    rows, _ = speeds(lambda: launches.pop(0)(), 3, 7)
    row = next(row for row in rows if row.case.startswith("queue"))
    assert (row.ratio.verdict, row.looks) == ("same", 2)


def test_noise_is_told_from_sameness() -> None:
    chance = random.Random(5)
    wild = [Pair(n // 5, chance.uniform(0.5, 2), chance.uniform(0.5, 2)) for n in range(15)]
    assert ratio_of(wild).verdict == "unclear"
    assert ratio_of(wild) == ratio_of(wild)


def test_who_is_first_changes_and_every_process_is_ended() -> None:
    order: list[str] = []
    made: list[Told] = []

    class Watched(Told):
        def __init__(self, name: str) -> None:
            super().__init__(random.Random(1), [1.0], {})
            self.name = name
            made.append(self)

        def seconds(self, case: str, calls: int) -> float:
            order.append(self.name)
            return super().seconds(case, calls)

    pairs, alone = in_turns(lambda: (Watched("head"), Watched("base")), 2, 2, ["kernels: K1"])
    assert order == ["head", "base", "base", "head"] * 2
    assert [pair.launch for pair in pairs["kernels: K1"]] == [0, 0, 1, 1]
    assert not alone
    assert all(each.closed for each in made)
    assert len(made) == 4
