"""ID3v2.2, 2.3 and 2.4: TBPM, TKEY and our own fields put among the frames that are there.

Frames that are not ours stay as they are, byte for byte. ID3v2.4.0 and 2.3.0, informal standards, M. Nilsson, 2000.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from workers.errors import NotWritable
from workers.tagging.marks import Marks

_UNSYNCHRONISED, _EXTENDED, _FOOTER = 0x80, 0x40, 0x10
_PADDING = 1024
_LARGEST = 1 << 28
ROOT_NOTE = "ROOT_MIDI_NOTE"
"""Our field for the root note where a format has none, as a MIDI number, 60 being C4."""

_NAMES = {2: (b"TBP", b"TKE", b"TXX"), 3: (b"TBPM", b"TKEY", b"TXXX"), 4: (b"TBPM", b"TKEY", b"TXXX")}


@dataclass(frozen=True, slots=True)
class _Frame:
    name: bytes
    raw: bytes
    """Header and body."""
    body: bytes


def length(head: bytes) -> int:
    """Bytes of the tag whose first ten bytes these are, header and footer included; 0 where there is none."""
    if len(head) < 10 or head[:3] != b"ID3" or head[3] not in _NAMES or max(head[6:10]) > 0x7F:
        return 0
    return 10 + _safe_number(head[6:10]) + (10 if head[3] == 4 and head[5] & _FOOTER else 0)


def rewritten(tag: bytes, marks: Marks) -> bytes:
    """The tag with our frames, as long as it was where its padding allows; a new one (2.3) where `tag` is empty.

    Raises
    ------
    NotWritable
        If the tag that is there cannot be followed to its end.
    """
    version = tag[3] if tag else 3
    frames = b"".join(_merged(tag, marks, version))
    room = len(tag) - 10
    if len(frames) > room or not tag:
        room = len(frames) + _PADDING
    if room >= _LARGEST:
        raise NotWritable("Its ID3 tag is as large as one can be.")
    return b"ID3" + bytes((version, 0, 0)) + _safe(room) + frames + bytes(room - len(frames))


def _merged(tag: bytes, marks: Marks, version: int) -> Iterator[bytes]:
    """The frames that are there, ours in the place of those they replace: pictures need not move then."""
    ours = _ours(marks, version)
    for frame in _frames(tag) if tag else ():
        name = _meant(frame)
        if name is None or name not in _ours(marks, version):
            yield frame.raw
        elif name in ours:
            yield ours.pop(name)
    yield from ours.values()


def _ours(marks: Marks, version: int) -> dict[bytes, bytes]:
    """Our frames by what they mean: tempo, key or root note."""
    tempo, key, text = _NAMES[version]
    frames = {}
    if marks.tempo is not None:
        frames[b"TBPM"] = _frame(tempo, b"\0" + marks.tempo.encode(), version)
    if marks.key is not None:
        frames[b"TKEY"] = _frame(key, b"\0" + marks.key.encode(), version)
    if marks.root_midi is not None:
        frames[b"TXXX"] = _frame(text, f"\0{ROOT_NOTE}\0{marks.root_midi}".encode(), version)
    return frames


def _meant(frame: _Frame) -> bytes | None:
    """What a frame means, if it is one of ours, as the name 2.3 has for it."""
    names = _NAMES[3 if len(frame.name) == 4 else 2]
    if frame.name not in names:
        return None
    meant = _NAMES[3][names.index(frame.name)]
    ours = frame.body[1:].startswith(ROOT_NOTE.encode() + b"\0")
    return meant if meant != b"TXXX" or ours else None


def _frame(name: bytes, body: bytes, version: int) -> bytes:
    if version == 2:
        return name + len(body).to_bytes(3, "big") + body
    size = _safe(len(body)) if version == 4 else len(body).to_bytes(4, "big")
    return name + size + bytes(2) + body


def _frames(tag: bytes) -> Iterator[_Frame]:
    """The frames of a tag. A tag-wide unsynchronisation is undone; an extended header is left out."""
    version, flags = tag[3], tag[5]
    body = tag[10 : 10 + _safe_number(tag[6:10])]
    if flags & _UNSYNCHRONISED and version < 4:
        body = body.replace(b"\xff\x00", b"\xff")
    at = 0
    if flags & _EXTENDED:
        if version == 2:  # there the bit says that all is compressed, in a way nobody wrote down
            raise NotWritable("Its ID3 tag is compressed.")
        at = _safe_number(body[:4]) if version == 4 else int.from_bytes(body[:4], "big") + 4
    letters, header = (3, 6) if version == 2 else (4, 10)
    while at + header <= len(body) and body[at] != 0:
        name = body[at : at + letters]
        size = _frame_size(body, at, version)
        end = at + header + size
        if end > len(body) or not (name.isalnum() and name == name.upper()):
            raise NotWritable("Its ID3 tag is damaged.")
        yield _Frame(name, body[at:end], body[at + header : end])
        at = end


def _frame_size(body: bytes, at: int, version: int) -> int:
    if version == 2:
        return int.from_bytes(body[at + 3 : at + 6], "big")
    plain, raw = int.from_bytes(body[at + 4 : at + 8], "big"), body[at + 4 : at + 8]
    if version == 3 or max(raw) > 0x7F:
        return plain
    safe = _safe_number(raw)
    # Old iTunes wrote plain sizes into 2.4: that one is right which leads to another frame.
    return plain if safe != plain and not _leads_on(body, at + 10 + safe) and _leads_on(body, at + 10 + plain) else safe


def _leads_on(body: bytes, at: int) -> bool:
    following = body[at : at + 4]
    return at == len(body) or (len(following) == 4 and (following.isalnum() or following == bytes(4)))


def _safe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def _safe_number(raw: bytes) -> int:
    return sum((byte & 0x7F) << shift for byte, shift in zip(raw, (21, 14, 7, 0), strict=False))
