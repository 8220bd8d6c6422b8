"""The small chunks that samplers and sequencers read: ``acid``, ``smpl``, ``inst``, and AIFF's ``INST``.

A chunk that is there keeps all that is not ours: loops, gain, velocity ranges, metre.
"""

from __future__ import annotations

import struct

from workers.model import TONICS
from workers.tagging.marks import Marks

_ONE_SHOT, _ROOT_SET, _STRETCH = 1, 2, 4
_MIDDLE_C = 60

_ACID = struct.Struct("<IHHfIHHf")
_NO_ACID = _ACID.pack(0, _MIDDLE_C, 0x8000, 0.0, 0, 4, 4, 0.0)
_NO_INST = struct.pack("<BbbBBBB", _MIDDLE_C, 0, 0, 0, 127, 1, 127)
_NO_AIFF_INST = struct.pack(">bbbbbbh6h", _MIDDLE_C, 0, 0, 127, 1, 127, 0, 0, 0, 0, 0, 0, 0)


def acid(marks: Marks, there: bytes | None) -> bytes | None:
    """Sony ACID's chunk (24 bytes): stretch or one-shot, root note, beats, tempo. ``None`` where nothing is to be said.

    A loop's root is its tonic: by it ACID moves a loop to a song's key.
    """
    if there is None and marks.bpm is None and marks.root_midi is None:
        return None
    raw = there if there is not None and len(there) >= _ACID.size else _NO_ACID
    flags, root, unknown, zero, beats, low, high, bpm = _ACID.unpack_from(raw)
    if marks.one_shot:
        flags = flags & ~_STRETCH | _ONE_SHOT
    elif marks.bpm is not None:
        flags = flags & ~_ONE_SHOT | _STRETCH
        bpm, beats = marks.bpm, marks.beats or beats
    wanted = marks.root_midi
    if wanted is None and marks.tonic is not None and not marks.one_shot:
        wanted = _MIDDLE_C + TONICS.index(marks.tonic)
    if wanted is not None:
        flags, root = flags | _ROOT_SET, wanted
    return _ACID.pack(flags, root, unknown, zero, beats, low, high, bpm) + raw[_ACID.size :]


def smpl(marks: Marks, there: bytes | None, sample_rate_hz: int) -> bytes | None:
    """The MIDI sampler chunk: unity note and what the sound is above it; loops stay."""
    if marks.root_midi is None:
        return None
    period = round(1e9 / sample_rate_hz)
    raw = there if there is not None and len(there) >= 36 else struct.pack("<9I", 0, 0, period, 0, 0, 0, 0, 0, 0)
    # What is below the note would need the note beneath as unity: a semitone off for all who do not read fractions.
    fraction = round(max(marks.root_cents, 0.0) / 100 * 2**32)
    return raw[:12] + struct.pack("<II", marks.root_midi, min(fraction, 2**32 - 1)) + raw[20:]


def inst(marks: Marks, there: bytes | None) -> bytes | None:
    """The WAV instrument chunk (7 bytes): note and the cents by which a player is to mend the sound."""
    if marks.root_midi is None:
        return None
    raw = there if there is not None and len(there) >= 7 else _NO_INST
    return struct.pack("<Bb", marks.root_midi, _mending(marks)) + raw[2:]


def aiff_inst(marks: Marks, there: bytes | None) -> bytes | None:
    """AIFF's instrument chunk (20 bytes): base note and detune; loops stay."""
    if marks.root_midi is None:
        return None
    raw = there if there is not None and len(there) >= 20 else _NO_AIFF_INST
    return struct.pack(">bb", marks.root_midi, _mending(marks)) + raw[2:]


def _mending(marks: Marks) -> int:
    return max(-50, min(50, -round(marks.root_cents)))
