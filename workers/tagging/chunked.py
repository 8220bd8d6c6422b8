"""WAV and AIFF: chunks replaced where they are, new ones put at the end, the sizes above them mended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from workers.audio.chunks import SMALL, ByteOrder, Bytes, Chunk, walk
from workers.errors import NotWritable
from workers.tagging import id3, sampler
from workers.tagging.marks import Marks
from workers.tagging.splice import Keep, Splice, replaced, size_of, tidy

_LARGEST = 0xFFFFFFFF
_LARGEST_TAG = 64 << 20

Edit = Callable[[bytes | None], bytes | None]
"""From a chunk's body, or ``None`` where there is none, to the new one, or ``None`` to leave all as it is."""


def wav(data: Bytes, marks: Marks, sample_rate_hz: int) -> Splice:
    """A WAV (RIFF, RF64, BW64) with ``acid``, ``smpl``, ``inst`` and ``id3 `` chunks.

    Raises
    ------
    NotWritable
        If its chunks do not add up, or it is big-endian.
    """
    if data.head[:4] not in (b"RIFF", b"RF64", b"BW64"):
        raise NotWritable("It is a big-endian WAV (RIFX), which few programs read back.")
    edits: dict[bytes, Edit] = {
        b"acid": lambda there: sampler.acid(marks, there),
        b"smpl": lambda there: sampler.smpl(marks, there, sample_rate_hz),
        b"inst": lambda there: sampler.inst(marks, there),
        b"id3 ": lambda there: id3.rewritten(_tag(there), marks),
    }
    long = data.head[:4] != b"RIFF"
    sizes = {b"data": int.from_bytes(data.at(28, 8), "little")} if long else None
    size_at, claimed = (20, int.from_bytes(data.at(20, 8), "little")) if long else (4, _number(data, "little"))
    new, body = _spliced(data, edits, "<", claimed, sizes)
    return _with_size(new, size_at, body.to_bytes(8 if long else 4, "little")) if body != claimed else new


def aiff(data: Bytes, marks: Marks) -> Splice:
    """An AIFF or AIFF-C with ``INST`` and ``ID3 `` chunks. Raises `NotWritable` as `wav` does."""
    edits: dict[bytes, Edit] = {
        b"INST": lambda there: sampler.aiff_inst(marks, there),
        b"ID3 ": lambda there: id3.rewritten(_tag(there), marks),
    }
    claimed = _number(data, "big")
    new, body = _spliced(data, edits, ">", claimed, None)
    return _with_size(new, 4, body.to_bytes(4, "big")) if body != claimed else new


def _tag(there: bytes | None) -> bytes:
    if there is None or not there.strip(b"\0"):
        return b""
    if not id3.length(there[:10]):
        raise NotWritable("Its ID3 chunk holds something else.")
    return there


def _number(data: Bytes, order: Literal["little", "big"]) -> int:
    return int.from_bytes(data.at(4, 4), order)


def _spliced(
    data: Bytes, edits: Mapping[bytes, Edit], order: ByteOrder, claimed: int, sizes: dict[bytes, int] | None
) -> tuple[Splice, int]:
    """The new file but for its outer size, and that size."""
    end = claimed + 8
    if end > data.size:
        raise NotWritable("Its header claims more bytes than it has: it is cut short.")
    chunks = [chunk for chunk in walk(data, 12, order, sizes) if chunk.offset - 8 < end]
    sound = [chunk.size for chunk in chunks if chunk.id in (b"data", b"SSND")]
    if not all(sound) or not sound or chunks[-1].offset + chunks[-1].size > end:
        raise NotWritable("Its chunks do not add up, or its header does not say where its sound ends.")
    end = chunks[-1].offset + chunks[-1].size
    padded = end + (end & 1) if end & 1 and data.at(end, 1) else end
    changes = list(_changes(data, edits, chunks, order))
    new = _new_chunks(edits, {_alike(chunk.id) for chunk in chunks}, order)
    if new and padded & 1:
        new = b"\0" + new
    if new:
        changes.append((padded, padded, new))
    splice = replaced(data.size, sorted(changes))
    body = padded - 8 + size_of(splice) - data.size
    if sizes is None and body > _LARGEST:
        raise NotWritable("It would grow beyond the 4 GB its format can have.")
    return splice, body


def _changes(
    data: Bytes, edits: Mapping[bytes, Edit], chunks: list[Chunk], order: ByteOrder
) -> list[tuple[int, int, bytes]]:
    """The first chunk of each kind we write, replaced where its body changes."""
    found: list[tuple[int, int, bytes]] = []
    seen: set[bytes] = set()
    for chunk in chunks:
        name = _alike(chunk.id)
        edit = edits.get(name) or edits.get(name.upper())
        if edit is None or name in seen:
            continue
        seen.add(name)
        if chunk.size > (_LARGEST_TAG if name == b"id3 " else SMALL):
            raise NotWritable(f"Its '{chunk.id.decode('latin-1')}' chunk is too large to be one.")
        there = data.at(chunk.offset, chunk.size)
        body = edit(there)
        if body is not None and body != there:
            stop = chunk.offset + chunk.size
            stop += bool(chunk.size & 1 and data.at(stop, 1) == b"\0")
            found.append((chunk.offset - 8, stop, _chunk(chunk.id, body, order)))
    return found


def _alike(name: bytes) -> bytes:
    """``id3 `` and ``ID3 `` are one."""
    return b"id3 " if name == b"ID3 " else name


def _new_chunks(edits: Mapping[bytes, Edit], there: set[bytes], order: ByteOrder) -> bytes:
    made = ((name, edit(None)) for name, edit in edits.items() if _alike(name) not in there)
    return b"".join(_chunk(name, body, order) for name, body in made if body is not None)


def _chunk(name: bytes, body: bytes, order: ByteOrder) -> bytes:
    return name + len(body).to_bytes(4, "little" if order == "<" else "big") + body + bytes(len(body) & 1)


def _with_size(splice: Splice, at: int, size: bytes) -> Splice:
    """The same with the outer size replaced: it stands before all chunks, in the first piece that is kept."""
    first, *rest = splice
    assert isinstance(first, Keep)
    assert first.start == 0
    assert first.stop >= at + len(size)
    return tidy([Keep(0, at), size, Keep(at + len(size), first.stop), *rest])
