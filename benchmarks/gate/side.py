"""One side of a comparison: a process that holds one tree's code and measures what it is told, when it is told.

Started by `benchmarks.gate.processes` with the tree on its path. How it is measured (`benchmarks`) always comes from
the tree that asks, so that both sides do the same; what is measured comes from the tree. Speaks lines of JSON: first
the names of its cases, then one answer to each request, until its input ends.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import IO, Any

SAMPLE_S = 0.015
"""A sample lasts about so long: the clock's steps and the request itself then weigh nothing."""

Sample = Callable[[int], float]
"""(calls) -> seconds of CPU time that they took, all processes together."""


def main() -> None:
    """Answer until the input ends."""
    asked = json.loads(sys.argv[1])
    # whatever prints, prints to standard error: this is for answers
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)
        take_benchmarks_from(Path(asked["benchmarks"]))
        cases, missing = found(asked)
        say(answers, {"cases": list(cases), "missing": missing})
        for line in sys.stdin:
            say(answers, answer(json.loads(line), cases))


def take_benchmarks_from(folder: Path) -> None:
    """Let ``import benchmarks`` find `folder`, whatever lies in the tree on the path."""
    package = ModuleType("benchmarks")
    package.__path__ = [str(folder)]
    sys.modules["benchmarks"] = package


def say(answers: IO[str], what: dict[str, Any]) -> None:
    """One line, at once."""
    answers.write(json.dumps(what) + "\n")
    answers.flush()


def found(asked: dict[str, Any]) -> tuple[dict[str, Sample], dict[str, str]]:
    """The cases of each part that is asked for, and why a part cannot be measured in this tree."""
    cases: dict[str, Sample] = {}
    missing: dict[str, str] = {}
    for part in asked["parts"]:
        try:
            module = import_module(f"benchmarks.gate.{part}")
            cases |= {f"{part}: {name}": sample for name, sample in module.samples(asked)}
        except (ImportError, AttributeError, TypeError, ValueError) as error:
            # an older tree may lack what today's benchmarks call: that part is then new, and has nothing to fall behind
            missing[part] = f"{type(error).__name__}: {error}"
    return cases, missing


def answer(request: dict[str, Any], cases: dict[str, Sample]) -> dict[str, Any]:
    """What a request gives: how many calls make a sample, a sample's seconds, or what is said of labelled files."""
    if "labels" in request:
        return {"said": list(answered(Path(request["labels"])))}
    sample = cases[request["case"]]
    if "calls" in request:
        return {"seconds": quietly(sample, request["calls"])}
    quietly(sample, 1)  # the first one loads, and is not counted
    return {"calls": max(1, round(SAMPLE_S / max(quietly(sample, 1), 1e-7)))}


def quietly(sample: Sample, calls: int) -> float:
    """A sample during which no garbage is collected, and before which it was."""
    gc.collect()
    gc.disable()
    try:
        return sample(calls)
    finally:
        gc.enable()


def answered(labels: Path) -> Iterator[dict[str, object]]:
    """What this tree says of every labelled file."""
    from benchmarks.answers import ask_us
    from benchmarks.labels import read_labels

    for each in ask_us(read_labels(labels)):
        yield each.said.to_dict()


def own_cpu(call: Callable[[], object]) -> Sample:
    """Samples of a call by this process's own clock."""

    def sample(calls: int) -> float:
        began = time.process_time()
        for _ in range(calls):
            call()
        return time.process_time() - began

    return sample


if __name__ == "__main__":
    main()
