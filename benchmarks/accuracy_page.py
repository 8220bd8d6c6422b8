"""Writes ``docs/accuracy.md``: what is reached, on what, against whom, how sure it is, and the commands that say so."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import scoring
from benchmarks.scoring import Answer, Table

Sets = Mapping[str, Sequence[Answer]]
PICTURES = "pictures"
_ASKED = {
    "tempo_on_one_shots": "one_shots",
    "key_on_drums_and_noise": "drums_and_noise",
    "one_shot_f1": "one_shots",
    "loop_f1": "loops",
}
"""The column that counts the files of another."""


@dataclass(frozen=True, slots=True)
class Target:
    """One row of what is wanted: what it is called, where the figure is, what the best peer had, what we want."""

    name: str
    table: str
    row: str
    column: str
    peer: str
    wanted: float
    most: bool = False
    """Whether the figure may be at most, not at least, what is wanted."""


TARGETS = (
    Target("tempo within 4 %, all", "tempo", "ALL", "acc1", "80 % (Essentia degara)", 0.88),
    Target("tempo within 4 % or a metrical multiple", "tempo", "ALL", "acc2", "91 % (TempoCNN)", 0.96),
    Target("tempo within 1 %, all", "tempo", "ALL", "within_1_percent", "78 % (Mixxx QM, TempoCNN)", 0.86),
    Target("loops within 4 %", "tempo", "cut as loops", "acc1", "82 % (Mixxx QM)", 0.92),
    Target("loops within 1 %", "tempo", "cut as loops", "within_1_percent", "79 % (Mixxx QM)", 0.90),
    Target("key exact", "key", "ALL", "exact", "77 % (Mixxx QM)", 0.83),
    Target("key, MIREX", "key", "ALL", "mirex", "85 % (sonara)", 0.89),
    Target("invented tempo on one-shots", "invented", "ALL", "tempo_on_one_shots", "100 % (sonara)", 0.05, True),
    Target("invented key on drums and noise", "invented", "ALL", "key_on_drums_and_noise", "100 %", 0.05, True),
    Target("root note of pitched one-shots", "note", "ALL", "exact", "24 of 24 (Essentia)", 0.98),
    Target("one-shot, F1", "kind", "ALL", "one_shot_f1", "-", 0.97),
    Target("loop, F1", "kind", "ALL", "loop_f1", "-", 0.97),
    Target("calibration error, tempo", "calibration", "ALL", "tempo_ece", "none", 0.05, True),
    Target("calibration error, key", "calibration", "ALL", "key_ece", "none", 0.05, True),
    Target("calibration error, note", "calibration", "ALL", "note_ece", "none", 0.05, True),
    Target("calibration error, kind", "calibration", "ALL", "kind_ece", "none", 0.05, True),
    Target("calibration error, class", "calibration", "ALL", "class_ece", "none", 0.05, True),
)

HEAD = """# How right it is

*This page is written by `python -m benchmarks.accuracy ... --doc docs/accuracy.md`; do not edit it.*

File names and tags are hidden from the analysis here: all that counts is what is heard. No answer counts as wrong in
every figure. A tempo is right within 4 % of the notated one (Accuracy 1); "or a metrical multiple" also takes twice,
half, three times and a third of it (Accuracy 2). In the tables these are *acc1* and *acc2*, and *ece* is how far
confidence is off from what is right: see below. MIREX gives a key half a point a fifth away, 0.3 for the relative and
0.2 for the parallel one.

