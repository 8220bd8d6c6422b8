"""How right the analysis is on labelled audio: ``python -m benchmarks.accuracy LABELS.csv [--json PATH]``.

LABELS.csv has ``path`` (relative to it) and any of ``bpm, key, mode, kind, slice``. File names are hidden from the
analysis unless ``--names``: with them a loop that says its tempo would be no test. The corpus that
``workers/analysis/learned`` was made from flatters; for held-out figures of it see ``benchmarks.train``.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.labels import Labelled, read_labels
from config.environment import cap_threads, use_kernel_cache
from config.settings import get_settings

cap_threads()
use_kernel_cache()

from workers.audio.decode import Decoder  # noqa: E402  (threads are capped before numpy is loaded)
from workers.audio.files import open_regular  # noqa: E402
from workers.file import analyze_file  # noqa: E402
from workers.kernels import warm  # noqa: E402
from workers.model import TONICS, Analysis  # noqa: E402


@dataclass(frozen=True, slots=True)
class Answer:
    """One file, what is known of it and what was said."""

    label: Labelled
    said: Analysis
    cpu_s: float


def mirex(said: str | None, true: str) -> float:
    """MIREX's score of a key: 1 exact, 0.5 a fifth off, 0.3 relative, 0.2 parallel."""
    if said is None:
        return 0.0
    (tonic, mode), (true_tonic, true_mode) = said.split(), true.split()
    apart = (TONICS.index(tonic) - TONICS.index(true_tonic)) % 12
    if mode == true_mode:
        return {0: 1.0, 5: 0.5, 7: 0.5}.get(apart, 0.0)
    if apart == (9 if true_mode == "major" else 3):
        return 0.3
    return 0.2 if apart == 0 else 0.0


def _near(ratio: float, width: float) -> bool:
    return abs(ratio - 1) < width


def tempo_figures(answers: Sequence[Answer]) -> dict[str, float]:
    """Shares of files: within 4 %, the same or a metrical multiple of it, within 1 %, within 0.1 BPM, no answer."""
    ratios = [((a.said.tempo.bpm or 0.0) / a.label.bpm, a.label.bpm) for a in answers if a.label.bpm]
    multiples = (1, 2, 0.5, 3, 1 / 3)
    return {
        "files": len(ratios),
        "acc1": _share(_near(r, 0.04) for r, _ in ratios),
        "acc2": _share(any(_near(r / m, 0.04) for m in multiples) for r, _ in ratios),
        "within_1_percent": _share(_near(r, 0.01) for r, _ in ratios),
        "within_0.1_bpm": _share(abs(r - 1) * bpm < 0.1 for r, bpm in ratios),
        "abstained": _share(r == 0 for r, _ in ratios),
    }


def key_figures(answers: Sequence[Answer]) -> dict[str, float]:
    """Share of exact keys, MIREX score, share without an answer."""
    pairs = [(a.said.key.label, a.label.key) for a in answers if a.label.key]
    return {
        "files": len(pairs),
        "exact": _share(said == true for said, true in pairs),
        "mirex": _mean([mirex(said, true) for said, true in pairs]),
        "abstained": _share(said is None for said, _ in pairs),
    }


def kind_figures(answers: Sequence[Answer]) -> dict[str, float]:
    """One-shots against loops: F1 of each, and what is invented on one-shots."""
    shots = [a for a in answers if a.label.one_shot]
    loops = [a for a in answers if "loop" in a.label.kind or a.label.kind == "drum_machine"]
    hits = sum(a.said.kind.label == "one-shot" for a in shots)
    wrong = sum(a.said.kind.label == "one-shot" for a in loops)
    found = sum(a.said.kind.label == "loop" for a in loops)
    taken = sum(a.said.kind.label == "loop" for a in shots)
    return {
        "one_shots": len(shots),
        "loops": len(loops),
        "one_shot_f1": 2 * hits / max(1, hits + wrong + len(shots)),
        "loop_f1": 2 * found / max(1, found + taken + len(loops)),
        "invented_tempo": _share(a.said.tempo.bpm is not None for a in shots),
        "key_on_one_shots": _share(a.said.key.tonic is not None for a in shots),
    }


