"""What was found in a library, as a table, beside what was known where it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.table import Table

from cli.console import escape, out
from cli.demo_truth import Truth
from cli.gateway import Json
from cli.show import coloured, table

BPM_TOLERANCE = 0.01
"""One per cent: what a listener takes for the same tempo."""


@dataclass
class Score:
    """How many of each kind of answer were right, and how many were known."""

    right: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)

    def add(self, what: str, *, right: bool) -> None:
        """Count one answer."""
        self.known[what] += 1
        self.right[what] += right

    def lines(self) -> list[str]:
        """``tempo 18 of 20`` for each kind."""
        return [f"{what} {self.right[what]} of {known}" for what, known in self.known.items()]


def results_table(
    rows: Sequence[Json], samples: Mapping[str, Json], truths: Mapping[str, Truth]
) -> tuple[Table, Score]:
    """One row a file that was analysed: what it is, its tempo, key, note and loudness.

    Where the truth is known an answer is marked as right, or wrong with what was expected. On a terminal the folders
    are headings, in a pipe each line has its whole path.
    """
    made, score, folder = table("file", "kind", "tempo", "key", "note", "loudness", "ended"), Score(), ""
    for row in rows:
        truth = truths.get(row["path"], Truth(row["path"]))
        if truth.ends == "refused":
            score.add("broken files refused", right=row["status"] in ("failed", "skipped"))
        sample = samples.get(row.get("sample_id") or "")
        if sample is None:
            continue
        above, _, name = row["path"].rpartition("/")
        if out().is_terminal and above != folder:
            folder = above
            made.add_row(f"[bold dim]{escape(folder)}/[/]")
        made.add_row(
            f"  {escape(name)}" if out().is_terminal and above else escape(row["path"]),
            escape(_kind(sample)),
            _tempo(sample, truth, score),
            _key(sample, truth, score),
            _note(sample, truth, score),
            _loudness(sample),
            coloured(row["status"]),
        )
    return made, score


def refused_table(rows: Sequence[Json]) -> Table | None:
    """The files that have no analysis, each with its reason; ``None`` where there is none."""
    refused = [row for row in rows if row["status"] in ("failed", "skipped")]
    if not refused:
        return None
    made = table("file", "ended", "why")
    for row in refused:
        reason = row.get("reason") or {}
        made.add_row(escape(row["path"]), coloured(row["status"]), escape(str(reason.get("message", ""))))
    return made


def _part(sample: Json, *names: str) -> Any:
    found: Any = sample
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _kind(sample: Json) -> str:
    return str(_part(sample, "kind", "label") or "-")


def _tempo(sample: Json, truth: Truth, score: Score) -> str:
    bpm = _part(sample, "tempo", "bpm")
    text = "-" if bpm is None else f"{bpm:.2f}".rstrip("0").rstrip(".")
    if truth.bpm is None:
        return text
    right = bpm is not None and abs(bpm - truth.bpm) <= BPM_TOLERANCE * truth.bpm
    score.add("tempo", right=right)
    for ratio, said in ((0.5, "half"), (2.0, "double")):
        if bpm is not None and abs(bpm - ratio * truth.bpm) <= BPM_TOLERANCE * truth.bpm:
            return f"{text} [yellow]{said} of {truth.bpm:g}[/]"
    return _marked(text, f"{truth.bpm:g}", right=right)


def _key(sample: Json, truth: Truth, score: Score) -> str:
    label = _part(sample, "key", "label")
    camelot = _part(sample, "key", "camelot")
    text = "-" if label is None else f"{label} {camelot}"
    if truth.key is None:
        return text
    score.add("key", right=label == truth.key)
    return _marked(text, truth.key, right=label == truth.key)


def _note(sample: Json, truth: Truth, score: Score) -> str:
    note = _part(sample, "pitch", "note")
    text = "-" if note is None else str(note)
    if truth.note is None:
        return text
    score.add("note", right=note == truth.note)
    return _marked(text, truth.note, right=note == truth.note)


def _loudness(sample: Json) -> str:
    lufs, rms = _part(sample, "loudness", "integrated_lufs"), _part(sample, "loudness", "rms_dbfs")
    if lufs is not None:
        return f"{lufs:.1f} LUFS"
    return "-" if rms is None else f"{rms:.1f} dB RMS"


def _marked(text: str, expected: str, *, right: bool) -> str:
    return f"{text} [green]✓[/]" if right else f"{text} [red]✗ {expected}[/]"