*held* is of pieces that no model was made from, but rendered by the same scripts as what models were made from: music
made otherwise may be harder. *elsewhere* is music made otherwise: other sound fonts, drum patterns and composers than
anything was learned from (drum kits are the same), stretched, sped up and encoded by other programs. Its figures were
looked at three times, and a network for the tempo that did worse there was not kept. *elsewhere2* is more of the
same, rendered later, and no answer was ever chosen by it: it is the honest figure. (Six other networks for the tempo
were tried on it and not kept: [decision 0013](decisions/0013-tempo-by-metre.md).) How much to believe of a key and of
a class was fitted on *held*, *elsewhere* and *elsewhere2* beside what was learned from; on a fourth set, that nothing
was fitted on: [decision 0014](decisions/0014-keys-by-chords-notes-by-candidates.md). *long* is 5 to 15 minutes each,
joined from renderings of *held*: it goes by in pieces. *plain* is of the subs, kicks, beeps and glides that
arithmetic makes and fonts do not have: others of the same making were learned from. Any other set here was learned
from too and flatters; what was reached on it out of fold is at the end. Labels that no listener could give were taken
out everywhere, after looking at what went wrong too: the tempo of a loop of one or two beats, MIDI files whose notes
are off their own beat, the key of four chords that are the relative major's as well.
"""

HOW = """## How to measure it again

```sh
python -m benchmarks.material OUT                  # renders the music; says what has to be installed
python -m benchmarks.accuracy held=OUT/held.csv    # prints the tables of this page
KNOWN="OUT/labels.csv OUT/held.csv MORE/labels.csv"
python -m benchmarks.material FAR --only elsewhere --seed 5 --count 306 --known $KNOWN
python -m benchmarks.material FAR2 --only elsewhere --seed 5 --first 306 --count 334 --known $KNOWN FAR/elsewhere.csv
python -m benchmarks.accuracy elsewhere=FAR/elsewhere.csv elsewhere2=FAR2/elsewhere.csv
python -m benchmarks.material.long LONG OUT/held.csv --count 24
python -m benchmarks.accuracy long=LONG/long.csv plain=PLAIN/held.csv
```

## How to learn it again

```sh
python -m benchmarks.material MORE --seed 2 --first 1000   # a second set to learn from, of other pieces
python -m benchmarks.material PLAIN --only plain --seed 4 --count 576   # subs, beeps, glides
python -m benchmarks.material FREE --only invented --seed 3 --count 2300   # chords over grooves of no genre, for keys
ALL="OUT/labels.csv MORE/labels.csv CORPUS/labels.csv" APART="OUT/held.csv FAR/elsewhere.csv FAR2/elsewhere.csv"
python -m benchmarks.train $ALL --only tempo,pitch,vector
python -m benchmarks.train $ALL PLAIN/labels.csv --only kind,pulse,tonality
python -m benchmarks.train $ALL PLAIN/labels.csv --only instrument --apart $APART
python -m benchmarks.train $ALL FREE/labels.csv --only key --apart $APART
```

The tables are the same again only from the same sounds. CORPUS is the set *corpus* of this page: 266 labelled files
of LMMS, Hydrogen, Sonic Pi and freedoom data and of rendered scores, which are not ours to hand on; without it the
tables come out a little different, and the tempo of recorded loops less well learned. What is rendered is seeded file
by file, but another version of a sound font, of fluidsynth or of music21 makes another file. The command listens for
about two minutes of one core for each thousand files, and keeps some 2 GB of numbers until it has learned.

None of what the first command uses is a dependency: on Debian `apt install fluidsynth fluid-soundfont-gm
timgm6mb-soundfont musescore-general-soundfont-small opl3-soundfont timidity freepats hydrogen-data hydrogen-drumkits
lmms-common openttd-openmsx freedoom`, and `pip install music21` for the scores; what is missing is left out.

