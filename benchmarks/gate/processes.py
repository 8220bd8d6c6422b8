"""The two sides as processes, and where their code lies: this tree, and a worktree of the base."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from config.environment import THREAD_CAPS, child_environment

PROJECT = Path(__file__).resolve().parents[2]


class CannotCompare(Exception):
    """Nothing was measured; the text says why."""


class Process:
    """A side: `benchmarks.gate.side` over the code in `tree`."""

    def __init__(self, tree: Path, asked: Mapping[str, Any]) -> None:
        self._tree = tree
        script = PROJECT / "benchmarks" / "gate" / "side.py"
        told = json.dumps({**asked, "benchmarks": str(PROJECT / "benchmarks")})
        # -P: not the script's own folder, where a module may be called like one of Python's
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(script), told],
            cwd=tree,
            env=child_environment(None, **{**THREAD_CAPS, "PYTHONPATH": str(tree), "TMPDIR": str(asked["folder"])}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._cases: list[str] | None = None
        self.missing: dict[str, str] = {}

    @property
    def cases(self) -> Sequence[str]:
        """What it can measure, once it is loaded; kernels that were never compiled take a minute."""
        if self._cases is None:
            first = self._read()
            self._cases, self.missing = first["cases"], first["missing"]
        return self._cases

    def calls(self, case: str) -> int:
        """How many calls make a sample of the case."""
        return int(self._ask({"case": case})["calls"])

    def seconds(self, case: str, calls: int) -> float:
        """CPU seconds of so many calls."""
        return float(self._ask({"case": case, "calls": calls})["seconds"])

    def answers(self, labels: Path) -> list[dict[str, Any]]:
        """What it says of every labelled file."""
        return list(self._ask({"labels": str(labels)})["said"])

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.close()
            self._process.wait(30)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self.cases is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise CannotCompare(f"the process that measures {self._tree} has ended; see above") from error
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise CannotCompare(f"the process that measures {self._tree} has ended; see above")
        return dict(json.loads(line))


def git(*arguments: str) -> str:
    """What git says.

    Raises
    ------
    CannotCompare
        It says no.
    """
    done = subprocess.run(["git", "-C", str(PROJECT), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotCompare(f"git {arguments[0]}: {done.stderr.strip()}")
    return done.stdout.strip()


@contextmanager
def worktree(commit: str, folder: Path, *, keep: bool) -> Iterator[Path]:
    """The files of `commit` in `folder`; left there where they shall be kept, for kernels are compiled once a place."""
    if (folder / ".git").exists():
        git("-C", str(folder), "checkout", "--quiet", "--detach", "--force", commit)
    else:
        git("worktree", "add", "--quiet", "--detach", "--force", str(folder), commit)
    try:
        yield folder
    finally:
        if not keep:
            git("worktree", "remove", "--force", str(folder))
