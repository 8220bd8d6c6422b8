"""Folders for the fault tests: good files, the same contents again, and poison; all different from run to run."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from pathlib import Path

from tests.integration.material import make_short_files

_POISON_SHARE = 0.04
_DUPLICATE_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class Library:
    """What was made, and so what must come of it."""

    folder: Path
    good: int
    """Files that end done, or duplicate where their content came before."""
    contents: int
    """Different contents among the good ones."""
    poison: int
    """Files that end failed."""

    @property
    def files(self) -> int:
        """All files."""
        return self.good + self.poison


def make_faulty_library(folder: Path, files: int, seed: int) -> Library:
    """5,000 files are 4,700 good ones, 100 of their contents again and 200 poisonous ones; others in proportion."""
    chance = random.Random(seed)
    poison, duplicates = round(files * _POISON_SHARE), round(files * _DUPLICATE_SHARE)
    contents = files - poison - duplicates
    make_short_files(folder, contents, seed=seed)
    made = sorted(folder.rglob("*.wav"))
    for n, original in enumerate(chance.sample(made, duplicates)):
        (original.parent / f"again_{n:04d}.wav").write_bytes(original.read_bytes())
    for n, near in enumerate(chance.choices(made, k=poison)):
        (near.parent / f"poison_{n:04d}.wav").write_bytes(_poison(n, near.read_bytes(), chance))
    return Library(folder, contents + duplicates, contents, poison)


def _poison(n: int, good: bytes, chance: random.Random) -> bytes:
    """No audio in any of them, in five ways; each its own content but for the empty ones."""
    noise = chance.randbytes(64)
    return (
        b"",
        b"RIFF\xff\xff\xff\x7fWAVEfmt " + noise,
        good[:36] + b"data\x00\x00\x00\x00" + noise[:0],
        b"ID3" + noise,
        noise + b"this is no sound",
    )[n % 5]


def content_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
