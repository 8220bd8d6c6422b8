"""The matrix as a table, and as the page that the docs show."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.faults.journal import Journal, Proof
from tests.faults.scenario import Outcome, Scenario

_CELL = 160
"""Letters of a sentence in a table."""
_HEAD = """# What was injected, and what came of it

Written by `make faults` from its journal; do not edit. Each row: a cluster of real processes, every server behind a
proxy and on a disk of its own, a job of so many files (94 % good, 2 % the same again, 4 % poisonous), and the fault
at random moments of it, with different seeds. After each trial the oracle asks: has every file ended exactly once,
and what is broken with its own reason; is there one sample for each content, and is its answer byte for byte the one
that the analysis gives without a cluster; does each file say rightly whether it is the one that was analysed; does
the index hold all vectors and nothing else, and does each of them find itself; was the end said once; are the queues
empty, no chunk open, no process, memory or descriptor left.

*Lost*: what the oracle or the scenario itself found wrong, 0 where nothing was. *Twice*: rows or ends there were two
of. *Recovery* is the longest time from the end of the fault to the end of the job. What a row lacks of ten trials
with 5,000 files was not run yet: `make faults` goes on with it. Only the last of the ten trials of F16 lasts ten
minutes, and only that of F17 has a million files. {machine}

"""
_PROOFS = """
## Each safeguard, switched off

A test that cannot fail proves nothing. `python -m tests.faults --without` runs each scenario on some 300 files with
the one thing switched off that is to hold it up (a setting, or a function of the product changed in every process),
and the oracle has to complain.

"""


def table(scenarios: Sequence[Scenario], outcomes: Sequence[Outcome], proofs: Mapping[str, Proof]) -> str:
    """A row for each scenario, in Markdown."""
    head = ("", "injected", "trials", "files each", "lost", "twice", "recovery, s", "trial, s", "held by")
    rows = [_line(head), _line(["---"] * len(head))]
    for one in sorted(scenarios, key=lambda one: one.number):
        of_it = [outcome for outcome in outcomes if outcome.scenario == one.name]
        most = max((outcome.files for outcome in of_it), default=0)
        of_it = [outcome for outcome in of_it if outcome.files == most]
        rows.append(
            _line([one.name, one.title, *_figures(of_it), proofs[one.name].safeguard if one.name in proofs else ""])
        )
    return "\n".join(rows)


def _figures(of_it: Sequence[Outcome]) -> list[str]:
    if not of_it:
        return ["not run", "", "", "", "", ""]
    wrong = [sentence for outcome in of_it for sentence in outcome.wrong]
    twice = sum("twice" in sentence or "rows say" in sentence or "not each once" in sentence for sentence in wrong)
    worst, took = max(outcome.recovery_s for outcome in of_it), max(outcome.took_s for outcome in of_it)
    lost = "; ".join(sorted({_short(sentence) for sentence in wrong})) or "0"
    return [str(len(of_it)), f"{of_it[0].files:,}", lost, str(twice), f"{worst:.1f}", f"{took:.0f}"]


def proofs_table(scenarios: Sequence[Scenario], proofs: Mapping[str, Proof]) -> str:
    """What the oracle said without each safeguard, in Markdown."""
    head = ("", "safeguard", "switched off by", "what the oracle said then")
    rows = [_line(head), _line(["---"] * len(head))]
    for one in sorted(scenarios, key=lambda one: one.number):
        proof = proofs.get(one.name)
        said = "; ".join(_short(sentence) for sentence in proof.said) if proof else "not run"
        rows.append(_line([one.name, proof.safeguard if proof else "", proof.off if proof else "", said]))
    return "\n".join(rows)


def _short(sentence: str) -> str:
    """As much of a sentence as a cell of a table holds."""
    first = sentence.splitlines()[0]
    return first if len(first) <= _CELL else f"{first[:_CELL]}…"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def write_page(path: Path, scenarios: Sequence[Scenario], journal: Journal) -> None:
    """Write the docs' page from all that the journal has."""
    found = journal.outcomes()
    states = list(dict.fromkeys(sources for sources, _ in found))
    of_sources = f"{len(states)} states of the sources, the last of them {states[-1]}" if states else "no sources yet"
    machine = f"Measured on {platform.machine()}, {os.cpu_count()} cores, with {of_sources}."
    outcomes, proofs = [outcome for _, outcome in found], journal.proofs()
    notes = [f"* {o.scenario}, seed {o.seed}: {note}" for o in outcomes for note in o.notes if o.files >= 1000]
    page = _HEAD.format(machine=machine) + table(scenarios, outcomes, proofs) + "\n"
    page += "\n" + "\n".join(notes) + "\n" if notes else ""
    path.write_text(page + _PROOFS + proofs_table(scenarios, proofs) + "\n")
