"""The journal of the fault matrix: what it takes for done, and what the page makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.journal import Journal, Proof
from tests.faults.matrix import SCENARIOS
from tests.faults.report import write_page
from tests.faults.scenario import Outcome
from tests.faults.without import SAFEGUARDS

HELD = Outcome("F1", 3, 5000, 2.5, (), 40.0, ("a note",))
LOST = Outcome("F2", 0, 5000, 180.0, ("lost: 7 of 5000 files never ended, the job is running for ever",), 220.0)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    journal = Journal(tmp_path / "journal.jsonl", "now")
    journal.add(HELD)
    journal.add(LOST)
    journal.add(Proof("F1", "a lease ends", "never", ("lost: 40 of 300 files",), 1))
    return journal


def test_only_what_held_with_the_same_sources_is_not_done_again(journal: Journal) -> None:
    assert journal.has("F1", 3, 5000)
    assert not journal.has("F1", 4, 5000)
    assert not journal.has("F1", 3, 300)
    assert not journal.has("F2", 0, 5000)
    assert not Journal(journal.path, "later").has("F1", 3, 5000)


def test_a_line_cut_short_is_passed_over_and_does_not_spoil_the_next(journal: Journal) -> None:
    with journal.path.open("ab") as file:
        file.write(b'{"kind": "Outcome", "scen')
    journal.add(Outcome("F3", 0, 5000, 1.0, ()))
    assert journal.has("F3", 0, 5000)
    assert [outcome.scenario for _, outcome in journal.outcomes()] == ["F1", "F2", "F3"]


def test_the_page_says_what_was_lost_and_what_was_not_run(journal: Journal) -> None:
    page = journal.path.with_name("page.md")
    write_page(page, SCENARIOS, journal)
    rows = {line.split(" | ")[0].strip("| "): line for line in page.read_text().splitlines() if line.startswith("| F")}
    assert "lost: 40 of 300 files" in rows["F1"]  # of the second table, which has the same names
    assert "7 of 5000" in page.read_text()
    assert "not run" in page.read_text()
    assert "F1, seed 3: a note" in page.read_text()


def test_every_scenario_has_a_safeguard_to_switch_off() -> None:
    assert {one.name for one in SCENARIOS} == set(SAFEGUARDS)
