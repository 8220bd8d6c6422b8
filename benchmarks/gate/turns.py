"""Head and base in turns, and how sure one may be of what came of it."""

from __future__ import annotations

import math
import random
import statistics
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Protocol

SLOWER = 1.10
"""A ratio that is beyond this for sure is a regression."""
MUST_BE_SEEN = 1.30
"""A case of which not even this can be ruled out was measured too badly to say anything."""
SURE = 0.99
RESAMPLES = 1000


class Side(Protocol):
    """What is measured."""

    @property
    def cases(self) -> Sequence[str]: ...
    def calls(self, case: str) -> int: ...
    def seconds(self, case: str, calls: int) -> float: ...
    def close(self) -> None: ...


Start = Callable[[], tuple[Side, Side]]
"""Head and base, each in a new process."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Seconds a call of both, one right after the other."""

    launch: int
    head_s: float
    base_s: float


@dataclass(frozen=True, slots=True)
class Ratio:
    """Head's time as a multiple of base's, and between what it lies with `SURE` probability."""

    ratio: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """``slower``, ``faster``, ``same``, or ``unclear``."""
        if self.low > SLOWER:
            return "slower"
        if self.high < 1 / SLOWER:
            return "faster"
        return "unclear" if self.high > MUST_BE_SEEN else "same"


def in_turns(
    start: Start, launches: int, rounds: int, only: Sequence[str] | None = None
) -> tuple[dict[str, list[Pair]], list[str]]:
    """Pairs of every case that both sides have (of `only` where given), and the cases that one alone has.

    Each launch is two new processes: where the linker, the allocator and the hash seed put things is luck, of up to a
    tenth, that lasts as long as a process does. Within one, who is first changes from round to round.
    """
    pairs: dict[str, list[Pair]] = {}
    alone: list[str] = []
    for launch in range(launches):
        print(f"processes {launch + 1} of {launches}, {rounds} rounds of {only or 'every case'}", file=sys.stderr)
        with ExitStack() as over:
            head, base = start()
            over.callback(head.close)
            over.callback(base.close)
            shared = [case for case in head.cases if case in base.cases and (only is None or case in only)]
            alone = sorted(set(head.cases) ^ set(base.cases))
            calls = {case: max(head.calls(case), base.calls(case)) for case in shared}
            for turn in range(rounds):
                for case in shared:
                    pairs.setdefault(case, []).append(_pair(head, base, case, calls[case], launch, turn))
    return pairs, alone


def _pair(head: Side, base: Side, case: str, calls: int, launch: int, turn: int) -> Pair:
    if turn % 2:
        theirs, ours = base.seconds(case, calls), head.seconds(case, calls)
    else:
        ours, theirs = head.seconds(case, calls), base.seconds(case, calls)
    return Pair(launch, ours / calls, theirs / calls)


def ratio_of(pairs: Sequence[Pair]) -> Ratio:
    """The geometric mean over launches of each launch's median, bootstrapped over launches and the rounds in them.

    The same pairs give the same answer.
    """
    launches: dict[int, list[float]] = {}
    for pair in pairs:
        launches.setdefault(pair.launch, []).append(math.log(pair.head_s / pair.base_s))
    groups, chance = list(launches.values()), random.Random(1)

    def drawn() -> float:
        picked = (chance.choice(groups) for _ in groups)
        return statistics.fmean(statistics.median(chance.choices(group, k=len(group))) for group in picked)

    draws = sorted(drawn() for _ in range(RESAMPLES))
    outside = round((1 - SURE) / 2 * RESAMPLES)
    middle = statistics.fmean(statistics.median(group) for group in groups)
    return Ratio(*(math.exp(value) for value in (middle, draws[outside], draws[-1 - outside])))
