"""Folders for the fault tests: good files, the same contents again, and poison; all different from run to run."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from pathlib import Path

from tests.integration.material import make_short_files
from workers.errors import BrokenHeader, EmptyAudio, EmptyFile, NotAudio

_POISON_SHARE = 0.04
_DUPLICATE_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class Library:
    """What was made, and so what must come of it."""

    folder: Path
    good: dict[str, str]
    """The SHA-256 of each file that ends done, or duplicate where its content came before; by path below the root."""
    poison: dict[str, str]
    """The code with which each other file ends failed."""

    @property
    def files(self) -> int:
        """All files."""
        return len(self.good) + len(self.poison)

    @property
    def contents(self) -> set[str]:
        """The different contents among the good ones."""
        return set(self.good.values())


def make_faulty_library(folder: Path, files: int, seed: int) -> Library:
    """5,000 files are 4,700 good ones, 100 of their contents again and 200 poisonous ones; others in proportion."""
    chance = random.Random(seed)
    poison, duplicates = round(files * _POISON_SHARE), round(files * _DUPLICATE_SHARE)
    contents = files - poison - duplicates
    make_short_files(folder, contents, seed=seed)
    made = sorted(folder.rglob("*.wav"))
    for n, original in enumerate(chance.sample(made, duplicates)):
        (original.parent / f"again_{n:04d}.wav").write_bytes(original.read_bytes())
    good = {_below_root(path, folder): content_of(path) for path in folder.rglob("*.wav")}
    codes = {}
    for n, near in enumerate(chance.choices(made, k=poison)):
        content, code = _poison(n, near.read_bytes(), chance)
        path = near.parent / f"poison_{n:04d}.wav"
        path.write_bytes(content)
        codes[_below_root(path, folder)] = code
    return Library(folder, good, codes)


def _poison(n: int, good: bytes, chance: random.Random) -> tuple[bytes, str]:
    """No audio in any of them, in five ways, and how each is to fail; each its own content but for the empty ones."""
    noise = chance.randbytes(64)
    return (
        (b"", EmptyFile.code),
        (b"RIFF\xff\xff\xff\x7fWAVEfmt " + noise, BrokenHeader.code),
        (good[:36] + b"data\x00\x00\x00\x00" + noise[:0], EmptyAudio.code),
        (b"ID3" + noise, NotAudio.code),
        (noise + b"this is no sound", NotAudio.code),
    )[n % 5]


def _below_root(path: Path, folder: Path) -> str:
    return path.relative_to(folder.parent).as_posix()


def content_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
