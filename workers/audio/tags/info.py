"""``LIST`` chunks of type INFO in WAV files: ``IBPM``, which TagLib's programs write."""

from __future__ import annotations

from collections.abc import Iterator

from workers.audio.chunks import SMALL, Bytes, Chunk
from workers.audio.tags.fields import LONGEST, MOST_FIELDS, wanted


def fields(data: Bytes, chunk: Chunk) -> Iterator[tuple[str, str]]:
    """The fields that speak of tempo, as (name, text)."""
    raw = data.at(chunk.offset, min(chunk.size, SMALL))
    if raw[:4] != b"INFO":
        return
    at = 4
    for _ in range(MOST_FIELDS):
        head = raw[at : at + 8]
        if len(head) < 8:
            return
        size = int.from_bytes(head[4:], "little")
        name = head[:4].decode("latin-1")
        if wanted(name):
            yield name, raw[at + 8 : at + 8 + min(size, LONGEST)].decode("utf-8", "replace").partition("\0")[0]
        at += 8 + size + (size & 1)
