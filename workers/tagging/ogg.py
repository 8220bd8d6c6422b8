"""Ogg (Vorbis, Opus, FLAC): the comment packet rewritten, and the pages behind it numbered anew where need be.

RFC 3533, S. Pfeiffer, "The Ogg Encapsulation Format Version 0", 2003.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from workers.audio.chunks import Bytes
from workers.errors import NotWritable
from workers.tagging import comments
from workers.tagging.marks import Marks
from workers.tagging.splice import Keep, Splice, replaced, tidy

_HEADER = 27
_CONTINUED, _FIRST = 1, 2
_MOST_COMMENTS = 64 << 20
_NO_POSITION = b"\xff" * 8


@dataclass(frozen=True, slots=True)
class _Page:
    at: int
    flags: int
    position: bytes
    serial: bytes
    number: int
    lacing: bytes

    @property
    def body(self) -> int:
        return self.at + _HEADER + len(self.lacing)

    @property
    def stop(self) -> int:
        return self.body + sum(self.lacing)


def ogg(data: Bytes, start: int, marks: Marks) -> Splice:
    """An Ogg file, whose first page is at `start`, with our comments.

    Raises
    ------
    NotWritable
        If it holds several streams, or headers that are not found whole.
    """
    first = _page(data, start)
    headers = _header_count(data, first)
    pages, packets = _headers(data, first, headers)
    packets[0] = _with_marks(packets[0], marks)
    made = list(_paged(packets, first.serial))
    moved = len(made) - len(pages)
    change = (pages[0].at, pages[-1].stop, b"".join(made))
    if not moved:
        return replaced(data.size, [change])
    return tidy([Keep(0, change[0]), change[2], *_numbered(data, pages[-1].stop, first.serial, moved)])


def _header_count(data: Bytes, first: _Page) -> int:
    """Header packets behind the first: comments and setup, comments alone, or as many as Ogg FLAC says."""
    packet = data.at(first.body, sum(first.lacing))
    if not first.flags & _FIRST:
        raise NotWritable("Its first page does not begin a stream.")
    if packet.startswith(b"\x01vorbis"):
        return 2
    if packet.startswith(b"OpusHead"):
        return 1
    if packet.startswith(b"\x7fFLAC") and (count := int.from_bytes(packet[7:9], "big")):
        return count
    raise NotWritable("What is in this Ogg file has no comments we know how to write.")


def _page(data: Bytes, at: int) -> _Page:
    head = data.at(at, _HEADER + 255)
    if len(head) < _HEADER or head[:5] != b"OggS\0":
        raise NotWritable("Its pages do not follow each other.")
    page = _Page(at, head[5], head[6:14], head[14:18], int.from_bytes(head[18:22], "little"), head[27 : 27 + head[26]])
    if len(page.lacing) < head[26] or page.stop > data.size:
        raise NotWritable("Its last page is cut short.")
    return page


def _headers(data: Bytes, first: _Page, count: int) -> tuple[list[_Page], list[bytes]]:
    """The pages from the second on that hold `count` packets, and these; they must end where a page ends."""
    pages: list[_Page] = []
    packets: list[bytes] = []
    packet = bytearray()
    at = first.stop
    while len(packets) < count:
        page = _page(data, at)
        if page.serial != first.serial:
            raise NotWritable("It holds several streams.")
        body, place = data.at(page.body, sum(page.lacing)), 0
        for size in page.lacing:
            packet += body[place : place + size]
            place += size
            if size < 255:
                packets.append(bytes(packet))
                packet.clear()
        if len(packet) > _MOST_COMMENTS:
            raise NotWritable("Its comments are too large.")
        pages.append(page)
        at = page.stop
    if packet or len(packets) > count:
        raise NotWritable("Its sound begins on the page where its comments end.")
    return pages, packets


def _with_marks(packet: bytes, marks: Marks) -> bytes:
    for magic in (b"\x03vorbis", b"OpusTags"):
        if packet.startswith(magic):
            return magic + comments.rewritten(packet[len(magic) :], marks)
    if packet[:1] and packet[0] & 0x7F == 4:  # Ogg FLAC: a metadata block
        body = comments.rewritten(packet[4:], marks)
        return packet[:1] + len(body).to_bytes(3, "big") + body
    raise NotWritable("Its second packet holds no comments.")


def _paged(packets: list[bytes], serial: bytes) -> Iterator[bytes]:
    """The packets on pages of their own, numbered from 1."""
    lacing = b"".join(b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255]) for packet in packets)
    body, at, number, continued = b"".join(packets), 0, 1, False
    while lacing:
        now, lacing = lacing[:255], lacing[255:]
        size = sum(now)
        # A page on which no packet ends has no position; headers' pages have 0.
        position = bytes(8) if min(now) < 255 else _NO_POSITION
        yield _sealed(_CONTINUED if continued else 0, position, serial, number, now, body[at : at + size])
        at, number, continued = at + size, number + 1, now[-1] == 255


def _sealed(flags: int, position: bytes, serial: bytes, number: int, lacing: bytes, body: bytes) -> bytes:
    head = b"OggS\0" + bytes([flags]) + position + serial + number.to_bytes(4, "little")
    tail = bytes([len(lacing)]) + lacing
    check = _crc(head + bytes(4) + tail + body)
    return head + check.to_bytes(4, "little") + tail + body


def _numbered(data: Bytes, at: int, serial: bytes, moved: int) -> Iterator[Keep | bytes]:
    """The pages to the file's end, each with its number moved: a new header, its body kept."""
    while at < data.size:
        page = _page(data, at)
        if page.serial != serial:
            raise NotWritable("It holds several streams.")
        body = data.at(page.body, page.stop - page.body)
        head = _sealed(page.flags, page.position, serial, page.number + moved, page.lacing, body)
        yield head[: page.body - page.at]
        yield Keep(page.body, page.stop)
        at = page.stop


_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _crc(raw: bytes) -> int:
    """Ogg's checksum: CRC-32 of polynomial 0x04C11DB7 from 0. That is zlib's, with every byte and the end mirrored."""
    mirrored = zlib.crc32(raw.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)
