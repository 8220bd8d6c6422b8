"""The chunk trees of RIFF and AIFF files, read with distrust.

Sizes lie, pad bytes are forgotten, chunks come in any order and after the sound; nothing here allocates what a header
asks for, and no walk is longer than `MAX_CHUNKS`.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from workers.audio.files import file_errors

MAX_CHUNKS = 4096
SMALL = 1 << 16
"""No chunk but the sound is read further than this, in bytes."""

ByteOrder = Literal["<", ">"]

_KNOWN = frozenset(
    (
        b"fmt |data|fact|LIST|acid|smpl|inst|cue |bext|iXML|JUNK|junk|PAD |FLLR|ds64|id3 |ID3 |PEAK|plst|chna|axml|minf"
        b"|elm1|regn|umid|DGDA|afsp|DISP|SAUR|AFAn|ResU|Fake|levl|link|qlty|slnt|cart|_PMX|note|wavl|strc|tlst|LGWV|bmrk|cate"
        b"|COMM|SSND|MARK|INST|MIDI|AESD|APPL|COMT|NAME|AUTH|(c) |ANNO|FVER|basc|trns|CHAN|iXML"
    ).split(b"|")
)


class Bytes:
    """A file's bytes by position, its first 64 KB read once: a header costs one system call."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        with file_errors():
            self.size = os.fstat(fd).st_size
            self.head = os.pread(fd, SMALL, 0)

    def at(self, offset: int, count: int) -> bytes:
        """Up to `count` bytes from `offset`; fewer at the file's end."""
        if offset + count <= len(self.head):
            return self.head[offset : offset + count]
        if count <= 0 or offset >= self.size:
            return b""
        with file_errors():
            return os.pread(self.fd, count, offset)


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk: its four letters, where its body starts, and the size it claims, in bytes."""

    id: bytes
    offset: int
    size: int


def walk(data: Bytes, start: int, order: ByteOrder, sizes: dict[bytes, int] | None = None) -> Iterator[Chunk]:
    """Yield the chunks from `start` to the file's end, whatever the outer size says.

    `sizes` replaces what a chunk claims (RF64 keeps the sizes that do not fit into 32 bits elsewhere).
    """
    for _ in range(MAX_CHUNKS):
        head = data.at(start, 8)
        if len(head) < 8 or not _plausible(head[:4]):
            return
        name = head[:4]
        (size,) = struct.unpack(order + "I", head[4:])
        if sizes and name in sizes and size == 0xFFFFFFFF:
            size = sizes[name]
        yield Chunk(name, start + 8, size)
        start = _next(data, start + 8, size)


def body(data: Bytes, chunk: Chunk) -> bytes:
    """A small chunk's bytes, at most `SMALL` of them."""
    return data.at(chunk.offset, min(chunk.size, SMALL))


def _next(data: Bytes, offset: int, size: int) -> int:
    """Where the next chunk starts: padded to even as it should be, unless only the unpadded place makes sense."""
    end = offset + size
    if not size & 1:
        return end
    unpadded, padded = data.at(end, 4), data.at(end + 1, 4)
    if padded in _KNOWN or unpadded not in _KNOWN:
        return end + 1
    return end


def _plausible(name: bytes) -> bool:
    return all(0x20 <= letter < 0x7F for letter in name)
