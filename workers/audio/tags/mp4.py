"""MP4 and QuickTime: ``tmpo`` and iTunes' freeform fields, in ``moov.udta.meta.ilst``."""

from __future__ import annotations

from collections.abc import Iterator

from workers.audio.chunks import Bytes
from workers.audio.tags.fields import LONGEST, MOST_FIELDS, wanted

_TEXT, _INTEGERS = 1, (0, 21)

Box = tuple[bytes, int, int]
"""Its name, where its content starts and where it ends."""


def fields(data: Bytes, start: int) -> Iterator[tuple[str, str]]:
    """The fields that speak of tempo or key, as (name, text)."""
    for moov in _boxes(data, start, data.size, b"moov"):
        for udta in _boxes(data, *moov[1:], b"udta"):
            for _, at, end in _boxes(data, *udta[1:], b"meta"):
                # QuickTime's box has no version in front of what is in it
                versioned = data.at(at + 4, 4) != b"hdlr"
                for ilst in _boxes(data, at + 4 * versioned, end, b"ilst"):
                    yield from _items(data, *ilst[1:])


def _boxes(data: Bytes, at: int, end: int, wanted_name: bytes | None = None) -> Iterator[Box]:
    for _ in range(MOST_FIELDS):
        box = box_at(data.at(at, 16), at, end)
        if box is None:
            return
        if wanted_name in (None, box[0]):
            yield box
        at = box[2]


def box_at(head: bytes, at: int, end: int) -> Box | None:
    """The box whose first 16 bytes are `head`, in a box or file that ends at `end`; ``None`` if it does not add up."""
    size, header = int.from_bytes(head[:4], "big"), 8
    if size == 1:
        size, header = int.from_bytes(head[8:16], "big"), 16
    elif size == 0:
        size = end - at
    return (head[4:8], at + header, at + size) if len(head) >= 8 and header <= size <= end - at else None


def _items(data: Bytes, at: int, end: int) -> Iterator[tuple[str, str]]:
    for name, start, stop in _boxes(data, at, end):
        if name == b"tmpo":
            yield from (("tmpo", said) for said in _values(data, start, stop))
        elif name == b"----":
            called = "".join(
                data.at(a + 4, min(b - a - 4, LONGEST)).decode("utf-8", "replace")
                for _, a, b in _boxes(data, start, stop, b"name")
            )
            if wanted(called):
                yield from ((called, said) for said in _values(data, start, stop))


def _values(data: Bytes, at: int, end: int) -> Iterator[str]:
    for _, start, stop in _boxes(data, at, end, b"data"):
        raw = data.at(start, min(stop - start, LONGEST))
        if len(raw) < 9:
            continue
        kind = int.from_bytes(raw[1:4], "big")
        if kind == _TEXT:
            yield raw[8:].decode("utf-8", "replace")
        elif kind in _INTEGERS and len(raw) <= 16:
            yield str(int.from_bytes(raw[8:], "big"))
