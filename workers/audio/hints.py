"""What people and programs wrote down about a sound: RIFF and AIFF chunks, tags, and the file's name.

Hints are evidence, not truth: a name says 120 where the loop runs at 60, and an ``acid`` chunk is often a default.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workers.audio.layout import Probe
from workers.audio.names import read_name

_ONE_SHOT, _ROOT_SET = 1, 2


@dataclass(frozen=True, slots=True)
class Hints:
    """Everything found; ``None`` where nothing was said."""

    name_bpm: float | None = None
    name_tonic: str | None = None
    """One of `workers.model.TONICS`."""
    name_mode: str | None = None
    """``major`` or ``minor``."""
    name_note: str | None = None
    """A one-shot's root as written in the name, in sharps, with its octave (``C3``); octaves differ between makers."""
    name_midi: int | None = None
    """The same as a MIDI number, C4 being 60."""
    acid_bpm: float | None = None
    acid_beats: int | None = None
    acid_root_midi: int | None = None
    acid_oneshot: bool | None = None
    smpl_root_midi: int | None = None
    """The unity note of a ``smpl``, ``inst`` or AIFF ``INST`` chunk. Many programs write 60 without meaning it."""
    loop_frames: tuple[int, int] | None = None
    """The sampler's first loop: its first frame and the one behind its last."""
    tag_bpm: float | None = None
    """What the tags (ID3, Vorbis comments, MP4, APEv2) say; often some program's guess, rounded."""
    tag_tonic: str | None = None
    tag_mode: str | None = None


def read_hints(name: str, header: Probe) -> Hints:
    """Everything the file's `name`, and the chunks and tags of its `header` say. What makes no sense says nothing."""
    said = read_name(name)
    chunks, order = header.chunks, header.byte_order
    found: dict[str, Any] = {}
    if b"inst" in chunks:
        found |= _inst(chunks[b"inst"])
    if b"smpl" in chunks:
        found |= _smpl(chunks[b"smpl"], order, header.frames)
    if b"acid" in chunks:
        found |= _acid(chunks[b"acid"], order)
    if b"INST" in chunks:
        found |= _aiff_inst(chunks, header.frames)
    if b"basc" in chunks:
        found |= _apple_loop(chunks[b"basc"])
    tags = header.tags
    found |= {"tag_bpm": tags.bpm, "tag_tonic": tags.tonic, "tag_mode": tags.mode}
    return Hints(said.bpm, said.tonic, said.mode, said.note, said.midi, **found)


def _acid(raw: bytes, order: str) -> dict[str, Any]:
    """Sony ACID: flags, root note, beats, tempo."""
    if len(raw) < 24:
        return {}
    flags, root, _, _, beats, _, _, bpm = struct.unpack_from(order + "IHHfIHHf", raw)
    one_shot = bool(flags & _ONE_SHOT)
    return {
        "acid_oneshot": one_shot,
        "acid_root_midi": root if flags & _ROOT_SET and 0 < root <= 127 else None,
        "acid_beats": beats if not one_shot and 0 < beats < 100_000 else None,
        "acid_bpm": _bpm(bpm) if not one_shot else None,
    }


def _bpm(value: float) -> float | None:
    return round(float(value), 4) if math.isfinite(value) and 20 <= value <= 999 else None


def _smpl(raw: bytes, order: str, frames: int | None) -> dict[str, Any]:
    """MIDI sampler: unity note and loops."""
    if len(raw) < 36:
        return {}
    note, loops = struct.unpack_from(order + "I", raw, 12)[0], struct.unpack_from(order + "I", raw, 28)[0]
    said: dict[str, Any] = {"smpl_root_midi": note if note <= 127 else None}
    if loops and len(raw) >= 60:
        first, last = struct.unpack_from(order + "II", raw, 44)
        said["loop_frames"] = _loop(first, last + 1, frames)
    return said


def _loop(start: int, stop: int, frames: int | None) -> tuple[int, int] | None:
    return (start, stop) if start < stop and (frames is None or stop <= frames) else None


def _inst(raw: bytes) -> dict[str, Any]:
    return {"smpl_root_midi": raw[0] if raw and raw[0] <= 127 else None}


def _aiff_inst(chunks: Mapping[bytes, bytes], frames: int | None) -> dict[str, Any]:
    raw = chunks[b"INST"]
    if len(raw) < 14:
        return {}
    said: dict[str, Any] = {"smpl_root_midi": raw[0] if raw[0] <= 127 else None}
    playing, begin, end = struct.unpack_from(">hhh", raw, 8)
    marks = _marks(chunks.get(b"MARK", b""))
    if playing and begin in marks and end in marks:
        said["loop_frames"] = _loop(marks[begin], marks[end], frames)
    return said


def _marks(raw: bytes) -> dict[int, int]:
    """AIFF markers: frame by number."""
    if len(raw) < 2:
        return {}
    marks: dict[int, int] = {}
    at = 2
    for _ in range(struct.unpack_from(">H", raw)[0]):
        if len(raw) < at + 7:
            break
        number, frame = struct.unpack_from(">hI", raw, at)
        marks[number] = frame
        at += 6 + (raw[at + 6] + 2 & ~1)  # a counted string, padded to even
    return marks


def _apple_loop(raw: bytes) -> dict[str, Any]:
    """Apple Loops: the number of beats."""
    if len(raw) < 8:
        return {}
    beats = struct.unpack_from(">I", raw, 4)[0]
    return {"acid_beats": beats if 0 < beats < 100_000 else None}
