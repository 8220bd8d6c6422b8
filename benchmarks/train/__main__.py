"""``python -m benchmarks.train LABELS.csv... [--only tempo,pulse] [--out FOLDER]``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from benchmarks.labels import read_labels
from benchmarks.train.atlas import AtlasLesson
from benchmarks.train.instrument import InstrumentLesson
from benchmarks.train.key import KeyLesson
from benchmarks.train.kind import KindLesson
from benchmarks.train.pitch import PitchLesson
from benchmarks.train.pulse import PulseLesson
from benchmarks.train.sounds import Lesson, files, sounds
from benchmarks.train.tempo import TempoLesson
from benchmarks.train.tonality import TonalityLesson
from benchmarks.train.vector import VectorLesson
from workers.analysis.learned import FOLDER

LESSONS: dict[str, Callable[[], Lesson]] = {
    "tempo": TempoLesson,
    "key": KeyLesson,
    "kind": KindLesson,
    "pitch": PitchLesson,
    "instrument": InstrumentLesson,
    "pulse": PulseLesson,
    "tonality": TonalityLesson,
    "vector": VectorLesson,
    "atlas": AtlasLesson,
}
"""Every model by the name of its table."""


def main() -> None:
    """Learn what was asked for and write the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.train", description=__doc__)
    parser.add_argument("labels", type=Path, nargs="+")
    parser.add_argument(
        "--apart", type=Path, nargs="+", default=[], help="labels of what is not learned from, to fit confidence on"
    )
    parser.add_argument("--only", default=",".join(LESSONS), help="models to learn, with commas between them")
    parser.add_argument("--out", type=Path, default=FOLDER)
    options = parser.parse_args()
    names = options.only.split(",")
    if unknown := set(names) - set(LESSONS):
        parser.error(f"no such model: {', '.join(sorted(unknown))}; there are {', '.join(LESSONS)}")
    lessons = {name: LESSONS[name]() for name in names}
    labels = [label for path in options.labels for label in read_labels(path)]
    for sound in sounds(labels, edits=any(lesson.edits for lesson in lessons.values())):
        for lesson in lessons.values():
            lesson.hear(sound)
    for path in options.apart:
        for sound in files(read_labels(path), apart=str(path)):
            for lesson in lessons.values():
                if lesson.judged_apart:
                    lesson.hear(sound)
    options.out.mkdir(exist_ok=True)
    for name, lesson in lessons.items():
        print(f"\n== {name}")
        (options.out / f"{name}.json").write_text(json.dumps(lesson.learn(), indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
