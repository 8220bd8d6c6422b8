"""FLAC: the comment block rewritten, out of the padding if there is enough."""

from __future__ import annotations

from workers.audio.chunks import Bytes
from workers.errors import NotWritable
from workers.tagging import comments
from workers.tagging.marks import Marks
from workers.tagging.splice import Splice, replaced

_STREAM_INFO, _PADDING, _COMMENTS = 0, 1, 4
_ROOM = 4096
_MOST_BLOCKS = 1024
_LARGEST = (1 << 24) - 1

Block = tuple[int, int, int]
"""Its type, where its header starts, where its body ends."""


def flac(data: Bytes, start: int, marks: Marks) -> Splice:
    """A FLAC file, whose ``fLaC`` is at `start`, with our comments. Raises `NotWritable` if its blocks are damaged."""
    blocks = _blocks(data, start + 4)
    there = next((block for block in blocks if block[0] == _COMMENTS), None)
    old = data.at(there[1] + 4, there[2] - there[1] - 4) if there else comments.empty()
    body = comments.rewritten(old, marks)
    if len(body) > _LARGEST:
        raise NotWritable("Its comments would be larger than FLAC allows.")
    grown = len(body) - len(old) if there else len(body) + 4
    room, grown = _room(blocks, grown)
    made = [(kind, at, stop) for kind, at, stop in blocks if kind != _PADDING]
    head = b"".join(_whole(data, block, body) for block in made)
    if not there:
        head += bytes([_COMMENTS]) + len(body).to_bytes(3, "big") + body
    head += bytes([_PADDING | 0x80]) + room.to_bytes(3, "big") + bytes(room)
    return replaced(data.size, [(start + 4, blocks[-1][2], head)])


def _room(blocks: list[Block], grown: int) -> tuple[int, int]:
    """The padding to write, in one block at the end, and by how much the file grows."""
    paddings = [stop - at for kind, at, stop in blocks if kind == _PADDING]
    room = sum(paddings) - 4 - grown
    return (room, 0) if 0 <= room <= _LARGEST else (_ROOM, grown)


def _whole(data: Bytes, block: Block, body: bytes) -> bytes:
    """A block, no longer the last, and with our body if it is the comments."""
    kind, at, stop = block
    content = body if kind == _COMMENTS else data.at(at + 4, stop - at - 4)
    return bytes([kind]) + len(content).to_bytes(3, "big") + content


def _blocks(data: Bytes, at: int) -> list[Block]:
    found: list[Block] = []
    for _ in range(_MOST_BLOCKS):
        head = data.at(at, 4)
        size = int.from_bytes(head[1:], "big")
        if len(head) < 4 or head[0] & 0x7F == 0x7F or at + 4 + size > data.size:
            break
        found.append((head[0] & 0x7F, at, at + 4 + size))
        if head[0] & 0x80:
            if found[0][0] != _STREAM_INFO or sum(kind == _COMMENTS for kind, _, _ in found) > 1:
                break
            return found
        at += 4 + size
    raise NotWritable("Its metadata blocks are damaged.")
