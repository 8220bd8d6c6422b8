"""Vorbis comments (FLAC, Ogg Vorbis, Opus, Ogg FLAC): our fields put among those that are there.

Ogg Vorbis I format specification: comment field and header specification, Xiph.Org, 2000.
"""

from __future__ import annotations

from collections.abc import Iterator

from workers.errors import NotWritable
from workers.tagging.id3 import ROOT_NOTE
from workers.tagging.marks import Marks

_VENDOR = b"SampleMind"
_TEMPO = ("BPM", "TEMPO", "TBPM")
_KEY = ("INITIALKEY", "KEY", "TKEY", "INITIAL KEY", "INITIAL_KEY")


def empty() -> bytes:
    """A block without a field."""
    return _counted(_VENDOR) + bytes(4)


def rewritten(block: bytes, marks: Marks) -> bytes:
    """A comment block with our fields: under the names it has for them, or under BPM, INITIALKEY, ROOT_MIDI_NOTE.

    What follows the last field (Vorbis' framing bit, Opus' padding) stays. Raises `NotWritable` if it is damaged.
    """
    vendor, at = _take(block, 0)
    count = int.from_bytes(block[at : at + 4], "little")
    at += 4
    fields: list[bytes] = []
    for _ in range(count):
        field, at = _take(block, at)
        fields.append(field)
    written = list(_merged(fields, marks))
    return _counted(vendor) + len(written).to_bytes(4, "little") + b"".join(map(_counted, written)) + block[at:]


def _merged(fields: list[bytes], marks: Marks) -> Iterator[bytes]:
    """The fields, ours in the place of those they replace: one of each name."""
    wanted = {
        names: value
        for names, value in (
            (_TEMPO, marks.tempo),
            (_KEY, marks.key),
            ((ROOT_NOTE,), None if marks.root_midi is None else str(marks.root_midi)),
        )
        if value is not None
    }
    said: set[str] = set()
    for field in fields:
        name = field.partition(b"=")[0].decode("ascii", "replace").upper()
        ours = next((names for names in wanted if name in names), None)
        if ours is None:
            yield field
        elif name not in said:
            said.add(name)
            yield f"{name}={wanted[ours]}".encode()
    for names, value in wanted.items():
        if not said.intersection(names):
            yield f"{names[0]}={value}".encode()


def _take(block: bytes, at: int) -> tuple[bytes, int]:
    size = int.from_bytes(block[at : at + 4], "little")
    stop = at + 4 + size
    if at + 4 > len(block) or stop > len(block):
        raise NotWritable("Its comments are damaged.")
    return block[at + 4 : stop], stop


def _counted(field: bytes) -> bytes:
    return len(field).to_bytes(4, "little") + field
