"""Labelled audio: a CSV with ``path`` and any of ``bpm, key, mode, kind, slice``; paths relative to it."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from workers.model import TONICS

_FLATS = {"DB": "C#", "EB": "D#", "GB": "F#", "AB": "G#", "BB": "A#", "CB": "B", "FB": "E", "E#": "F", "B#": "C"}


@dataclass(frozen=True, slots=True)
class Labelled:
    """One file and what is known of it."""

    path: Path
    bpm: float | None
    key: str | None
    """``C minor``, in sharps."""
    kind: str
    slice: str

    @property
    def one_shot(self) -> bool:
        return self.kind.replace("-", "").replace("_", "") == "oneshot"

    @property
    def piece(self) -> str:
        """What belongs in one fold: excerpts and takes of one piece differ in a suffix only."""
        name = re.sub(r"(_x\d+|[_\d.]*bpm)$", "", self.path.stem)
        return re.sub(r"\d+$", "", name) if len(name) < 24 and "_" in name and self.key is None else name


def read_labels(path: Path) -> list[Labelled]:
    """Every row of a CSV of labels."""
    with path.open(newline="", encoding="utf-8") as file:
        return [_labelled(path.parent, row) for row in csv.DictReader(file)]


def _labelled(folder: Path, row: dict[str, str]) -> Labelled:
    tonic = (row.get("key") or "").strip()
    tonic = _FLATS.get(tonic.upper(), tonic)
    mode = (row.get("mode") or "").strip()
    return Labelled(
        path=folder / row["path"],
        bpm=float(row["bpm"]) if row.get("bpm") else None,
        key=f"{tonic} {mode}" if tonic in TONICS and mode else None,
        kind=(row.get("kind") or "").strip(),
        slice=(row.get("slice") or row.get("kind") or "all").strip(),
    )