def calibration(answers: Sequence[Answer]) -> dict[str, float]:
    """Expected calibration error of tempo (within 4 %) and key (exact), in ten equal parts of confidence."""
    tempo = [
        (a.said.tempo.confidence, abs((a.said.tempo.bpm or 0) / a.label.bpm - 1) < 0.04)
        for a in answers
        if a.label.bpm and a.said.tempo.bpm
    ]
    key = [
        (a.said.key.confidence, a.said.key.label == a.label.key) for a in answers if a.label.key and a.said.key.label
    ]
    return {"tempo_ece": _ece(tempo), "key_ece": _ece(key)}


def _ece(pairs: Sequence[tuple[float, bool]]) -> float:
    bins: dict[int, list[tuple[float, bool]]] = {}
    for confidence, hit in pairs:
        bins.setdefault(min(9, int(confidence * 10)), []).append((confidence, hit))
    gaps = [len(part) * abs(_mean([c for c, _ in part]) - _mean([float(h) for _, h in part])) for part in bins.values()]
    return sum(gaps) / max(1, len(pairs))


def _share(hits: Iterable[bool]) -> float:
    return _mean([float(hit) for hit in hits])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def listen(labels: Sequence[Labelled], *, names: bool) -> list[Answer]:
    """Analyse every file, one after the other, on this core."""
    answers = []
    with Decoder(get_settings().decode) as decoder:
        for label in labels:
            fd = open_regular(label.path)
            with open(fd, "rb"):
                begin = time.process_time()
                said = analyze_file(decoder, fd, label.path.name if names else "hidden")
                answers.append(Answer(label, said, time.process_time() - begin))
    return answers


def figures(answers: Sequence[Answer]) -> dict[str, dict[str, dict[str, float]]]:
    """Every table, by its name and then by slice."""
    slices = sorted({a.label.slice for a in answers})
    in_slice = {"ALL": list(answers), **{s: [a for a in answers if a.label.slice == s] for s in slices}}
    by_mode = {mode: [a for a in answers if a.label.key and a.label.key.endswith(mode)] for mode in ("major", "minor")}
    return {
        "tempo": {name: tempo_figures(part) for name, part in in_slice.items() if any(a.label.bpm for a in part)},
        "key": {"ALL": key_figures(answers), **{mode: key_figures(part) for mode, part in by_mode.items()}},
        "kind": {"ALL": kind_figures(answers)},
        "calibration": {"ALL": calibration(answers)},
        "speed": {"ALL": _speed(answers)},
    }


def _speed(answers: Sequence[Answer]) -> dict[str, float]:
    audio_s = sum(a.said.audio.analyzed_s for a in answers)
    shots = [a.cpu_s for a in answers if a.label.one_shot]
    return {
        "analysis_ms_per_second_of_audio": 1000 * sum(a.cpu_s for a in answers) / max(audio_s, 1e-9),
        "analysis_ms_per_one_shot": 1000 * _mean(shots),
    }


def show(tables: dict[str, dict[str, dict[str, float]]], say: Callable[[str], None] = print) -> None:
    """Print each table as Markdown."""
    for name, rows in tables.items():
        columns = list(next(iter(rows.values())))
        say(f"\n| {name} | " + " | ".join(columns) + " |")
        say("|---|" + "---|" * len(columns))
        for row, values in rows.items():
            cells = (f"{v:.0f}" if v == int(v) and v > 1 else f"{v:.3f}" for v in values.values())
            say(f"| {row} | " + " | ".join(cells) + " |")


def main() -> None:
    """Analyse the files of a CSV and print how right it was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--names", action="store_true", help="let the analysis see the file names")
    options = parser.parse_args()
    warm()
    labels = read_labels(options.labels)
    listen(labels[:1], names=False)
    tables = figures(listen(labels, names=options.names))
    show(tables)
    if options.json:
        options.json.write_text(json.dumps(tables, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
