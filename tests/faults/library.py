"""Folders for the fault tests: good files, the same contents again, and poison; all different from run to run."""

from __future__ import annotations

import hashlib
import random
import struct
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.integration.material import short_files
from workers.errors import BrokenHeader, EmptyAudio, EmptyFile, NotAudio

_POISON_SHARE = 0.04
_DUPLICATE_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class Library:
    """What was made, and so what must come of it."""

    folder: Path
    size: int
    """Files it was asked for."""
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
    """5,000 files are 4,700 good ones, 100 of their contents again and 200 poisonous ones; others in proportion.

    They sound and are called the same each time, so that the right answers are known, and are new contents each time.
    """
    chance = random.Random(seed)
    good, codes = {}, {}
    for name, content in _good_files(files).items():
        salted = _with_salt(content, struct.pack("<Q", seed))
        _write(folder / name, salted)
        good[f"{folder.name}/{name}"] = hashlib.sha256(salted).hexdigest()
    for n, name in enumerate(chance.choices([*_good_files(files)], k=round(files * _POISON_SHARE))):
        content, code = _poison(n, _good_files(files)[name], chance)
        path = (folder / name).with_name(f"poison_{n:04d}.wav")
        _write(path, content)
        codes[f"{folder.name}/{path.relative_to(folder).as_posix()}"] = code
    return Library(folder, files, good, codes)


def right_answers(files: int) -> dict[str, dict[str, Any]]:
    """What the same analysis says of each good file of such a library without a cluster, by path below its folder."""
    return _right_answers(files)


@cache
def _good_files(files: int) -> dict[str, bytes]:
    """Paths and contents, before they are salted."""
    poison, duplicates = round(files * _POISON_SHARE), round(files * _DUPLICATE_SHARE)
    found = dict(short_files(files - poison - duplicates))
    again = random.Random(0).sample([*found], duplicates)
    return found | {f"{name.partition('/')[0]}/again_{n:04d}.wav": found[name] for n, name in enumerate(again)}


@cache
def _right_answers(files: int) -> dict[str, dict[str, Any]]:
    from workers.batch import BatchAudioProcessor

    with TemporaryDirectory(prefix="samplemind-right-") as made:
        paths = {name: Path(made) / name for name in _good_files(files)}
        for name, path in paths.items():
            _write(path, _good_files(files)[name])
        said = BatchAudioProcessor(1).process_batch([*paths.values()])
        return {name: dict(bare) for name, bare in zip(paths, said, strict=True)}


def _with_salt(wave: bytes, salt: bytes) -> bytes:
    """The same sound with one more chunk, of which nobody knows what it means."""
    whole = wave + b"salt" + struct.pack("<I", len(salt)) + salt
    return whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:]


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


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
