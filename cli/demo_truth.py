"""What is known about the files of the demo library. Apart from the synthesiser, so that reading it needs no numpy."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

FIELDS = ("path", "kind", "bpm", "beats", "key", "note", "ends")


@dataclass(frozen=True)
class Truth:
    """What is known about one file. `ends` says how its row must end: done, duplicate, or refused with a reason."""

    path: str
    kind: str = ""
    bpm: float | None = None
    beats: int | None = None
    key: str | None = None
    note: str | None = None
    ends: str = "done"


def write_truth(folder: Path, truths: Iterable[Truth]) -> None:
    """Write ``truth.csv``."""
    with (folder / "truth.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(FIELDS)
        for truth in truths:
            values = [getattr(truth, field) for field in FIELDS]
            writer.writerow(["" if value is None else value for value in values])


def read_truth(folder: Path) -> dict[str, Truth]:
    """What is known of the library below `folder`, by path."""
    with (folder / "truth.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {
        row["path"]: Truth(
            path=row["path"],
            kind=row["kind"],
            bpm=float(row["bpm"]) if row["bpm"] else None,
            beats=int(row["beats"]) if row["beats"] else None,
            key=row["key"] or None,
            note=row["note"] or None,
            ends=row["ends"],
        )
        for row in rows
    }
