"""MP4 (M4A): iTunes' fields in ``moov.udta.meta.ilst``; the sound's offsets mended where it moves.

ISO/IEC 14496-12, "ISO base media file format"; the fields as iTunes writes them.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from workers.audio.chunks import Bytes
from workers.audio.tags.mp4 import box_at
from workers.errors import NotWritable
from workers.tagging.id3 import ROOT_NOTE
from workers.tagging.marks import Marks
from workers.tagging.splice import Splice, replaced

_LARGEST_MOOV = 256 << 20
_MOST_BOXES = 100_000
_TEXT, _INTEGER = 1, 21
_CONTAINERS = (b"trak", b"mdia", b"minf", b"stbl")
_HANDLER = b"\0" * 8 + b"mdirappl" + b"\0" * 9
_FREE_HEADER = 8

Box = tuple[bytes, int, int, int]
"""Its name, where its header starts, where its content starts, where it ends."""


def mp4(data: Bytes, start: int, marks: Marks) -> Splice:
    """An MP4 file, whose first box is at `start`, with our fields.

    Raises
    ------
    NotWritable
        If it is cut short, damaged, or cut into fragments.
    """
    top = list(_boxes(data.at, start, data.size))
    names = [name for name, *_ in top]
    if names.count(b"moov") != 1 or b"moof" in names or top[-1][3] != data.size:
        raise NotWritable("It is cut short, or streamed in fragments.")
    place = names.index(b"moov")
    _, at, inner, stop = top[place]
    if stop - at > _LARGEST_MOOV:
        raise NotWritable("Its index is too large.")
    moov = _with_fields(data.at(inner, stop - inner), marks)
    grown = len(moov) + 8 - (stop - at)
    following = top[place + 1] if place + 1 < len(top) else None
    if following is None or grown == 0:
        return replaced(data.size, [(at, stop, _box(b"moov", moov))])
    if following[0] == b"free" and (following[3] - following[1] - grown == 0 or _is_room(following, grown)):
        room = following[3] - following[1] - grown
        padding = _box(b"free", bytes(room - _FREE_HEADER)) if room else b""
        return replaced(data.size, [(at, following[3], _box(b"moov", moov) + padding)])
    return replaced(data.size, [(at, stop, _box(b"moov", _moved(moov, stop, grown)))])


def _is_room(free: Box, grown: int) -> bool:
    return _FREE_HEADER <= free[3] - free[1] - grown <= _LARGEST_MOOV


def _with_fields(moov: bytes, marks: Marks) -> bytes:
    """The content of ``moov`` with our fields."""
    udta = _inside(moov, b"udta") or b""
    meta = _inside(udta, b"meta")
    if meta is None:
        meta = bytes(4) + _box(b"hdlr", _HANDLER)
    if meta[4:8] == b"hdlr":
        raise NotWritable("Its fields are QuickTime's own.")
    if (_inside(meta[4:], b"hdlr") or b"")[8:12] != b"mdir":
        raise NotWritable("Its fields are not iTunes'.")
    ilst = _inside(meta[4:], b"ilst") or b""
    items = [ilst[at:stop] for name, at, inner, stop in _all(ilst) if not _replaced(name, ilst[inner:stop], marks)]
    items += _ours(marks)
    meta = meta[:4] + _with_child(meta[4:], b"ilst", b"".join(items))
    return _with_child(moov, b"udta", _with_child(udta, b"meta", meta))


def _ours(marks: Marks) -> Iterator[bytes]:
    if marks.bpm is not None:
        yield _box(b"tmpo", _data(_INTEGER, struct.pack(">H", round(marks.bpm))))
        if marks.tempo is not None and marks.bpm != round(marks.bpm):  # the field that programs know holds no fraction
            yield _named("BPM", marks.tempo)
    if marks.key is not None:
        yield _named("initialkey", marks.key)
    if marks.root_midi is not None:
        yield _named(ROOT_NOTE, str(marks.root_midi))


def _named(name: str, text: str) -> bytes:
    mean = _box(b"mean", bytes(4) + b"com.apple.iTunes")
    return _box(b"----", mean + _box(b"name", bytes(4) + name.encode()) + _data(_TEXT, text.encode()))


def _data(kind: int, value: bytes) -> bytes:
    return _box(b"data", struct.pack(">II", kind, 0) + value)


def _replaced(name: bytes, content: bytes, marks: Marks) -> bool:
    if name == b"tmpo":
        return marks.bpm is not None
    if name != b"----":
        return False
    called = (_inside(content, b"name") or b"")[4:].decode("utf-8", "replace").lower()
    return (
        (called in ("bpm", "tempo") and marks.bpm is not None)
        or (called in ("initialkey", "key") and marks.key is not None)
        or (called == ROOT_NOTE.lower() and marks.root_midi is not None)
    )


def _moved(moov: bytes, behind: int, by: int) -> bytes:
    """The content of a box with every offset into the file from `behind` on moved."""
    made = []
    for name, at, inner, stop in _all(moov):
        content = moov[inner:stop]
        if name in _CONTAINERS:
            made.append(_box(name, _moved(content, behind, by)))
        elif name in (b"stco", b"co64"):
            made.append(_box(name, _moved_offsets(content, name == b"co64", behind, by)))
        else:
            made.append(moov[at:stop])
    return b"".join(made)


def _moved_offsets(content: bytes, long: bool, behind: int, by: int) -> bytes:
    count = int.from_bytes(content[4:8], "big")
    form = f">{count}{'Q' if long else 'I'}"
    if len(content) < 8 + struct.calcsize(form):
        raise NotWritable("Its index is damaged.")
    moved = [offset + by if offset >= behind else offset for offset in struct.unpack_from(form, content, 8)]
    if not long and max(moved, default=0) > 0xFFFFFFFF:
        raise NotWritable("Its sound would move beyond 4 GB.")
    return content[:8] + struct.pack(form, *moved) + content[8 + struct.calcsize(form) :]


def _box(name: bytes, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + name + content


def _with_child(content: bytes, wanted: bytes, child: bytes) -> bytes:
    """A box's content with its first child of a name replaced, or one more at its end."""
    for name, at, _, stop in _all(content):
        if name == wanted:
            return content[:at] + _box(wanted, child) + content[stop:]
    end = max((stop for *_, stop in _all(content)), default=0)  # QuickTime ends its user data with a zero behind
    return content[:end] + _box(wanted, child) + content[end:]


def _inside(content: bytes, wanted: bytes) -> bytes | None:
    return next((content[inner:stop] for name, _, inner, stop in _all(content) if name == wanted), None)


def _all(content: bytes) -> Iterator[Box]:
    """The boxes of a content in memory."""
    return _boxes(lambda at, count: content[at : at + count], 0, len(content))


def _boxes(read: Callable[[int, int], bytes], at: int, end: int) -> Iterator[Box]:
    for _ in range(_MOST_BOXES):
        head = read(at, 16)
        if at == end or (head[:4] == bytes(4) and at + 4 == end):
            return
        box = box_at(head, at, end)
        if box is None:
            raise NotWritable("Its boxes do not add up.")
        name, inner, stop = box
        yield name, at, inner, stop
        at = stop
