"""Signs of life: what a process says of itself, and what others make of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stores.memory import ManualClock
from tasks.alive import check
from tasks.signs import START_S, Signs, path_of, replaced, seen, trouble_of
from tests.servers import PROJECT


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1000.0)


@pytest.fixture
def signs(clock: ManualClock, tmp_path: Path) -> Signs:
    path = path_of(tmp_path, "worker", os.getpid())
    Signs.begin(tmp_path, "worker")
    ours = Signs(path, clock=clock)
    ours.beat()
    return ours


def test_a_process_that_beats_gets_on_and_one_that_is_silent_is_frozen(signs: Signs, clock: ManualClock) -> None:
    clock.advance(29)
    assert signs.trouble() == ""
    clock.advance(2)
    assert signs.trouble() == "has not moved for 31 s"
    signs.beat()
    assert signs.trouble() == ""


def test_what_a_process_knows_to_be_wrong_with_itself_is_told_and_taken_back(signs: Signs) -> None:
    signs.stuck("takes no work, naïvely " + "é" * 200)
    assert signs.trouble().startswith("takes no work, naïvely é")
    signs.stuck("")
    assert signs.trouble() == ""


def test_a_process_may_take_its_time_to_start_but_not_for_ever(tmp_path: Path) -> None:
    signs = Signs.begin(tmp_path, "index")
    assert signs.path is not None
    assert trouble_of(signs.path) == ""
    late = Signs(signs.path, clock=lambda: signs._clock() + START_S + 1)
    assert late.trouble() == "did not start within 180 s"


def test_a_step_is_due_after_the_patience_and_what_longer_it_may_take(signs: Signs, clock: ManualClock) -> None:
    signs.step(100)
    clock.advance(139)
    assert signs.late_s() < 0
    clock.advance(2)
    assert signs.late_s() == pytest.approx(1)
    signs.rest()
    assert signs.resting
    assert signs.late_s() == 0


def test_signs_of_processes_that_are_gone_do_not_count(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    path_of(tmp_path, "worker", gone.pid).write_bytes(bytes(304))
    path_of(tmp_path, "index", os.getpid()).write_bytes(b"half")
    Signs.begin(tmp_path, "reconciler")
    assert [(each.part, each.pid) for each in seen(tmp_path)] == [("reconciler", os.getpid())]
    assert list(seen(tmp_path / "none")) == []


def test_signs_go_with_a_process_that_leaves_in_order(signs: Signs, tmp_path: Path) -> None:
    signs.end()
    assert list(seen(tmp_path)) == []


def test_a_folder_that_cannot_be_written_is_no_reason_not_to_work(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    signs = Signs.begin(tmp_path / "file", "worker")
    signs.beat()
    assert signs.trouble() == ""


def test_how_often_parts_were_replaced_is_read_where_somebody_wrote_it(tmp_path: Path) -> None:
    assert replaced(tmp_path) == {}
    (tmp_path / "replaced.json").write_text('{"worker-0": 2}')
    assert replaced(tmp_path) == {"worker-0": 2}
    (tmp_path / "replaced.json").write_text("[1")
    assert replaced(tmp_path) == {}


def test_the_health_check_says_who_does_not_get_on(tmp_path: Path) -> None:
    assert check(tmp_path, "worker") == (False, [f"No worker has left a sign of life in {tmp_path}."])
    signs = Signs.begin(tmp_path, "worker")
    signs.beat()
    assert check(tmp_path, "worker") == (True, [f"worker (process {os.getpid()}) gets on."])
    signs.stuck("takes no work although 3 messages wait")
    well, said = check(tmp_path, None)
    assert not well
    assert said == [f"worker (process {os.getpid()}) takes no work although 3 messages wait."]


def test_the_health_check_is_cheap(tmp_path: Path) -> None:
    """It runs every few seconds on every core: nothing beside the standard library, and its exit code says all."""
    Signs.begin(tmp_path, "worker").beat()
    code = "import sys; sys.argv[1:] = ['worker', '--signs-dir', sys.argv[1]]\n"
    code += "from tasks.alive import main; code = main()\n"
    code += "assert not {'pydantic', 'celery', 'redis', 'pymongo', 'structlog'} & sys.modules.keys(); sys.exit(code)"
    said = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=PROJECT, capture_output=True, check=False)
    assert said.returncode == 0, said.stderr
