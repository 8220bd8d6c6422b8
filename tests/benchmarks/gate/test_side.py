"""Two real trees in processes of their own: this one, and one whose queue path does each hash three times."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from benchmarks.compare import NOT_COMPARED, main
from benchmarks.gate.processes import PROJECT, CannotCompare, Process
from benchmarks.gate.turns import in_turns, ratio_of


@pytest.fixture
def slow_tree(tmp_path: Path) -> Path:
    """What the queue path needs of this tree, and a hash that is made again and again."""
    tree = tmp_path / "slow"
    for name in ("config", "stores", "tasks", "workers", "tests/tasks"):
        shutil.copytree(PROJECT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", "learned", "*.bin"))
    opened = tree / "tasks" / "opened.py"
    text = opened.read_text()
    opened.write_text(
        text + "\n_once = content_hash\n\n\ndef content_hash(fd):\n    return [_once(fd) for _ in range(20)][0]\n"
    )
    return tree


def asked(folder: Path, *parts: str) -> dict[str, Any]:
    folder.mkdir(exist_ok=True)
    return {"parts": list(parts), "folder": str(folder), "files": {}}


def test_a_slower_queue_path_is_seen_in_real_processes(slow_tree: Path, tmp_path: Path) -> None:
    folder = tmp_path / "work"

    def start() -> tuple[Process, Process]:
        return Process(slow_tree, asked(folder, "queue")), Process(PROJECT, asked(folder, "queue"))

    case = "queue: new files, in memory"
    pairs, alone = in_turns(start, 1, 3, [case])
    assert ratio_of(pairs[case]).verdict == "slower"
    assert not alone


def test_a_tree_that_lacks_what_is_called_is_said_to(tmp_path: Path) -> None:
    side = Process(tmp_path, asked(tmp_path / "work", "queue"))
    try:
        assert not side.cases
        assert "No module named 'config'" in side.missing["queue"]
    finally:
        side.close()


def test_a_side_that_ends_is_no_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    side = Process(PROJECT, asked(tmp_path / "work"))
    assert not side.cases
    with pytest.raises(CannotCompare, match="has ended"):
        side.calls("no such case")
    side.close()


def test_a_base_that_is_none_compares_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--base", "no-such-commit"]) == NOT_COMPARED
    assert "Nothing was compared" in capsys.readouterr().err
