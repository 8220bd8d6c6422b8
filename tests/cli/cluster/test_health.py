"""When a part that runs is replaced: not too late, and not because a machine slept."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from cli.cluster.health import CHECK_S, Rounds, Unanswered
from stores.memory import ManualClock
from tasks.signs import Signs, path_of
from tests.cli.cluster.test_supervisor import SLEEP, part, soon, supervise


def test_a_server_that_answers_no_more_is_stuck_after_a_while() -> None:
    clock = ManualClock()
    asked = Unanswered(30, clock)
    said = ""
    for _ in range(10):
        said = asked.after(answered=False)
        clock.advance(4)
        assert said == ""
    assert asked.after(answered=False) == "has not answered for 40 s"
    assert asked.after(answered=True) == ""
    assert asked.after(answered=False) == ""


def test_one_lost_answer_before_a_long_sleep_and_one_behind_it_say_nothing() -> None:
    clock = ManualClock()
    asked = Unanswered(30, clock)
    asked.after(answered=False)
    clock.advance(3600)
    assert asked.after(answered=False) == ""


def test_nobody_is_looked_at_for_a_while_after_the_machine_slept() -> None:
    clock = ManualClock()
    rounds = Rounds(clock)
    assert rounds.due()
    clock.advance(CHECK_S / 2)
    assert not rounds.due()
    clock.advance(CHECK_S)
    assert rounds.due()
    clock.advance(3600)
    assert not rounds.due()
    for _ in range(9):
        clock.advance(CHECK_S)
        assert not rounds.due()
    clock.advance(CHECK_S)
    assert rounds.due()


def test_a_part_whose_signs_say_that_it_is_stuck_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cli.cluster import health

    monkeypatch.setattr(health, "CHECK_S", 0.05)
    signs = tmp_path / "signs"
    signs.mkdir()
    supervisor, book = supervise(tmp_path, part("a", SLEEP, signs=(signs, "worker")))

    def stuck() -> None:
        process = supervisor.processes["a"]
        assert process.pid is not None
        os.symlink(_stuck(tmp_path), path_of(signs, "worker", process.pid))

    supervisor.on_all_ready = stuck
    seen: list[str] = []
    supervisor.on_stuck = lambda process, trouble: seen.append(trouble)
    soon(supervisor, lambda: book.said.count(("ready", "a")) == 2)
    supervisor.run()
    assert ("stuck", "a", "waits for ever") in book.said
    assert ("died", "a", "was ended by SIGKILL") in book.said
    assert seen == ["waits for ever"]


def test_a_part_that_answers_no_more_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cli.cluster import health

    monkeypatch.setattr(health, "CHECK_S", 0.05)
    monkeypatch.setattr(health, "MORE_S", 0)
    answers = [True]
    silent = replace(part("a", SLEEP, patience_s=0.2), ready=lambda: bool(answers))
    supervisor, book = supervise(tmp_path, silent)
    supervisor.on_all_ready = answers.clear
    supervisor.on_death = lambda process, code: answers.append(True)
    soon(supervisor, lambda: book.said.count(("ready", "a")) == 2)
    supervisor.run()
    assert [each[0] for each in book.said] == ["ready", "stuck", "died", "ready", "stopping"]


def _stuck(folder: Path) -> Path:
    signs = Signs.begin(folder / "other", "worker")
    signs.beat()
    signs.stuck("waits for ever")
    assert signs.path is not None
    return signs.path
