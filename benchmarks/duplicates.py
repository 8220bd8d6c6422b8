"""How many edited copies are found, and how many different sounds are taken for copies.

``python -m benchmarks.duplicates FOLDER [--originals 500] [--seed 1]``: sounds of a library, each edited in eight ways
(`benchmarks.edited`) and analysed as a file. A copy is found where the vectors are near enough to be looked at and the
spectrograms agree, as in the product. Every sound and every edit is also held against all *other* sounds, most of them
from the same packs, and each link there is counted as a false one and printed: some may be true copies in the library.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from api.copies import decibels, is_copy, resemblance
from api.duplicates import ASPECTS, LEAST_ALIKE
from api.similarity import bearings
from benchmarks.edited import EDITS
from benchmarks.heard import Heard, heard_sounds
from config.environment import cap_threads, use_kernel_cache
from workers.model import ASPECTS as EVERY


def linked(one: Heard, other: Heard, alike: float) -> bool:
    """Whether two that are near by their vectors are taken for copies; `alike`: the mean of all aspects."""
    found = resemblance(decibels(one.mel), one.seconds, decibels(other.mel), other.seconds)
    return found is not None and is_copy(one.analysis, other.analysis, alike, found)


def report(sounds: Sequence[Heard], say: Callable[[str], object] = print) -> tuple[float, float]:
    """Print the table: the share of copies that are found, and of pairs of different sounds that are linked."""
    vectors = [sound.vector for sound in sounds]
    rows, whole = bearings(vectors, ASPECTS), bearings(vectors, dict.fromkeys(EVERY, 1.0))
    firsts = [at for at, sound in enumerate(sounds) if sound.edit is None]
    found, made = Counter[str](), Counter[str]()
    false, compared, wrong = set[tuple[str, str]](), 0, set[int]()
    for at, sound in enumerate(sounds):
        for first in _near(rows, at, firsts):
            other = sounds[first]
            if sound.edit is None and first > at:
                continue  # met from the other side
            link = linked(sound, other, float(whole[at] @ whole[first]))
            if sound.original == other.original:
                found[str(sound.edit)] += link
            else:
                compared += 1
                if link:
                    false.add((min(sound.name, other.name), max(sound.name, other.name)))
                    wrong.add(at)
        made[str(sound.edit)] += 1
    for edit in EDITS:
        say(f"{edit:32} found {found[edit]:5} of {made[edit]}, {found[edit] / max(1, made[edit]):7.2%}")
    copies, right = sum(made[edit] for edit in EDITS), sum(found[edit] for edit in EDITS)
    pairs = len(firsts) * (len(firsts) - 1) // 2
    say(f"{'all':32} found {right:5} of {copies}, {right / max(1, copies):7.2%}")
    say(f"linked to a different sound: {len(wrong)} of {len(sounds)} files, {len(wrong) / len(sounds):.3%}")
    say(
        f"pairs of different sounds with a link among them: {len(false)} of {pairs:,}, {len(false) / max(1, pairs):.3%}"
    )
    say(f"(compared because their vectors are near: {compared:,})")
    for names in sorted(false):
        say("  " + " = ".join(names))
    return right / max(1, copies), len(false) / max(1, pairs)


def _near(rows: NDArray[np.float64], at: int, firsts: Sequence[int]) -> list[int]:
    scores = rows[list(firsts)] @ rows[at]
    return [first for first, score in zip(firsts, scores, strict=True) if first != at and score >= LEAST_ALIKE]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.duplicates", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--originals", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1, help="which of the library's sounds are taken")
    asked = parser.parse_args()
    cap_threads()
    use_kernel_cache()
    begun = time.monotonic()
    sounds = list(heard_sounds(asked.folder, asked.originals, EDITS, asked.seed))
    count = sum(sound.edit is None for sound in sounds)
    print(f"{count} originals x {len(EDITS)} edits, analysed in {time.monotonic() - begun:.0f} s")
    report(sounds)


if __name__ == "__main__":
    main()
