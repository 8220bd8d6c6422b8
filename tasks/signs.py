"""Signs of life: a small file in which a process says that it gets on, for whoever may have to replace it.

A process that exists need not work: it may be frozen, wait for ever, or take no messages. So each of ours leaves in
``signs_dir/PART-PID`` when it last moved and how long it may be silent, and what it knows to be wrong with itself.
The supervisor of `up` and ``python -m tasks.alive`` read it. Memory that is mapped: a sign costs no system call, and
a reader needs neither the queue nor a database. Knows only the standard library, so that asking is cheap.

Times are of `time.monotonic`, which all processes of a machine share and no clock step moves.
"""

from __future__ import annotations

import json
import mmap
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final

PATIENCE_S: Final = 30.0
"""A process that has not moved for so long is frozen."""
_STEP_S: Final = 10.0
"""So much longer may one step take: a reply of a database that is waited for in vain takes 30 s."""
START_S: Final = 180.0
"""Longest from a process's start to its first heartbeat."""

REPLACED: Final = "replaced.json"
"""Beside the signs: how often the supervisor of `up` replaced which part, `{"worker-0": 2}`."""

_FIELDS: Final = 8
_WORDS: Final = 240
_SIZE: Final = _FIELDS * 8 + _WORDS


class _Field(IntEnum):
    PID = 0
    BEGAN = 1
    HEART = 2
    TURN = 3
    DUE = 4
    TASKS = 5
    STUCK = 6
    PATIENCE = 7


class Signs:
    """What one process (and its child) says of itself.

    Parameters
    ----------
    path : Path or None
        ``None``: nobody outside can look, as where the folder cannot be written.
    """

    def __init__(self, path: Path | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.path = path
        self._map = mmap.mmap(-1, _SIZE) if path is None else _mapped(path)
        # Aligned numbers of 8 bytes: a reader never sees half of one.
        self._numbers = memoryview(self._map)[: _FIELDS * 8].cast("d")

    @classmethod
    def begin(cls, folder: Path, part: str, patience_s: float = PATIENCE_S) -> Signs:
        """Those of this process, from now on. A folder that cannot be written is no reason not to work."""
        pid = os.getpid()
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path = path_of(folder, part, pid)
            path.unlink(missing_ok=True)  # of an earlier process of this number; it may still be mapped
            path.write_bytes(bytes(_SIZE))
            path.chmod(0o600)
            signs = cls(path)
        except OSError:
            signs = cls()
        signs._numbers[_Field.PID] = pid
        signs._numbers[_Field.BEGAN] = signs._clock()
        signs._numbers[_Field.PATIENCE] = patience_s
        return signs

    # -- what the process says
    def beat(self) -> None:
        """Its threads run."""
        self._numbers[_Field.HEART] = self._clock()

    def turn(self) -> None:
        """A worker's parent went round its loop."""
        self._numbers[_Field.TURN] = self._clock()

    def step(self, longer_s: float = 0.0) -> None:
        """It got on, and will again soon: the next step may take so much longer than usual, in seconds."""
        self._numbers[_Field.DUE] = self._clock() + self.patience_s + _STEP_S + longer_s

    def rest(self) -> None:
        """It waits for work: nothing is due."""
        self._numbers[_Field.DUE] = 0.0

    def task(self) -> None:
        """One more task was begun."""
        self._numbers[_Field.TASKS] += 1
        self.step()

    def stuck(self, why: str) -> None:
        """It sees itself that it does not get on; empty: it does."""
        words = why.encode()[:_WORDS].ljust(_WORDS, b"\0")
        self._map[_FIELDS * 8 :] = words
        self._numbers[_Field.STUCK] = float(bool(why))

    def end(self) -> None:
        """The process leaves in order."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    # -- what is asked
    @property
    def pid(self) -> int:
        return int(self._numbers[_Field.PID])

    @property
    def patience_s(self) -> float:
        """How long it may stand still, in seconds."""
        return float(self._numbers[_Field.PATIENCE])

    @property
    def tasks(self) -> int:
        """How many tasks were begun."""
        return int(self._numbers[_Field.TASKS])

    @property
    def resting(self) -> bool:
        """Whether nothing is due."""
        return self._numbers[_Field.DUE] == 0.0

    def late_s(self) -> float:
        """For how long a step has been overdue, in seconds; not positive: it is not."""
        due = self._numbers[_Field.DUE]
        return self._clock() - due if due else 0.0

    def unturned_s(self) -> float:
        """How long ago the parent last went round its loop, in seconds."""
        turned = self._numbers[_Field.TURN]
        return self._clock() - turned if turned else 0.0

    def trouble(self) -> str:
        """What is wrong with the process, in words; empty where it gets on."""
        now = self._clock()
        numbers = self._numbers
        heart, began = numbers[_Field.HEART], numbers[_Field.BEGAN]
        if not heart:
            return f"did not start within {START_S:.0f} s" if began and now - began > START_S else ""
        if now - heart > self.patience_s:
            return f"has not moved for {now - heart:.0f} s"
        if numbers[_Field.STUCK]:
            return bytes(self._map[_FIELDS * 8 :]).rstrip(b"\0").decode(errors="replace")
        return ""


@dataclass(frozen=True, slots=True)
class Seen:
    """A process, as its signs tell it."""

    part: str
    pid: int
    trouble: str
    """What is wrong with it; empty where it gets on."""


def _mapped(path: Path) -> mmap.mmap:
    fd = os.open(path, os.O_RDWR)
    try:
        return mmap.mmap(fd, _SIZE)
    finally:
        os.close(fd)


def path_of(folder: Path, part: str, pid: int) -> Path:
    """Where a process leaves its signs."""
    return folder / f"{part}-{pid}"


def trouble_of(path: Path) -> str | None:
    """What is wrong with the process of these signs, in words, empty where it gets on; ``None`` without signs."""
    try:
        return Signs(path).trouble()
    except (OSError, ValueError):  # it is gone, or not whole yet
        return None


def exists(pid: int) -> bool:
    """Whether there is a process of this number, whoever's it is."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True


def seen(folder: Path) -> Iterator[Seen]:
    """Every process that left its signs there and still exists."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        part, dash, pid = path.name.rpartition("-")
        if dash and pid.isdigit() and exists(int(pid)):
            trouble = trouble_of(path)
            if trouble is not None:
                yield Seen(part, int(pid), trouble)


def replaced(folder: Path) -> dict[str, int]:
    """How often each part was replaced because it did not get on, since `up` was started."""
    try:
        said = json.loads((folder / REPLACED).read_text())
    except (OSError, ValueError):
        return {}
    counts = said.items() if isinstance(said, dict) else ()
    return {str(part): count for part, count in counts if isinstance(count, int)}


_ours = Signs()


def begin_ours(folder: Path, part: str, patience_s: float) -> Signs:
    """Leave the signs of this process (and of those it forks) there from now on."""
    global _ours
    _ours = Signs.begin(folder, part, patience_s)
    return _ours


def ours() -> Signs:
    """Those of this process; of a process that did not begin any: signs that nobody sees."""
    return _ours
