"""Scores of answers against labels, whoever answered: as mir_eval and MIREX define them, and what is invented."""

from __future__ import annotations

import operator
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial

from benchmarks.labels import DRUMS, Labelled
from workers.model import TONICS

Table = dict[str, dict[str, float]]
"""Rows by name, figures by column."""
COUNTS = ("files", "one_shots", "loops", "unpitched", "without_pulse", "drums_and_noise")
"""Columns that say of how many files the others are."""
MULTIPLES = (1.0, 2.0, 0.5, 3.0, 1 / 3)
"""What Accuracy 2 forgives."""


@dataclass(frozen=True, slots=True)
class Said:
    """What was answered of one file; None is no answer, and nothing else is."""

    path: str
    bpm: float | None = None
    tempo_confidence: float = 0.0
    key: str | None = None
    """``C minor``, in sharps."""
    key_confidence: float = 0.0
    note_midi: int | None = None
    note_confidence: float = 0.0
    kind: str | None = None
    kind_confidence: float = 0.0
    sound: str | None = None
    """The class of a one-shot."""
    sound_confidence: float = 0.0
    audio_s: float = 0.0
    cpu_s: float = 0.0

    def to_dict(self) -> dict[str, object]:
        """For a line of JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Answer:
    """One file, what is known of it and what was said."""

    label: Labelled
    said: Said

    @property
    def tempo_ratio(self) -> float:
        """The answer as a multiple of the truth; 0 where there is none."""
        return (self.said.bpm or 0.0) / self.label.bpm if self.label.bpm else 0.0

    @property
    def tempo_right(self) -> bool:
        """Within 4 %: Accuracy 1."""
        return _near(self.tempo_ratio, 0.04)

    @property
    def key_right(self) -> bool:
        """The same tonic and mode."""
        return self.said.key is not None and self.said.key == self.label.key


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
    known = [a for a in answers if a.label.bpm]
    return {
        "files": len(known),
        "acc1": share(a.tempo_right for a in known),
        "acc2": share(any(_near(a.tempo_ratio / m, 0.04) for m in MULTIPLES) for a in known),
        "within_1_percent": share(_near(a.tempo_ratio, 0.01) for a in known),
        "within_0.1_bpm": share(abs((a.said.bpm or 0) - (a.label.bpm or 0)) < 0.1 for a in known),
        "abstained": share(a.said.bpm is None for a in known),
    }


def key_figures(answers: Sequence[Answer]) -> dict[str, float]:
    """Share of exact keys, MIREX score, share without an answer."""
    known = [a for a in answers if a.label.key]
    return {
        "files": len(known),
        "exact": share(a.key_right for a in known),
        "mirex": mean([mirex(a.said.key, a.label.key or "") for a in known]),
        "abstained": share(a.said.key is None for a in known),
    }


def note_figures(answers: Sequence[Answer]) -> dict[str, float]:
    """Root notes of pitched one-shots: exact, the right name in any octave, none given; notes of drums and effects."""
    known = [a for a in answers if a.label.note_midi is not None]
    without = [a for a in answers if a.label.one_shot and a.label.no_key]
    return {
        "files": len(known),
        "exact": share(a.said.note_midi == a.label.note_midi for a in known),
        "any_octave": share(
            a.said.note_midi is not None and (a.said.note_midi - (a.label.note_midi or 0)) % 12 == 0 for a in known
        ),
        "abstained": share(a.said.note_midi is None for a in known),
        "unpitched": len(without),
        "note_on_unpitched": share(a.said.note_midi is not None for a in without),
    }


def kind_figures(answers: Sequence[Answer]) -> dict[str, float]:
    """One-shots against loops: F1 of each."""
    shots = [a for a in answers if a.label.one_shot]
    loops = [a for a in answers if a.label.loop]
    return {
        "one_shots": len(shots),
        "loops": len(loops),
        "one_shot_f1": _f1([a.said.kind == "one-shot" for a in shots], [a.said.kind == "one-shot" for a in loops]),
        "loop_f1": _f1([a.said.kind == "loop" for a in loops], [a.said.kind == "loop" for a in shots]),
    }


def invented_figures(answers: Sequence[Answer]) -> dict[str, float]:
    """What is said where there is nothing to say."""
    shots = [a for a in answers if a.label.one_shot]
    still = [a for a in answers if a.label.no_tempo and not a.label.one_shot]
    unkeyed = [a for a in answers if a.label.no_key]
    return {
        "one_shots": len(shots),
        "tempo_on_one_shots": share(a.said.bpm is not None for a in shots),
        "without_pulse": len(still),
        "tempo_without_pulse": share(a.said.bpm is not None for a in still),
        "drums_and_noise": len(unkeyed),
        "key_on_drums_and_noise": share(a.said.key is not None for a in unkeyed),
    }


def inventions(answers: Sequence[Answer]) -> dict[str, list[float]]:
    """For each file that has no tempo, no key or no note: how sure what was said of it is; 0 where nothing was."""
    return {
        "tempo": [a.said.tempo_confidence if a.said.bpm else 0.0 for a in answers if a.label.no_tempo],
        "key": [a.said.key_confidence if a.said.key else 0.0 for a in answers if a.label.no_key],
        "note": [
            a.said.note_confidence if a.said.note_midi is not None else 0.0
            for a in answers
            if a.label.one_shot and a.label.no_key
        ],
    }


def class_table(answers: Sequence[Answer]) -> Table:
    """Each class of one-shots: how many, how many of those named were right, found, and not named at all."""
    known = [a for a in answers if a.label.one_shot and a.label.sound]
    names = sorted({a.label.sound for a in known})
    rows: Table = {}
    for name in [*names, "drum", "ALL"]:
        same: Callable[[str | None], bool] = {
            "drum": lambda sound: sound in DRUMS,
        }.get(name, partial(operator.eq, name))
        of = known if name == "ALL" else [a for a in known if same(a.label.sound)]
        said = [a for a in known if a.said.sound] if name == "ALL" else [a for a in known if same(a.said.sound)]
        hits = [a for a in said if (a.label.sound == a.said.sound if name == "ALL" else same(a.label.sound))]
        rows[name] = {
            "files": len(of),
            "precision": len(hits) / max(1, len(said)),
            "recall": len(hits) / max(1, len(of)),
            "unknown": share(a.said.sound is None for a in of),
        }
    return rows


def confidences(answers: Sequence[Answer]) -> dict[str, list[tuple[float, bool]]]:
    """For each kind of answer that was given: how sure it was and whether it was right."""
    return {
        "tempo": [(a.said.tempo_confidence, a.tempo_right) for a in answers if a.label.bpm and a.said.bpm],
        "key": [(a.said.key_confidence, a.key_right) for a in answers if a.label.key and a.said.key],
        "note": [
            (a.said.note_confidence, a.said.note_midi == a.label.note_midi)
            for a in answers
            if a.label.note_midi is not None and a.said.note_midi is not None
        ],
        "kind": [
            (a.said.kind_confidence, (a.said.kind == "one-shot") == a.label.one_shot)
            for a in answers
            if a.said.kind and (a.label.one_shot or a.label.loop)
        ],
        "class": [
            (a.said.sound_confidence, a.said.sound == a.label.sound)
            for a in answers
            if a.label.one_shot and a.label.sound and a.said.sound
        ],
    }


def ece(pairs: Sequence[tuple[float, bool]], parts: int = 10) -> float:
    """Expected calibration error: how far confidence is from the share that was right, in equal parts of confidence."""
    gaps = [len(bin_) * abs(believed - right) for believed, right, bin_ in reliability(pairs, parts)]
    return sum(gaps) / max(1, len(pairs))


def reliability(
    pairs: Sequence[tuple[float, bool]], parts: int = 10
) -> list[tuple[float, float, Sequence[tuple[float, bool]]]]:
    """Mean confidence, share right and the answers, for each part of the scale that has any."""
    bins: dict[int, list[tuple[float, bool]]] = {}
    for confidence, hit in pairs:
        bins.setdefault(min(parts - 1, int(confidence * parts)), []).append((confidence, hit))
    return [(mean([c for c, _ in part]), share(hit for _, hit in part), part) for _, part in sorted(bins.items())]


def abstention(
    pairs: Sequence[tuple[float, bool]], asked: int, thresholds: Sequence[float]
) -> list[tuple[float, float, float]]:
    """For each threshold: the share of all questions still answered, and the share of those answers that are right."""
    rows = []
    for threshold in thresholds:
        kept = [hit for confidence, hit in pairs if confidence >= threshold]
        rows.append((threshold, len(kept) / max(1, asked), share(kept)))
    return rows


def chance_ece(pairs: Sequence[tuple[float, bool]], draws: int = 200) -> float:
    """The calibration error of an analyser that is honest to the last digit, with as many answers and as sure as these.

    Of few answers a part is right by luck: below this figure no error tells of the analyser.
    """
    rng = random.Random(0)
    return mean([ece([(c, rng.random() < c) for c, _ in pairs]) for _ in range(draws)])


def calibration_figures(answers: Sequence[Answer]) -> dict[str, float]:
    """The expected calibration error of every confidence that was given, and what of it chance alone would make."""
    given = {name: pairs for name, pairs in confidences(answers).items() if pairs}
    return {
        **{f"{name}_ece": ece(pairs) for name, pairs in given.items()},
        **{f"{name}_by_chance": chance_ece(pairs) for name, pairs in given.items()},
    }


def speed_figures(answers: Sequence[Answer]) -> dict[str, float]:
    """CPU time, decoding included."""
    audio_s = sum(a.said.audio_s for a in answers)
    return {
        "ms_per_second_of_audio": 1000 * sum(a.said.cpu_s for a in answers) / max(audio_s, 1e-9),
        "ms_per_one_shot": 1000 * mean([a.said.cpu_s for a in answers if a.label.one_shot]),
    }


def tables(answers: Sequence[Answer]) -> dict[str, Table]:
    """Every table, by its name; tempo and key also by slice and mode."""
    slices = {name: [a for a in answers if a.label.slice == name] for name in sorted({a.label.slice for a in answers})}
    everything = {"ALL": list(answers), **slices}
    loops = [a for a in answers if a.label.loop]
    compound = [a for a in answers if a.label.metre in ("6/8", "9/8", "12/8")]
    triple = [a for a in answers if a.label.metre == "3/4"]
    by_tempo = {**everything, "cut as loops": loops, "6/8, 9/8, 12/8": compound, "3/4": triple}
    by_key = {
        **everything,
        **{m: [a for a in answers if (a.label.key or "").endswith(m)] for m in ("major", "minor")},
    }
    found: dict[str, Table] = {
        "tempo": {name: tempo_figures(part) for name, part in by_tempo.items() if any(a.label.bpm for a in part)},
        "key": {name: key_figures(part) for name, part in by_key.items() if any(a.label.key for a in part)},
        "note": {"ALL": note_figures(answers)} if any(a.label.note_midi is not None for a in answers) else {},
        "kind": {"ALL": kind_figures(answers)},
        "invented": {"ALL": invented_figures(answers)},
        "calibration": {"ALL": calibration_figures(answers)},
        "speed": {"ALL": speed_figures(answers)},
    }
    if any(a.said.sound for a in answers):
        found["class"] = class_table(answers)
    return {name: table for name, table in found.items() if table}


def _f1(found: Sequence[bool], taken: Sequence[bool]) -> float:
    return 2 * sum(found) / max(1, sum(found) + sum(taken) + len(found))


def share(hits: Iterable[bool]) -> float:
    """How many of them, 0 to 1."""
    return mean([float(hit) for hit in hits])


def mean(values: Sequence[float]) -> float:
    """Their mean; 0 of none."""
    return sum(values) / len(values) if values else 0.0
