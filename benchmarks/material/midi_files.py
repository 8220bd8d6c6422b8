"""Multi-track MIDI of free games, rendered: OpenTTD's music and Freedoom's, as Debian packages them."""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.material import finish, fonts
from benchmarks.material.fonts import SR, MissingTools
from benchmarks.material.made import Made
from benchmarks.material.rows import Row

_FILES = Path("/usr/share/games/openttd/baseset/openmsx")
_WADS = Path("/usr/share/games/doom")


@dataclass(frozen=True, slots=True)
class Piece:
    """A MIDI file, its tempo (one only) and whether it has drums."""

    name: str
    data: bytes
    bpm: float
    seconds: float
    first_s: float
    """When its first note sounds."""
    drums: bool


@functools.cache
def pieces() -> tuple[Piece, ...]:
    """Every piece with one tempo.

    Raises
    ------
    MissingTools
        If there is none.
    """
    found = [piece for name, data in _all() if (piece := examine(name, data))]
    if not found:
        raise MissingTools("no MIDI music found (openttd-openmsx, freedoom)")
    return tuple(found)


def _all() -> Iterator[tuple[str, bytes]]:
    for path in sorted(_FILES.glob("*.mid")):
        yield f"openmsx_{path.stem}", path.read_bytes()
    for path in sorted(_WADS.glob("*.wad")):
        yield from _lumps(path)


def _lumps(path: Path) -> Iterator[tuple[str, bytes]]:
    """The MIDI files inside a WAD."""
    data = path.read_bytes()
    _, count, directory = struct.unpack("<4sii", data[:12])
    for n in range(count):
        start, size, name = struct.unpack_from("<ii8s", data, directory + 16 * n)
        if data[start : start + 4] == b"MThd":
            yield f"{path.stem}_{name.rstrip(bytes(1)).decode('ascii', 'replace')}", data[start : start + size]


def examine(name: str, data: bytes) -> Piece | None:
    """What a MIDI file says of itself; None where its tempo changes, is not its notes' or is in frames of film."""
    division = int.from_bytes(data[12:14], "big")
    if division & 0x8000 or not division:
        return None
    tempos: dict[int, float] = {}
    notes: list[int] = []
    drums = 0
    for tick, status, payload in _events(data):
        if status == 0xFF and payload[:1] == b"\x51":
            tempos[tick] = 60e6 / int.from_bytes(payload[1:4], "big")
        elif status >> 4 == 9 and payload[1]:
            notes.append(tick)
            drums += status & 15 == 9
    if len(notes) < 40 or not _on_its_grid(notes, division):
        return None
    begin, end = min(notes), max(notes)
    in_use = {round(bpm, 2) for tick, bpm in tempos.items() if tick > begin}
    before = [bpm for tick, bpm in sorted(tempos.items()) if tick <= begin]
    bpm = before[-1] if before else 120.0
    if any(abs(other / bpm - 1) > 0.004 for other in in_use) or not 40 <= bpm <= 250:
        return None
    per_tick = 60 / bpm / division
    return Piece(name, data, bpm, end * per_tick, begin * per_tick, drums > 20)


def _on_its_grid(notes: list[int], division: int) -> bool:
    """Whether notes fall on quarters or thirds of a beat: what was played in freely says no true tempo."""
    beats = np.array(notes) / division
    return any(abs(np.exp(2j * np.pi * beats * parts).mean()) > 0.5 for parts in (4, 3))


def _events(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Every event of every track: when (ticks), its status, what it carries."""
    at = 14
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "big")
        if data[at : at + 4] == b"MTrk":
            yield from _track(data[at + 8 : at + 8 + size])
        at += 8 + size


def _track(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    at, tick, status = 0, 0, 0
    while at < len(data):
        delta, at = _number(data, at)
        tick += delta
        if data[at] & 0x80:
            status = data[at]
            at += 1
        if status == 0xFF:
            kind = data[at : at + 1]
            size, at = _number(data, at + 1)
            yield tick, status, kind + data[at : at + size]
        elif status in (0xF0, 0xF7):
            size, at = _number(data, at)
        else:
            size = 1 if status >> 4 in (0xC, 0xD) else 2
            yield tick, status, data[at : at + size]
        at += size


def _number(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    while True:
        value = value << 7 | data[at] & 127
        at += 1
        if not data[at - 1] & 128:
            return value, at


def make(n: int, rng: np.random.Generator, seed: int) -> Made | None:
    """The n-th: each piece in turn, another stretch of it and another font each time."""
    piece = pieces()[n % len(pieces())]
    seconds = float(rng.uniform(14, 28))
    # without a tempo event there is none to change
    speed = float(rng.uniform(0.88, 1.14)) if b"\xff\x51\x03" in piece.data else 1.0
    y = fonts.render_midi(_faster(piece.data, speed), fonts.pick(rng))
    spare = max(0.0, min(piece.seconds / speed, len(y) / SR) - seconds)
    start = piece.first_s / speed if rng.random() < 0.4 else float(rng.uniform(0, spare))
    y = finish.fade(y[round(start * SR) : round((start + seconds) * SR)], SR, 0.02)
    if len(y) < 8 * SR:
        return None
    row = Row(
        piece=piece.name,
        slice="gm_midi",
        kind="gm_midi+drums" if piece.drums else "gm_midi",
        source="deb:openttd-openmsx" if piece.name.startswith("openmsx") else "deb:freedoom",
        bpm=piece.bpm * speed,
    )
    return Made(finish.worn(y, SR, rng), SR, row)


def _faster(data: bytes, speed: float) -> bytes:
    """The same with other tempo events."""
    out = bytearray(data)
    at = 0
    while (at := data.find(b"\xff\x51\x03", at)) >= 0:
        tempo = int.from_bytes(data[at + 3 : at + 6], "big") / speed
        out[at + 3 : at + 6] = min(0xFFFFFF, round(tempo)).to_bytes(3, "big")
        at += 6
    return bytes(out)
