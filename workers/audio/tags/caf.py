"""Core Audio files: the ``info`` chunk, where Apple's loops have their tempo and key."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from workers.audio.chunks import SMALL, Bytes
from workers.audio.tags.fields import LONGEST, MOST_FIELDS, wanted


def fields(data: Bytes, start: int) -> Iterator[tuple[str, str]]:
    """The fields that speak of tempo or key, as (name, text)."""
    at = start + 8
    for _ in range(MOST_FIELDS):
        head = data.at(at, 12)
        if len(head) < 12:
            return
        size = int.from_bytes(head[4:12], "big", signed=True)
        if head[:4] == b"info":
            yield from _pairs(data.at(at + 12, min(max(size, 0), SMALL)))
            return
        if size < 0:  # the sound, to the file's end
            return
        at += 12 + size


def _pairs(raw: bytes) -> Iterator[tuple[str, str]]:
    """A count, then names and texts in turn, each ended by NUL."""
    said = [part[:LONGEST].decode("utf-8", "replace") for part in raw[4:].split(b"\0", 2 * MOST_FIELDS)]
    for n, (name, text) in enumerate(pairwise(said)):
        if n % 2 == 0 and wanted(name):
            yield name, text
