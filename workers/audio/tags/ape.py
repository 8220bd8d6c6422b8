"""APEv2 tags, at the end of MP3 and WavPack files."""

from __future__ import annotations

from collections.abc import Iterator

from workers.audio.chunks import Bytes
from workers.audio.tags.fields import LONGEST, MOST, MOST_FIELDS, wanted

_FOOTER, _ID3V1 = 32, 128
_NO_TEXT = 0x06


def fields(data: Bytes) -> Iterator[tuple[str, str]]:
    """The fields that speak of tempo or key, as (name, text). An ID3v1 tag may stand behind."""
    for end in (data.size, data.size - _ID3V1):
        footer = data.at(end - _FOOTER, _FOOTER) if end >= _FOOTER else b""
        if footer[:8] == b"APETAGEX" and len(footer) == _FOOTER:
            size = int.from_bytes(footer[12:16], "little") - _FOOTER
            if 0 < size <= min(MOST, end - _FOOTER):
                yield from _items(data.at(end - _FOOTER - size, size))
            return


def _items(raw: bytes) -> Iterator[tuple[str, str]]:
    at = 0
    for _ in range(MOST_FIELDS):
        size, flags = int.from_bytes(raw[at : at + 4], "little"), int.from_bytes(raw[at + 4 : at + 8], "little")
        stop = raw.find(b"\0", at + 8, at + 8 + LONGEST)
        if stop < 0 or stop + 1 + size > len(raw):
            return
        name = raw[at + 8 : stop].decode("ascii", "replace")
        if wanted(name) and not flags & _NO_TEXT:
            yield name, raw[stop + 1 : stop + 1 + min(size, LONGEST)].decode("utf-8", "replace")
        at = stop + 1 + size
