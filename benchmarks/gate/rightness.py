"""How many files each side is right about, file by file: what one lost and another gained are told apart."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.labels import Labelled, read_labels
from benchmarks.scoring import Answer, Said
from workers.model import TONICS


@dataclass(frozen=True, slots=True)
class Fell:
    """One question: of how many files it was asked, who was right, and which files changed sides."""

    question: str
    files: int
    head_right: int
    base_right: int
    lost: tuple[str, ...]
    gained: tuple[str, ...]

    @property
    def fell(self) -> bool:
        """Nothing scatters here, the same bytes give the same answer: one file fewer is a fall."""
        return self.head_right < self.base_right


def right(answer: Answer) -> Iterator[tuple[str, bool]]:
    """Each question that the label answers, and whether the answer was right; to invent something is wrong."""
    label, said = answer.label, answer.said
    if label.bpm:
        yield "tempo", answer.tempo_right
    elif label.no_tempo:
        yield "no tempo", said.bpm is None
    if label.key:
        yield "key", answer.key_right
    elif label.no_key:
        yield "no key", said.key is None
    if label.note_midi is not None:
        yield "note", said.note_midi == label.note_midi
    if label.one_shot or label.loop:
        yield "kind", said.kind == ("one-shot" if label.one_shot else "loop")


def compared(labels: Path, head: Iterable[Mapping[str, Any]], base: Iterable[Mapping[str, Any]]) -> list[Fell]:
    """Both sides' answers to every question."""
    known = read_labels(labels)
    ours, theirs = _by_question(known, head), _by_question(known, base)
    return [
        Fell(
            question,
            len(of_head),
            sum(of_head.values()),
            sum(theirs[question].values()),
            tuple(path for path, hit in of_head.items() if not hit and theirs[question][path]),
            tuple(path for path, hit in of_head.items() if hit and not theirs[question][path]),
        )
        for question, of_head in ours.items()
    ]


def _by_question(labels: list[Labelled], said: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, bool]]:
    found: dict[str, dict[str, bool]] = {}
    for label, one in zip(labels, said, strict=True):
        for question, hit in right(Answer(label, Said(**one))):
            found.setdefault(question, {})[str(label.path)] = hit
    return found


def demo_labels(folder: Path) -> Path:
    """The demo library below `folder` with what is known of it: there wherever the code is."""
    from cli.demo_library import make
    from cli.demo_truth import read_truth

    library, path = make(folder), folder / "labels.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "kind", "bpm", "key", "mode", "note_midi", "no_tempo", "no_key"))
        for truth in read_truth(folder).values():
            if truth.ends == "done" and truth.kind in ("loop", "one-shot"):
                tonic, _, mode = (truth.key or "").partition(" ")
                no_key = "yes" if truth.key is None and truth.kind == "loop" else ""
                note = "" if truth.note is None else midi(truth.note)
                row = (library / truth.path, truth.kind, truth.bpm, tonic, mode, note, truth.bpm is None or "", no_key)
                writer.writerow(["" if value is None else value for value in row])
    return path


def midi(note: str) -> int:
    """The number of a note: 69 of ``A4``."""
    name = note.rstrip("-0123456789")
    return TONICS.index(name) + 12 * (int(note[len(name) :]) + 1)
