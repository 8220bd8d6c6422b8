"""Ogg pages with flipped bits: a decoder drops each page whose checksum is wrong, 4 KB of sound for one bit.

Where that leaves nothing, the checksums are made right for what is there: a few blocks then crackle, the rest is music.
"""

from __future__ import annotations

import os
import zlib
from io import BytesIO
from itertools import accumulate

_MOST = 64 << 20
_HEADER = 27
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def mend_pages(fd: int) -> BytesIO | None:
    """The file's whole pages with checksums that fit; ``None`` where it is too large or holds no damaged page."""
    size = os.fstat(fd).st_size
    if size > _MOST:
        return None
    data = os.pread(fd, size, 0)
    mended = bytearray()
    damaged = False
    at = data.find(b"OggS")
    while at >= 0:
        page = _page(data, at)
        if page is None:
            at = data.find(b"OggS", at + 4)
            continue
        fixed = _with_checksum(page)
        damaged |= fixed != data[at : at + len(page)]
        mended += fixed
        at = data.find(b"OggS", at + len(page))
    return BytesIO(bytes(mended)) if damaged else None


def _page(data: bytes, at: int) -> bytes | None:
    """The page at `at`, or ``None`` where its lengths are cut. Of a page cut later its whole packets are kept."""
    if len(data) < at + _HEADER:
        return None
    lacing = data[at + _HEADER : at + _HEADER + data[at + 26]]
    start = at + _HEADER + len(lacing)
    if len(lacing) < data[at + 26]:
        return None
    kept, size = 0, 0
    for count, upto in enumerate(accumulate(lacing), 1):
        if start + upto > len(data):
            break
        if lacing[count - 1] < 255:  # the end of a packet
            kept, size = count, upto
    else:
        return data[at : start + sum(lacing)]
    return data[at : at + 26] + bytes([kept]) + lacing[:kept] + data[start : start + size]


def _with_checksum(page: bytes) -> bytes:
    blank = page[:22] + bytes(4) + page[26:]
    return page[:22] + checksum(blank).to_bytes(4, "little") + page[26:]


def checksum(page: bytes) -> int:
    """Ogg's CRC-32: zlib's polynomial with the bits the other way round, and nothing inverted."""
    plain = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{plain:032b}"[::-1], 2)
