"""A full disk delays what the supervisor notes, and ends nothing."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from cli.cluster import logs
from cli.cluster.logs import rotate
from cli.cluster.notes import Notes
from tests.cli.cluster.test_supervisor import SLEEP, part, soon, supervise


def test_what_a_full_disk_refuses_is_noted_in_order_when_there_is_room() -> None:
    notes, written, full = Notes(), list[str](), [True]

    def note(name: str) -> None:
        if full[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(name)

    notes.take(lambda: note("first"))
    notes.take(lambda: note("second"))
    assert written == []
    full[0] = False
    notes.take(lambda: note("third"))
    assert written == ["first", "second", "third"]
    notes.catch_up()
    assert len(written) == 3


def test_a_log_that_cannot_be_copied_is_kept_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: Path, target: Path) -> None:
        target.write_bytes(b"half of")
        raise OSError(errno.ENOSPC, "No space left on device")

    log = tmp_path / "worker.log"
    log.write_bytes(b"x" * 100)
    monkeypatch.setattr(logs.shutil, "copyfile", full)
    assert not rotate(log, limit=50)
    assert [path.name for path in tmp_path.iterdir()] == ["worker.log"]
    assert log.stat().st_size == 100


def test_a_part_is_started_although_its_log_cannot_be_begun(tmp_path: Path) -> None:
    (tmp_path / "one.log").mkdir()
    supervisor, book = supervise(tmp_path, part("one", SLEEP))
    watching = soon(supervisor, lambda: ("ready", "one") in book.said)
    supervisor.run()
    watching.join()
    assert ("ready", "one") in book.said
