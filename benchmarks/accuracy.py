"""How right the analysis is on labelled audio: ``python -m benchmarks.accuracy [NAME=]LABELS.csv ...``.

LABELS.csv has ``path`` (relative to it) and any of the columns of `benchmarks.labels`; `benchmarks.material` makes such
audio. File names are hidden from the analysis unless ``--names``. What ``workers/analysis/learned`` was
made from flatters: give it files of pieces that were not learned from.

``--save`` keeps the answers, ``--answers`` takes them from an earlier run instead of analysing, ``--peer`` asks another
analyser that is installed (essentia, essentia-multi, sonara), ``--doc`` writes the page with its pictures:

    python -m benchmarks.accuracy held=HELD.csv --save us.jsonl
    python -m benchmarks.accuracy held=HELD.csv --peer essentia --save essentia.jsonl
    python -m benchmarks.accuracy held=HELD.csv --answers us.jsonl --peers essentia=e.jsonl --doc docs/accuracy.md
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from benchmarks.answers import ask_peer, ask_us, load, save
from benchmarks.labels import Labelled, read_labels
from benchmarks.scoring import COUNTS, Answer, Table, tables


def show(found: dict[str, Table], say: Callable[[str], None] = print) -> None:
    """Print each table as Markdown."""
    for name, rows in found.items():
        say(f"\n{as_markdown(name, rows)}")


def as_markdown(name: str, rows: Table) -> str:
    """A table: figures between 0 and 1 as they are, counts whole."""
    columns = list(next(iter(rows.values())))
    lines = [f"| {name} | " + " | ".join(c.replace("_", " ") for c in columns) + " |", "|---|" + "---|" * len(columns)]
    for row, values in rows.items():
        cells = (f"{value:.0f}" if column in COUNTS else f"{value:.3f}" for column, value in values.items())
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Answer, score, print; write the page if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", nargs="+", help="[NAME=]LABELS.csv")
    parser.add_argument("--names", action="store_true", help="let the analysis see the file names")
    parser.add_argument("--json", type=Path, help="write the tables")
    parser.add_argument("--save", type=Path, help="write the answers")
    parser.add_argument("--answers", type=Path, help="take the answers of an earlier run")
    parser.add_argument("--peer", help="ask this analyser instead")
    parser.add_argument("--doc", type=Path, help="write the page")
    parser.add_argument("--peers", nargs="*", default=[], metavar="NAME=ANSWERS", help="peers' answers, for the page")
    parser.add_argument("--learned", type=Path, help="what benchmarks.train printed, for the page")
    options = parser.parse_args()
    sets = dict(_named(given) for given in options.labels)
    labels = {name: read_labels(path) for name, path in sets.items()}
    answers = _answers(options, [label for part in labels.values() for label in part])
    found = {name: tables(_of(answers, part)) for name, part in labels.items()}
    for name, tables_of in found.items():
        print(f"\n# {name}: {len(labels[name])} files")
        show(tables_of)
    if options.save:
        save(options.save, answers)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    if options.doc:
        from benchmarks.accuracy_page import write_page

        peers = {name: load(path, [a.label for a in answers]) for name, path in map(_named, options.peers)}
        write_page(options.doc, {name: _of(answers, part) for name, part in labels.items()}, peers, options.learned)


def _answers(options: argparse.Namespace, labels: list[Labelled]) -> list[Answer]:
    if options.answers:
        return load(options.answers, labels)
    return ask_peer(options.peer, labels) if options.peer else ask_us(labels, names=options.names)


def _of(answers: list[Answer], labels: list[Labelled]) -> list[Answer]:
    paths = {label.path for label in labels}
    return [answer for answer in answers if answer.label.path in paths]


def _named(given: str) -> tuple[str, Path]:
    """``NAME=PATH``, or a path named by itself."""
    name, _, path = given.rpartition("=")
    return name or Path(path).stem, Path(path)


if __name__ == "__main__":
    main()
