"""ID3v2.2, 2.3 and 2.4: TBPM, TKEY and the user's own fields (TXXX) of the same meaning."""

from __future__ import annotations

from collections.abc import Iterator

from workers.audio.chunks import Bytes
from workers.audio.tags.fields import LONGEST, MOST, MOST_FIELDS, wanted

_UNSYNCHRONISED, _EXTENDED = 0x80, 0x40
_HIDDEN = 0x0C
"""Frame flags of 2.4: compressed or encrypted."""
_HIDDEN_2_3 = 0xC0
_TEXT = {0: "latin-1", 1: "utf-16", 2: "utf-16-be", 3: "utf-8"}


def fields(data: Bytes, start: int) -> Iterator[tuple[str, str]]:
    """The text fields of the tag at byte `start` that speak of tempo or key, as (name, text)."""
    head = data.at(start, 10)
    if len(head) < 10 or head[:3] != b"ID3" or head[3] not in (2, 3, 4):
        return
    version, flags, size = head[3], head[5], _synchsafe(head[6:10])
    view, at, end = data, start + 10, start + 10 + size
    if flags & _UNSYNCHRONISED and version < 4:
        # Every frame's place is moved by the bytes put in, so there is no stepping over: the start has to be read.
        view, at, end = _Plain(data.at(at, min(size, MOST)).replace(b"\xff\x00", b"\xff")), 0, min(size, MOST)
    if flags & _EXTENDED and version > 2:
        at += _extended(view.at(at, 4), version)
    yield from _frames(view, at, end, version)


class _Plain(Bytes):
    """Bytes in memory, read as those of a file are."""

    def __init__(self, head: bytes) -> None:
        self.fd, self.size, self.head = -1, len(head), head

    def at(self, offset: int, count: int) -> bytes:
        return self.head[offset : offset + count] if count > 0 else b""


def _frames(data: Bytes, at: int, end: int, version: int) -> Iterator[tuple[str, str]]:
    letters, header = (3, 6) if version == 2 else (4, 10)
    for _ in range(MOST_FIELDS):
        head = data.at(at, header)
        if at + header > end or len(head) < header or not _names_a_frame(head[:letters]):
            return
        size = _size(head, version, data, at, end)
        if not size or at + header + size > end:
            return
        name = head[:letters].decode("latin-1")
        if (wanted(name) or name in ("TXXX", "TXX")) and not _hidden(head, version):
            yield from _text(name, data.at(at + header, min(size, LONGEST)))
        at += header + size


def _size(head: bytes, version: int, data: Bytes, at: int, end: int) -> int:
    if version == 2:
        return int.from_bytes(head[3:6], "big")
    plain = int.from_bytes(head[4:8], "big")
    if version == 3:
        return plain
    safe = _synchsafe(head[4:8])
    # Old iTunes wrote plain sizes into 2.4: that one is right which leads to another frame.
    if safe != plain and not _leads_on(data, at + 10 + safe, end) and _leads_on(data, at + 10 + plain, end):
        return plain
    return safe


def _leads_on(data: Bytes, at: int, end: int) -> bool:
    following = data.at(at, 4)
    return at == end or (at < end and (_names_a_frame(following) or following == bytes(4)))


def _names_a_frame(letters: bytes) -> bool:
    return letters.isalnum() and letters == letters.upper()


def _hidden(head: bytes, version: int) -> bool:
    return version > 2 and bool(head[9] & (_HIDDEN if version == 4 else _HIDDEN_2_3))


def _text(name: str, body: bytes) -> Iterator[tuple[str, str]]:
    if len(body) < 2 or body[0] not in _TEXT:
        return
    said = body[1:].decode(_TEXT[body[0]], "replace").replace("\ufeff", "")
    if name.startswith("TXX"):
        name, _, said = said.partition("\0")
        if not wanted(name):
            return
    yield name, said.rstrip("\0")


def _extended(raw: bytes, version: int) -> int:
    """The extended header's length; 2.3 does not count its own four bytes."""
    return _synchsafe(raw) if version == 4 else int.from_bytes(raw, "big") + 4


def _synchsafe(raw: bytes) -> int:
    size = 0
    for byte in raw:
        size = size << 7 | byte & 0x7F
    return size
