"""A new file as pieces of the old one and new bytes between them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Keep:
    """The old file's bytes from `start` to before `stop`."""

    start: int
    stop: int


Splice = tuple[Keep | bytes, ...]
"""The new file, in order."""


def size_of(splice: Splice) -> int:
    """The new file's size, in bytes."""
    return sum(len(piece) if isinstance(piece, bytes) else piece.stop - piece.start for piece in splice)


def tidy(pieces: Iterable[Keep | bytes]) -> Splice:
    """The same without empty pieces, neighbours joined."""
    joined: list[Keep | bytes] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        if isinstance(piece, bytes):
            if isinstance(last, bytes):
                joined[-1] = last + piece
            elif piece:
                joined.append(piece)
        elif piece.start < piece.stop:
            if isinstance(last, Keep) and last.stop == piece.start:
                joined[-1] = Keep(last.start, piece.stop)
            else:
                joined.append(piece)
    return tuple(joined)


def replaced(size: int, changes: Iterable[tuple[int, int, bytes]]) -> Splice:
    """A file of `size` bytes in which each (start, stop) became other bytes; the changes are in order, apart."""
    pieces: list[Keep | bytes] = []
    at = 0
    for start, stop, put in changes:
        pieces += [Keep(at, start), put]
        at = stop
    return tidy([*pieces, Keep(at, size)])


def trimmed(source: int, splice: Splice, size: int) -> Splice:
    """The same new file, with bytes that only repeat what stood there (at either end of a change) kept instead."""
    pieces: list[Keep | bytes] = []
    old = 0
    for here, following in zip_longest(splice, splice[1:]):
        if isinstance(here, Keep):
            pieces.append(here)
            old = here.stop
            continue
        end = following.start if isinstance(following, Keep) else size
        if end < old:
            return splice
        there = _read(source, old, end)
        ahead = _alike(there, here)
        behind = _alike(there[ahead:][::-1], here[ahead:][::-1])
        pieces += [Keep(old, old + ahead), here[ahead : len(here) - behind], Keep(end - behind, end)]
    return tidy(pieces)


def _alike(one: bytes, other: bytes) -> int:
    """How many bytes two start with in common: by halves, for what is compared may be a picture."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def copy(source: int, splice: Splice, target: int) -> None:
    """Write the new file to the descriptor `target`, reading the old one from `source`. Raises `OSError`."""
    for piece in splice:
        if isinstance(piece, bytes):
            _write(target, piece)
            continue
        at = piece.start
        while at < piece.stop:
            block = os.pread(source, min(_BLOCK, piece.stop - at), at)
            if not block:
                raise OSError(f"the file ends at byte {at}, {piece.stop - at} bytes early")
            _write(target, block)
            at += len(block)


def inverse(source: int, splice: Splice, size: int) -> Splice:
    """How the old file, of `size` bytes, is made of the new one: what was dropped is read from `source` and kept.

    Pieces that moved against each other (nobody here does that) are kept as bytes.
    """
    pieces: list[Keep | bytes] = []
    old = new = 0
    for piece in splice:
        if isinstance(piece, bytes):
            new += len(piece)
            continue
        length = piece.stop - piece.start
        if piece.start >= old:
            pieces += [_read(source, old, piece.start), Keep(new, new + length)]
            old = piece.stop
        new += length
    return tidy([*pieces, _read(source, old, size)])


def _read(source: int, start: int, stop: int) -> bytes:
    found = bytearray()
    while start + len(found) < stop:
        block = os.pread(source, stop - start - len(found), start + len(found))
        if not block:
            raise OSError(f"the file ends {stop - start - len(found)} bytes early")
        found += block
    return bytes(found)


def _write(target: int, block: bytes) -> None:
    view = memoryview(block)
    while view:
        view = view[os.write(target, view) :]


def pieces_as_json(splice: Splice) -> Sequence[object]:
    """A splice for the journal: ``[start, stop]`` or hexadecimal bytes."""
    return [piece.hex() if isinstance(piece, bytes) else [piece.start, piece.stop] for piece in splice]


def pieces_from_json(said: Sequence[object]) -> Splice:
    """The splice that `pieces_as_json` wrote. Raises `ValueError` for anything else."""
    pieces: list[Keep | bytes] = []
    for piece in said:
        if isinstance(piece, str):
            pieces.append(bytes.fromhex(piece))
        elif isinstance(piece, list) and len(piece) == 2 and all(isinstance(end, int) for end in piece):
            pieces.append(Keep(*piece))
        else:
            raise ValueError("not a piece of a file")
    return tuple(pieces)
