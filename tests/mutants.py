"""Real files, damaged at random: what a decoder must survive.

The damage is what happens to files (cuts, flipped bits, blocks lost or doubled, two files run together) and what
attackers do (numbers set to their extremes, magic words in the wrong place, most of it in the first few hundred bytes).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tests import broken_files as files

_EXTREMES = (
    *(b"\0", b"\xff", b"\x7f", b"\x80", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x7f\xff\xff\xff"),
    *(b"\0\0\0\x80", b"\x80\0\0\0", b"\xff\xff", b"\0\x80", b"\x01\0\0\0", b"\0\0\0\x01", b"\xff" * 8, bytes(8)),
)
_WORDS = (
    *(b"RIFF", b"RIFX", b"RF64", b"WAVE", b"fmt ", b"data", b"LIST", b"ds64", b"fact", b"acid", b"smpl", b"id3 "),
    *(b"FORM", b"AIFF", b"AIFC", b"COMM", b"SSND", b"fLaC", b"OggS", b"\x01vorbis", b"OpusHead", b"ID3\x04\0\0\0\0"),
    *(
        b"moov",
        b"mdat",
        b"stsz",
        b"stco",
        b"ftyp",
        b"esds",
        b"alac",
        b"caff",
        b"desc",
        b"wvpk",
        b".snd",
        b"\xff\xfb\x90",
    ),
)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A damaged file and what it was made of."""

    base: str
    content: bytes


def bases() -> list[tuple[str, bytes]]:
    """Whole files of every format that is read, short so that many can be tried."""
    made = [*files.chunks(), *files.encodings(), *files.aiff(), *files.compressed(), *files.odd_samples()]
    whole = [(str(name), bytes(content)) for name, content, expect in made if expect == "ok"]
    return [(name, content) for name, content in whole if len(content) < 120_000]


def mutants(count: int, seed: int, among: Sequence[tuple[str, bytes]] | None = None) -> Iterator[Mutant]:
    """So many, the same ones for each seed and the same bases; every base in its turn."""
    whole = bases() if among is None else list(among)
    chance = random.Random(seed)
    for n in range(count):
        name, content = whole[n % len(whole)]
        damaged = bytearray(content)
        for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
            chance.choice(_WAYS)(damaged, chance, whole)
        yield Mutant(name, bytes(damaged))


Way = Callable[[bytearray, random.Random, Sequence[tuple[str, bytes]]], None]


def _place(damaged: bytearray, chance: random.Random) -> int:
    """Somewhere; in two of three cases where headers are."""
    reach = min(len(damaged), chance.choice((64, 512, len(damaged))))
    return chance.randrange(reach) if reach else 0


def _flip(damaged: bytearray, chance: random.Random, _: object) -> None:
    for _n in range(chance.choice((1, 4, 40))):
        if damaged:
            damaged[_place(damaged, chance)] ^= 1 << chance.randrange(8)


def _extreme(damaged: bytearray, chance: random.Random, _: object) -> None:
    at, value = _place(damaged, chance), chance.choice(_EXTREMES)
    damaged[at : at + len(value)] = value


def _number(damaged: bytearray, chance: random.Random, _: object) -> None:
    at, width = _place(damaged, chance), chance.choice((2, 4, 8))
    value = chance.getrandbits(chance.randrange(1, 8 * width + 1))
    damaged[at : at + width] = value.to_bytes(width, chance.choice(("little", "big")))


def _word(damaged: bytearray, chance: random.Random, _: object) -> None:
    at, word = _place(damaged, chance), chance.choice(_WORDS)
    damaged[at : at + (len(word) if chance.random() < 0.7 else 0)] = word


def _cut(damaged: bytearray, chance: random.Random, _: object) -> None:
    del damaged[_place(damaged, chance) :]


def _lose(damaged: bytearray, chance: random.Random, _: object) -> None:
    at = _place(damaged, chance)
    del damaged[at : at + chance.choice((1, 2, 3, 16, 512, 4096))]


def _double(damaged: bytearray, chance: random.Random, _: object) -> None:
    at, length = _place(damaged, chance), chance.choice((1, 4, 64, 2048))
    damaged[at:at] = damaged[at : at + length] * chance.choice((1, 1, 8))


def _noise(damaged: bytearray, chance: random.Random, _: object) -> None:
    at, length = _place(damaged, chance), chance.choice((8, 64, 1024))
    damaged[at : at + length] = chance.randbytes(length)


def _splice(damaged: bytearray, chance: random.Random, whole: Sequence[tuple[str, bytes]]) -> None:
    _, other = chance.choice(whole)
    damaged[_place(damaged, chance) :] = other[chance.randrange(min(len(other), 4096)) :]


_WAYS: tuple[Way, ...] = (_flip, _flip, _extreme, _extreme, _number, _word, _cut, _lose, _double, _noise, _splice)
