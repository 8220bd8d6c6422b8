"""The matrix as a table, and as the page that the docs show."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from tests.faults.scenario import Outcome, Scenario

_HEAD = """# What was injected, and what came of it

Written by `make faults`; do not edit. Each row: a cluster of real processes, every server behind a proxy, a job of
{files} files (94 % good, 2 % the same again, 4 % poisonous), the fault at random moments of it, {seeds} times with
different seeds. After each, the oracle asks: has every file ended exactly once; is there one sample for each content,
with the answer that the analysis gives without a cluster; does the index hold all vectors and nothing else; was the end
said once; are the queues empty, no chunk open, no process, memory or descriptor left. *Recovery* is the longest time
from the end of the fault to the end of the job. Measured on {machine}, {cores} cores.

"""


def table(scenarios: Sequence[Scenario], outcomes: Sequence[Outcome]) -> str:
    """A row for each scenario, in Markdown."""
    rows = ["| | fault | holds | recovery | what was wrong |", "|---|---|---|---|---|"]
    for one in scenarios:
        of_it = [outcome for outcome in outcomes if outcome.scenario == one.name]
        held = sum(not outcome.wrong for outcome in of_it)
        worst = max((outcome.recovery_s for outcome in of_it), default=0.0)
        wrong = "; ".join(sorted({sentence.splitlines()[0] for outcome in of_it for sentence in outcome.wrong}))
        rows.append(f"| {one.name} | {one.title} | {held} of {len(of_it)} | {worst:.1f} s | {wrong} |")
    return "\n".join(rows)


def write_page(path: Path, scenarios: Sequence[Scenario], outcomes: Sequence[Outcome], machine: str) -> None:
    """Write the docs' page."""
    files = max(outcome.files for outcome in outcomes)
    seeds = max(outcome.seed for outcome in outcomes) + 1
    head = _HEAD.format(files=f"{files:,}", seeds=seeds, machine=machine, cores=os.cpu_count())
    path.write_text(head + table(scenarios, outcomes) + "\n")
