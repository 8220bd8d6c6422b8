"""Vorbis comments, in FLAC and in Ogg (Vorbis, Opus, FLAC)."""

from __future__ import annotations

from collections.abc import Iterator

from workers.audio.chunks import Bytes
from workers.audio.tags.fields import LONGEST, MOST, MOST_FIELDS, wanted

_COMMENTS = 4
_MOST_BLOCKS = 128
_PAGE = 27


def flac_fields(data: Bytes, start: int) -> Iterator[tuple[str, str]]:
    """The comments of a FLAC file whose ``fLaC`` is at `start`."""
    at = start + 4
    for _ in range(_MOST_BLOCKS):
        head = data.at(at, 4)
        if len(head) < 4:
            return
        size = int.from_bytes(head[1:], "big")
        if head[0] & 0x7F == _COMMENTS:
            yield from comments(data.at(at + 4, min(size, MOST)))
            return
        if head[0] & 0x80:
            return
        at += 4 + size


def ogg_fields(data: Bytes, start: int) -> Iterator[tuple[str, str]]:
    """The comments of an Ogg file whose first page is at `start`: those in its second packet."""
    packet = _second_packet(data, start)
    for magic in (b"\x03vorbis", b"OpusTags"):
        if packet.startswith(magic):
            yield from comments(packet[len(magic) :])
    if packet[:1] and packet[0] & 0x7F == _COMMENTS:  # Ogg FLAC: a metadata block
        yield from comments(packet[4:])


def _second_packet(data: Bytes, at: int) -> bytes:
    """The first `MOST` bytes of it. Pages of one stream are supposed; in a file of several, comments are not found."""
    packet, number = bytearray(), 0
    for _ in range(MOST >> 8):
        head = data.at(at, _PAGE + 255)
        if len(head) < _PAGE or head[:4] != b"OggS":
            break
        lacing = head[_PAGE : _PAGE + head[26]]
        at += _PAGE + head[26]
        body = data.at(at, sum(lacing))
        at += len(body)
        place = 0
        for length in lacing:
            if number == 1:
                packet += body[place : place + length]
            place += length
            number += length < 255
        if number > 1 or len(packet) >= MOST:
            break
    return bytes(packet[:MOST])


def comments(raw: bytes) -> Iterator[tuple[str, str]]:
    """The fields of a comment block that speak of tempo or key, as (name, text); a cut block's first ones."""
    at = 4 + int.from_bytes(raw[:4], "little")
    count = int.from_bytes(raw[at : at + 4], "little")
    at += 4
    for _ in range(min(count, MOST_FIELDS)):
        size = int.from_bytes(raw[at : at + 4], "little")
        at += 4
        if at + size > len(raw):
            return
        name, equals, said = raw[at : at + min(size, LONGEST)].decode("utf-8", "replace").partition("=")
        if equals and wanted(name):
            yield name, said
        at += size
