"""How things are compared: CPU time, in turns, with what it scattered.

CPU time of this process, not wall time: a neighbour on the machine then costs cache, not the result. In turns: drift
(clock speed, neighbours) falls on both alike. The garbage collector waits.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

SAMPLE_S = 0.004
"""Calls are repeated until a sample lasts so long: the clock ticks in microseconds."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Microseconds a call: the median, and half the interquartile range as a share of it."""

    us: float
    spread: float


def calls_for_a_sample(call: Callable[[], object]) -> int:
    """How many calls last `SAMPLE_S`; the first, which may compile, is not counted."""
    call()
    n = 1
    while True:
        spent = cpu_seconds(call, n)
        if spent >= SAMPLE_S:
            return n
        n = max(2 * n, int(n * 1.2 * SAMPLE_S / max(spent, 1e-6))) if spent > SAMPLE_S / 10 else 10 * n


def cpu_seconds(call: Callable[[], object], n: int) -> float:
    """CPU seconds of `n` calls."""
    started = time.process_time()
    for _ in range(n):
        call()
    return time.process_time() - started


def in_turns(calls: list[Callable[[], object]], repeats: int) -> list[Timing]:
    """Time every call `repeats` times, one after the other, so that all meet the same machine."""
    counts = [calls_for_a_sample(call) for call in calls]
    samples: list[list[float]] = [[] for _ in calls]
    gc.collect()
    gc.disable()
    try:
        for _ in range(repeats):
            for call, n, taken in zip(calls, counts, samples, strict=True):
                taken.append(cpu_seconds(call, n) / n * 1e6)
    finally:
        gc.enable()
    return [_summary(taken) for taken in samples]


def _summary(taken: list[float]) -> Timing:
    low, middle, high = statistics.quantiles(taken, n=4)
    return Timing(us=middle, spread=(high - low) / 2 / middle)


@dataclass(frozen=True)
class Case:
    """One comparison. `claim` is the seed's ratio, None where it made none."""

    row: str
    what: str
    ours: Callable[[], Any]
    reference_name: str
    reference: Callable[[], Any] | None
    claim: float | None
    agree: Callable[[Any, Any], bool]


@dataclass(frozen=True)
class Result:
    """What was measured of a case, in microseconds of CPU time a call; spreads are shares."""

    row: str
    what: str
    reference_name: str
    ours_us: float
    ours_spread: float
    reference_us: float | None
    reference_spread: float | None
    ratio: float | None
    claim: float | None
    reached: bool | None
    note: str


def measure(case: Case, repeats: int) -> Result:
    """Compare the answers, then the times."""
    if case.reference is None:
        (ours,) = in_turns([case.ours], repeats)
        note = "the reference is not installed here: nothing to compare with"
        return Result(
            case.row, case.what, case.reference_name, ours.us, ours.spread, None, None, None, case.claim, None, note
        )
    note = "" if case.agree(case.ours(), case.reference()) else "THE ANSWERS DIFFER"
    ours, reference = in_turns([case.ours, case.reference], repeats)
    ratio = reference.us / ours.us
    reached = None if case.claim is None else ratio >= case.claim and not note
    return Result(
        row=case.row,
        what=case.what,
        reference_name=case.reference_name,
        ours_us=ours.us,
        ours_spread=ours.spread,
        reference_us=reference.us,
        reference_spread=reference.spread,
        ratio=ratio,
        claim=case.claim,
        reached=reached,
        note=note,
    )


def optional(name: str) -> Any:
    """The module, or None where it is not installed."""
    try:
        return import_module(name)
    except ModuleNotFoundError:
        return None


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table, padded so that it reads well in a terminal too."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [head, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) + " |" for line in lines
    )
