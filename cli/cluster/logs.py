"""One log file a process, of limited size, and its last lines for people."""

from __future__ import annotations

import shutil
from pathlib import Path

LIMIT = 10 * 2**20
KEPT = 3


def rotate(path: Path, limit: int = LIMIT, kept: int = KEPT) -> bool:
    """Move a log that grew over `limit` bytes aside, keeping `kept` older ones.

    The file is copied and cut, not renamed: its process holds it open for appending and goes on at its new end. Lines
    written between copy and cut are lost, which a log may afford.
    """
    try:
        if path.stat().st_size <= limit:
            return False
    except FileNotFoundError:
        return False
    for number in range(kept, 1, -1):
        older = _numbered(path, number - 1)
        if older.exists():
            older.replace(_numbered(path, number))
    try:
        shutil.copyfile(path, _numbered(path, 1))
    except OSError:  # no room for it: another time
        _numbered(path, 1).unlink(missing_ok=True)
        return False
    with path.open("r+b") as log:
        log.truncate(0)
    return True


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")


def last_words(path: Path) -> str:
    """What a process said for people at its very end: its last lines without those of the structured log."""
    lines = last_lines(path, 12)
    plain = [line for line in lines if not line.startswith("{")]
    return " ".join((plain or lines)[-1:])


def last_lines(path: Path, count: int = 8, width: int = 400) -> list[str]:
    """The last lines that are not empty, each cut to `width`."""
    try:
        with path.open("rb") as log:
            log.seek(0, 2)
            log.seek(max(0, log.tell() - 32768))
            text = log.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return []
    return [line[:width] for line in text.splitlines() if line.strip()][-count:]
