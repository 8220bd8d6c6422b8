"""Notes, and the MIDI file that says them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

TICKS = 480
"""Ticks a quarter note."""
DRUMS = 9
"""The channel of the drums."""


@dataclass(frozen=True, slots=True)
class Note:
    """One note: when and how long in quarter notes, which key, how hard (1 to 127)."""

    at: float
    length: float
    pitch: int
    velocity: int = 90


@dataclass(frozen=True, slots=True)
class Part:
    """What one instrument plays; `program` counts from 0 as General MIDI does, and is the kit where it is drums."""

    notes: Sequence[Note]
    program: int = 0
    drums: bool = False
    volume: int = 100
    pan: int = 64


@dataclass(frozen=True, slots=True)
class Song:
    """Parts at one tempo (quarter notes a minute), all detuned by the same cents."""

    parts: Sequence[Part]
    bpm: float
    cents: float = 0.0
    quarters: float = field(default=0.0)
    """Length; 0 where the notes say it."""

    @property
    def length(self) -> float:
        """In quarter notes."""
        return self.quarters or max((n.at + n.length for part in self.parts for n in part.notes), default=1.0)


def encode(song: Song) -> bytes:
    """The song as a standard MIDI file of format 1."""
    tracks = [_track([(0, b"\xff\x51\x03" + round(60e6 / song.bpm).to_bytes(3, "big"))])]
    free = [c for c in range(16) if c != DRUMS]
    for part in song.parts:
        channel = DRUMS if part.drums else free.pop(0)
        tracks.append(_track(_events(part, channel, song.cents)))
    head = b"MThd" + (6).to_bytes(4, "big") + b"".join(x.to_bytes(2, "big") for x in (1, len(tracks), TICKS))
    return head + b"".join(tracks)


def _events(part: Part, channel: int, cents: float) -> list[tuple[int, bytes]]:
    control = bytes([0xB0 | channel])
    fine = round(8192 + 8191 * max(-1.0, min(1.0, cents / 100)))
    start = [control + bytes(pair) for pair in ((7, part.volume), (10, part.pan))]
    start.append(bytes([0xC0 | channel, part.program]))
    if not part.drums:
        # registered parameter 1: fine tuning of the channel
        start += [control + bytes(pair) for pair in ((101, 0), (100, 1), (6, fine >> 7), (38, fine & 127))]
    # in this order: a parameter is chosen before it is set
    events = [(0, n - len(start), data) for n, data in enumerate(start)]
    for note in part.notes:
        on, off = round(note.at * TICKS), round((note.at + note.length) * TICKS)
        pitch, velocity = max(0, min(127, note.pitch)), max(1, min(127, note.velocity))
        events.append((max(0, on), 1, bytes([0x90 | channel, pitch, velocity])))
        events.append((max(1, off, on + 1), 0, bytes([0x80 | channel, pitch, 0])))
    return [(tick, data) for tick, _, data in sorted(events)]


def _track(events: Sequence[tuple[int, bytes]]) -> bytes:
    body, last = b"", 0
    for tick, data in events:
        body += _variable(tick - last) + data
        last = tick
    body += b"\x00\xff\x2f\x00"
    return b"MTrk" + len(body).to_bytes(4, "big") + body


def _variable(number: int) -> bytes:
    out = bytes([number & 127])
    while number := number >> 7:
        out = bytes([number & 127 | 128]) + out
    return out
