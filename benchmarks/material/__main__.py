"""Render labelled music: ``python -m benchmarks.material OUT [--count N] [--seed S] [--only KIND ...]``.

Needs what it names and says what is missing; Debian's names: fluidsynth, fluid-soundfont-gm, timgm6mb-soundfont,
musescore-general-soundfont-small, opl3-soundfont, timidity with freepats (instruments); hydrogen-data,
hydrogen-drumkits, lmms-common (drums); openttd-openmsx, freedoom (multi-track MIDI). Scores: ``pip install music21``.

OUT gets the audio, ``labels.csv`` for development and ``held.csv``: a quarter of the pieces, for judging only. A run
that was stopped goes on where it was; the same seed and tools make the same files. ``--only elsewhere --known CSV...``
makes ``elsewhere.csv``: for judging only, of other fonts (csound-soundfont, fluidr3mono-gm-soundfont,
musescore-general-soundfont), other grooves and composers, stretched and encoded by sox and ffmpeg.
"""

from __future__ import annotations

import argparse
import sys
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.material import (
    band,
    classes,
    elsewhere,
    finish,
    invented,
    loops,
    midi_files,
    odd_ones,
    one_shots,
    plain,
    pulseless,
    score_songs,
    still,
    variety,
)
from benchmarks.material.fonts import MissingTools
from benchmarks.material.made import Made
from benchmarks.material.rows import is_held, keep, kept, named, pieces_of, write_labels

Recipe = Callable[[int, np.random.Generator, int], Made | None]
RECIPES: dict[str, tuple[Recipe, int]] = {
    "scores": (score_songs.make, 480),
    "oneshots": (one_shots.make, 420),
    "classes": (classes.make, 600),
    "loops": (loops.make, 360),
    "odd": (odd_ones.make, 140),
    "bands": (band.make, 220),
    "midi": (midi_files.make, 110),
    "pulseless": (pulseless.make, 150),
    "variety": (variety.make, 480),
    "still": (still.make, 220),
    "invented": (invented.make, 800),
    "plain": (plain.make, 400),
    "elsewhere": (elsewhere.make, 640),
}
"""Each kind of material and how many of it there are in a whole set."""

_APART = ("elsewhere", "invented", "plain")
"""Made only if asked for: one is for judging, the second is learned from for keys alone
(docs/decisions/0013-tempo-by-metre.md), the third for all but keys and tempo."""


def make_kind(out: Path, name: str, first: int, count: int, seed: int) -> int:
    """Render some of one kind; how many were made.

    Raises
    ------
    MissingTools
        If none could be made for want of something; what can be made without it is made.
    """
    recipe, _ = RECIPES[name]
    (out / name).mkdir(parents=True, exist_ok=True)
    (out / "rows").mkdir(exist_ok=True)
    made, missing = 0, None
    for n in range(first, first + count):
        row_file = out / "rows" / f"{name}-{n:04}.json"
        if row_file.exists():
            continue
        rng = np.random.default_rng([seed, zlib.crc32(name.encode()), n])
        try:
            sound = recipe(n, rng, seed)
        except MissingTools as error:
            missing = error
            continue
        if sound is None or not len(sound.y) or float(np.abs(sound.y).max()) < 1e-4:
            continue
        path, seconds = finish.write(sound.y, sound.sr, out / name / f"{name}-{n:04}", rng)
        keep(named(sound.row, str(path.relative_to(out)), round(seconds, 6)), row_file)
        made += 1
    if missing and not made:
        raise missing
    return made


def collect(out: Path, known: frozenset[str]) -> Counter[str]:
    """Write both CSVs from what has been rendered; how many rows each slice has."""
    rows = kept(out / "rows")
    far = [row for row in rows if row.source.startswith(elsewhere.SOURCE)]
    rows = [row for row in rows if not row.source.startswith(elsewhere.SOURCE)]
    write_labels(out / "labels.csv", [row for row in rows if not is_held(row.piece, known)])
    write_labels(out / "held.csv", [row for row in rows if is_held(row.piece, known)])
    if far:
        write_labels(out / "elsewhere.csv", [row for row in far if row.piece not in known])
        return Counter(row.slice for row in far if row.piece not in known)
    return Counter(row.slice for row in rows)


def main() -> None:
    """Render, collect, say what there is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, help="of each kind; the default is a whole set")
    parser.add_argument("--first", type=int, default=0, help="the number of the first of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", choices=list(RECIPES), default=[r for r in RECIPES if r not in _APART])
    parser.add_argument("--known", type=Path, nargs="*", default=[], help="labels whose pieces are not for judging")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.only:
        try:
            made = make_kind(options.out, name, options.first, options.count or RECIPES[name][1], options.seed)
            print(f"{name}: {made} made", flush=True)
        except MissingTools as error:
            print(f"{name}: left out, {error}", file=sys.stderr)
    for name, rows in sorted(collect(options.out, pieces_of(options.known)).items()):
        print(f"{name}: {rows} in all")


if __name__ == "__main__":
    main()
