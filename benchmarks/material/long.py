"""Long recordings of known tempo and key, made of rendered ones: ``python -m benchmarks.material.long OUT HELD.csv``.

Each goes on for 5 to 15 minutes. A *piece* is one rendering, taken up again and again: cut anywhere, louder and softer,
with breaks of silence, hiss or applause between, so that its pulse starts anew each time; tempo and key are its own. A
*mix* is several, each sped up or slowed down to the tempo of the first as on a turntable: it has that tempo and no key.
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from benchmarks.labels import Labelled, read_labels
from benchmarks.material import finish
from benchmarks.material.rows import Row, write_labels

Audio = NDArray[np.float32]
SR = 44100
_SHORTEST_S, _LONGEST_S = 300.0, 900.0
_LEAST_PART_S, _FADE_S = 12.0, 0.02
_OF_A_MIX = 0.3
_BENT = 0.09
"""How much faster or slower a record is played at most."""


@functools.lru_cache(maxsize=16)
def parts_of(label: Labelled) -> Audio:
    """One rendering, mono, shape (frames, 1), at `SR`."""
    y, sr = soundfile.read(label.path, dtype="float32", always_2d=True)
    return finish.resampled(np.ascontiguousarray(y.mean(axis=1, keepdims=True)), sr, SR)


def made(labels: Sequence[Labelled], n: int, rng: np.random.Generator) -> tuple[Audio, Row]:
    """The n-th, and what is true of it."""
    first = labels[n % len(labels)]
    bpm = first.bpm or 0.0
    near = [label for label in labels if label.bpm and abs(label.bpm / bpm - 1) < _BENT]
    mix = rng.random() < _OF_A_MIX and len(near) >= 3
    wanted = float(rng.uniform(_SHORTEST_S, _LONGEST_S)) * SR
    played: list[Audio] = []
    while sum(map(len, played)) < wanted:
        label = near[int(rng.integers(len(near)))] if mix else first
        played += _section(parts_of(label), (label.bpm or bpm) / bpm, rng)
    tonic, _, mode = (first.key or "").partition(" ")
    row = Row(f"long-{first.piece}", "long mix" if mix else "long piece", "long", "long: joined", bpm=bpm)
    return np.concatenate(played), row if mix else replace(row, key=tonic, mode=mode)


def _section(y: Audio, faster: float, rng: np.random.Generator) -> Iterator[Audio]:
    """A part of it at another speed, and now and then a break."""
    y = finish.resampled(y, SR, SR * faster)
    least = min(len(y), int(_LEAST_PART_S * SR))
    length = int(rng.integers(least, len(y) + 1))
    start = int(rng.integers(0, len(y) - length + 1))
    part = finish.fade(finish.fade(y[start : start + length][::-1], SR, _FADE_S)[::-1], SR, _FADE_S)
    yield part * np.float32(10 ** (rng.uniform(-8, 0) / 20))
    if rng.random() < 0.3:
        hiss = rng.standard_normal((int(rng.uniform(0.5, 8) * SR), 1)) * rng.choice([0.0, 0.003, 0.05])
        yield hiss.astype(np.float32)


def main() -> None:
    """Make them, and ``long.csv`` beside them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("labels", type=Path, help="labels of renderings that nothing was learned from")
    parser.add_argument("--count", type=int, default=40)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    known = [label for label in read_labels(options.labels) if label.bpm and label.key and not label.loop]
    order = np.random.default_rng(7).permutation(len(known))
    labels, rows = [known[at] for at in order], []
    for n in range(options.count):
        y, row = made(labels, n, np.random.default_rng([7, n]))
        path = options.out / f"long-{n:03}.flac"
        soundfile.write(path, np.clip(y, -1, 1), SR, subtype="PCM_16")
        rows.append(replace(row, path=path.name, dur=len(y) / SR))
        write_labels(options.out / "long.csv", rows)  # after each: a run that is stopped leaves what there is
    print(f"{len(rows)} long recordings")


if __name__ == "__main__":
    main()
