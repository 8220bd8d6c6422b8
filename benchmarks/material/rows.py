"""What is known of a rendered file: one row of ``labels.csv``."""

from __future__ import annotations

import csv
import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

COLUMNS = (
    *("path", "bpm", "key", "mode", "source", "kind", "slice", "label_quality", "redistribute", "dur"),
    *("piece", "note_midi", "class", "no_key", "no_tempo", "metre", "tuning_cents", "downbeat_s"),
)
"""The columns of a CSV of labels; the first ten are what older ones have."""


@dataclass(frozen=True, slots=True)
class Row:
    """One file and what is true of it; empty is unknown."""

    piece: str
    """Renderings of one piece, or sounds of one instrument, share it: they belong in one fold."""
    slice: str
    kind: str
    source: str
    bpm: float | None = None
    key: str = ""
    mode: str = ""
    note_midi: int | None = None
    sound: str = ""
    no_key: bool = False
    no_tempo: bool = False
    metre: str = ""
    tuning_cents: float = 0.0
    downbeat_s: float | None = None
    """When the first whole bar starts."""
    path: str = ""
    dur: float = 0.0

    def cells(self) -> dict[str, str]:
        """As the CSV has it."""
        return {
            "path": self.path,
            "bpm": "" if self.bpm is None else f"{self.bpm:.3f}",
            "key": self.key,
            "mode": self.mode,
            "source": self.source,
            "kind": self.kind,
            "slice": self.slice,
            "label_quality": "rendered",
            "redistribute": "no: made here from parts with licences of their own",
            "dur": f"{self.dur:.3f}",
            "piece": self.piece,
            "note_midi": "" if self.note_midi is None else str(self.note_midi),
            "class": self.sound,
            "no_key": "1" if self.no_key else "",
            "no_tempo": "1" if self.no_tempo else "",
            "metre": self.metre,
            "tuning_cents": f"{self.tuning_cents:.1f}",
            "downbeat_s": "" if self.downbeat_s is None else f"{self.downbeat_s:.4f}",
        }


def keep(row: Row, path: Path) -> None:
    """Write the row beside its file, so that a run that was stopped can go on."""
    half = path.with_suffix(".part")
    half.write_text(json.dumps(asdict(row)) + "\n", "utf-8")
    half.replace(path)


def kept(folder: Path) -> list[Row]:
    """Every row written so far, in the order of the paths."""
    rows = [Row(**json.loads(path.read_text("utf-8"))) for path in folder.glob("*.json")]
    return sorted((_with_downbeat(row) for row in rows), key=lambda row: row.path)


def _with_downbeat(row: Row) -> Row:
    """A loop as long as its beats starts on one."""
    if row.slice != "loops" or row.bpm is None or row.downbeat_s is not None:
        return row
    beats = row.dur * row.bpm / 60
    return replace(row, downbeat_s=0.0) if abs(beats - round(beats)) * 60 / row.bpm < 0.002 else row


def is_held(piece: str, known: frozenset[str]) -> bool:
    """Whether a piece is kept for judging: a quarter of them, by its name; never what is known elsewhere.

    Freedoom's music is all kept for judging: it is in other people's sets too, and models that had learned it would
    look better there than they are.
    """
    return piece not in known and (piece.startswith("freedoom") or zlib.crc32(piece.encode()) % 4 == 0)


def write_labels(path: Path, rows: Iterable[Row]) -> None:
    """A CSV of labels."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(row.cells() for row in rows)


def named(row: Row, path: str, dur: float) -> Row:
    """The row of a file that now exists."""
    return replace(row, path=path, dur=dur)


def pieces_of(paths: Sequence[Path]) -> frozenset[str]:
    """The pieces of other CSVs of labels: their ``piece``, or the stem of the file where they have none."""
    found: set[str] = set()
    for path in paths:
        with path.open(newline="", encoding="utf-8") as file:
            found.update(row.get("piece") or Path(row["path"]).stem for row in csv.DictReader(file))
    return frozenset(found)