`OUT/labels.csv` is what models are made from (`python -m benchmarks.train`), `OUT/held.csv` is a quarter of the pieces
that no model has seen: all renderings of a piece are on one side. Both name every file's piece, tempo, key, note and
class, and what it has none of. All of it is rendered, from scores, patterns and instruments that are free; recordings
may be harder or easier. Peers are asked through `benchmarks/peers.py` with an environment of their own:
`python -m benchmarks.accuracy held=OUT/held.csv --peer essentia --save essentia.jsonl`.
"""


def write_page(path: Path, sets: Sets, peers: Sets, learned: Path | None) -> None:
    """Write the page, and its pictures beside it where matplotlib is installed."""
    lines = [HEAD, *_targets(sets), *_sets(sets), *_peers(sets, peers), *_sure(sets), *_folds(learned), HOW]
    path.write_text("\n".join(lines).rstrip() + "\n", "utf-8")
    try:
        _draw(path.parent / PICTURES, sets)
    except ImportError:
        print("the pictures are as they were: matplotlib is not installed")


def _targets(sets: Sets) -> Iterator[str]:
    found = {name: scoring.tables(answers) for name, answers in sets.items()}
    yield "## What was wanted and what is reached\n"
    yield "| | best peer, elsewhere | wanted | " + " | ".join(found) + " |"
    yield "|---|---|---|" + "---|" * len(found)
    for target in TARGETS:
        cells = [_reached(target, tables) for tables in found.values()]
        if any(cells):
            bound = "at most" if target.most else "at least"
            digits = 2 if target.table == "calibration" else 0
            wanted = f"{target.wanted:.2f}" if digits else f"{100 * target.wanted:.0f} %"
            yield f"| {target.name} | {target.peer} | {bound} {wanted} | " + " | ".join(cells) + " |"
    yield "\nBold is reached. The peers' figures of this table are of other music; on the same files they are below.\n"


def _reached(target: Target, tables: Mapping[str, Table]) -> str:
    row = tables.get(target.table, {}).get(target.row, {})
    if target.column not in row or row.get(_ASKED.get(target.column, "files"), 1) == 0:
        return ""
    value = row[target.column]
    text = f"{value:.3f}" if target.table == "calibration" else f"{100 * value:.1f} %"
    reached = value <= target.wanted if target.most else value >= target.wanted
    return f"**{text}**" if reached else text


def _sets(sets: Sets) -> Iterator[str]:
    from benchmarks.accuracy import as_markdown

    for name, answers in sets.items():
        counts = Counter(a.label.slice for a in answers)
        pieces = len({a.label.piece for a in answers})
        yield f"## {name.capitalize()}: {len(answers)} files of {pieces} pieces\n"
        yield ", ".join(f"{count} {slice_}" for slice_, count in sorted(counts.items())) + ".\n"
        for title, table in scoring.tables(answers).items():
            if title != "speed":
                yield as_markdown(title, table) + "\n"


def _peers(sets: Sets, peers: Sets) -> Iterator[str]:
    """The same questions, the same scorer."""
    if not peers:
        return
    yield "## Beside others, on the same files\n"
    for name, answers in sets.items():
        asked = _same_files({"SampleMind": answers, **peers})
        yield f"| {name} | " + " | ".join(asked) + " |\n|---|" + "---|" * len(asked)
        tables = {peer: scoring.tables(part) for peer, part in asked.items()}
        for target in TARGETS:
            if target.table in ("tempo", "key", "invented", "note"):
                cells = (_percent(tables[peer], target) for peer in asked)
                yield f"| {target.name} | " + " | ".join(cells) + " |"
        for mode in ("major", "minor"):
            exact = Target("", "key", mode, "exact", "", 0)
            yield f"| key exact, {mode} | " + " | ".join(_percent(tables[peer], exact) for peer in asked) + " |"
        yield (
            "| CPU, ms per second of audio | "
            + " | ".join(f"{tables[peer]['speed']['ALL']['ms_per_second_of_audio']:.1f}" for peer in asked)
            + " |\n"
        )
    yield "Peers say nothing of one-shots and loops; where they have no way of not answering, everything is invented."
    yield "Essentia's notes are the median of a detector that looks at one frame at a time.\n"


def _same_files(said: Mapping[str, Sequence[Answer]]) -> dict[str, list[Answer]]:
    """Everybody's answers to what everybody was asked; who was asked nothing of all this is left out."""
    paths = {name: {a.label.path for a in answers} for name, answers in said.items()}
    ours = paths["SampleMind"]
    present = [name for name in said if paths[name] & ours]
    shared = set.intersection(*(paths[name] for name in present))
    return {name: [a for a in said[name] if a.label.path in shared] for name in present}


def _percent(tables: Mapping[str, Table], target: Target) -> str:
    row = tables.get(target.table, {}).get(target.row, {})
    asked = row.get(_ASKED.get(target.column, "files"), 0)
    # who says nothing of any file does not offer it
    return f"{100 * row[target.column]:.1f} %" if asked and row.get("abstained", 0) < 1 else "-"


def _sure(sets: Sets) -> Iterator[str]:
    yield "## How sure it is\n"
    yield "Of all answers given with a confidence of 0.8, about 80 of 100 should be right. How far that is off, on"
    yield "average, is the expected calibration error (ECE). *By chance*, in the tables above: what an analyser that is"
    yield "honest to the last digit would show with so few answers. Bars on the line are honest; numbers are answers.\n"
    for name, answers in sets.items():
        yield f"![Confidence against truth, {name}]({PICTURES}/accuracy-reliability-{name}.svg)\n"
        yield f"![Right answers against answers given, {name}]({PICTURES}/accuracy-abstention-{name}.svg)\n"
        yield from _kept(answers)


def _kept(answers: Sequence[Answer]) -> Iterator[str]:
    """What each threshold would keep: where the ones in force come from."""
    pairs, invented = scoring.confidences(answers), scoring.inventions(answers)
    kinds = ("tempo", "key", "note")
    yield "What is left if only answers from some confidence on count. *Answered*: of the files that have one; *right*:"
    yield "of those answers; *invented*: of the files that have none (single sounds, drums, noise), how many get one."
    yield "The first line is what the analysis says: it has left out already what it takes for no pulse, no tonality"
    yield "or no note, from a probability of one half on.\n"
    yield "| kept from | " + " | ".join(f"{k}: answered | right | invented" for k in kinds) + " |"
    yield "|---|" + "---|" * 9
    thresholds = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95)
    curves = {k: scoring.abstention(pairs[k], _asked(k, answers), thresholds) for k in kinds}
    for n, threshold in enumerate(thresholds):
        cells = []
        for k in kinds:
            false = scoring.share(c > 0 and c >= threshold for c in invented[k])
            said = f"{100 * curves[k][n][1]:.0f} % | {100 * curves[k][n][2]:.1f} %" if pairs[k] else "- | -"
            cells.append(f"{said} | {100 * false:.1f} %")
        yield f"| {threshold:g} | " + " | ".join(cells) + " |"
    yield ""


def _asked(kind: str, answers: Sequence[Answer]) -> int:
    """How many of the files have a true answer of this kind."""
    labels = [answer.label for answer in answers]
    has = {
        "tempo": [label.bpm is not None for label in labels],
        "key": [label.key is not None for label in labels],
        "note": [label.note_midi is not None for label in labels],
        "kind": [label.one_shot or label.loop for label in labels],
        "class": [label.one_shot and bool(label.sound) for label in labels],
    }
    return sum(has[kind])


def _folds(learned: Path | None) -> Iterator[str]:
    """What the training printed of pieces that it had left out; its details and mistakes, indented, are not."""
    if learned is None:
        return
    said = [line.rstrip() for line in learned.read_text("utf-8").splitlines()]
    yield "## Out of fold, when it was learned\n"
    yield "Each table of `workers/analysis/learned` is made with folds by piece; this is of the fold left out:"
    yield ""
    kept = [line for line in said if re.match(r"== |[A-Za-z].*: ", line) and not re.match("edits|odds", line)]
    yield "```text\n" + "\n".join(kept) + "\n```\n"


def _draw(folder: Path, sets: Sets) -> None:
    from benchmarks.confidence_pictures import draw_abstention, draw_reliability

    folder.mkdir(parents=True, exist_ok=True)
    for name, answers in sets.items():
        pairs = scoring.confidences(answers)
        draw_reliability(pairs, folder / f"accuracy-reliability-{name}.svg")
        asked = {kind: _asked(kind, answers) for kind in pairs}
        draw_abstention(
            {k: v for k, v in pairs.items() if k != "kind"}, asked, folder / f"accuracy-abstention-{name}.svg"
        )
