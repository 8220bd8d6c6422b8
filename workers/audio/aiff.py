"""The headers of AIFF, AIFF-C and AU files."""

from __future__ import annotations

import math
import struct
from dataclasses import replace

from workers.audio.chunks import Bytes, Chunk, body, walk
from workers.audio.layout import Pcm, Probe, check_channels, check_rate
from workers.audio.tags import tags_of_chunks
from workers.errors import BrokenHeader, EmptyAudio, UnsupportedFormat

HINTS = (b"INST", b"MARK", b"basc")

_BY_BYTES = {1: ("i1", "PCM_S8"), 2: ("i2", "PCM_16"), 3: ("i3", "PCM_24"), 4: ("i4", "PCM_32")}
_AIFC = {
    b"fl32": (">f4", "FLOAT", 4),
    b"FL32": (">f4", "FLOAT", 4),
    b"fl64": (">f8", "DOUBLE", 8),
    b"FL64": (">f8", "DOUBLE", 8),
    b"ulaw": ("ulaw", "ULAW", 1),
    b"ULAW": ("ulaw", "ULAW", 1),
    b"alaw": ("alaw", "ALAW", 1),
    b"ALAW": ("alaw", "ALAW", 1),
    b"raw ": ("u1", "PCM_U8", 1),
    b"in24": (">i3", "PCM_24", 3),
    b"in32": (">i4", "PCM_32", 4),
    b"42ni": ("<i3", "PCM_24", 3),
    b"23ni": ("<i4", "PCM_32", 4),
}
_AU = {
    1: ("ulaw", "ULAW", 1),
    2: ("i1", "PCM_S8", 1),
    3: ("i2", "PCM_16", 2),
    4: ("i3", "PCM_24", 3),
    5: ("i4", "PCM_32", 4),
    6: ("f4", "FLOAT", 4),
    7: ("f8", "DOUBLE", 8),
    27: ("alaw", "ALAW", 1),
}


def probe_aiff(data: Bytes) -> Probe:
    """Read an AIFF or AIFF-C file's header.

    Raises
    ------
    BrokenHeader, UnsupportedFormat, EmptyAudio
    """
    found: dict[bytes, Chunk] = {}
    for chunk in walk(data, 12, ">"):
        found.setdefault(chunk.id, chunk)
    return replace(_probe(data, found), tags=tags_of_chunks(data, found))


def _probe(data: Bytes, found: dict[bytes, Chunk]) -> Probe:
    common = body(data, found[b"COMM"]) if b"COMM" in found else b""
    if len(common) < 18:
        raise BrokenHeader("No complete 'COMM' chunk.")
    channels, claimed, bits = struct.unpack_from(">HIH", common)
    check_channels(channels)
    rate = check_rate(_extended(common[8:18]))
    hints = {name: body(data, found[name]) for name in HINTS if name in found}
    if b"SSND" not in found or not claimed:
        raise EmptyAudio
    compression = common[18:22] if data.head[8:12] == b"AIFC" else b"NONE"
    if compression == b"ima4":
        return Probe("AIFF", "IMA_ADPCM", rate, channels, None, "ffmpeg", "aiff", byte_order=">", chunks=hints)
    encoding, subtype, width = _encoding(compression, bits)
    offset = _first_sample(data, found[b"SSND"])
    return _pcm("AIFF", (encoding, subtype, width), rate, channels, offset, claimed, data.size, hints)


def probe_au(data: Bytes) -> Probe:
    """Read an AU (Sun, NeXT) file's header.

    Raises
    ------
    BrokenHeader, UnsupportedFormat, EmptyAudio
    """
    if len(data.head) < 24:
        raise BrokenHeader("Too short.")
    order = ">" if data.head[:1] == b"." else "<"
    offset, size, code, rate, channels = struct.unpack_from(order + "5I", data.head, 4)
    check_channels(channels)
    check_rate(rate)
    if code not in _AU:
        raise UnsupportedFormat(f"AU encoding {code}.")
    if offset < 24:
        raise BrokenHeader(f"The sound starts at byte {offset}.")
    name, subtype, width = _AU[code]
    encoding = name if width == 1 else order + name
    there = max(data.size - offset, 0)
    claimed = (there if size == 0xFFFFFFFF else size) // (width * channels)
    return _pcm("AU", (encoding, subtype, width), rate, channels, offset, claimed, data.size, {})


def _pcm(
    container: str,
    written: tuple[str, str, int],
    rate: int,
    channels: int,
    offset: int,
    claimed: int,
    file_size: int,
    hints: dict[bytes, bytes],
) -> Probe:
    encoding, subtype, width = written
    frames = min(claimed, max(file_size - offset, 0) // (width * channels))
    if not frames:
        raise EmptyAudio
    return Probe(
        container=container,
        subtype=subtype,
        sample_rate_hz=rate,
        channels=channels,
        frames=frames,
        decoding="pcm",
        pcm=Pcm(encoding, offset, frames),
        truncated=claimed > frames,
        byte_order=">",
        chunks=hints,
    )


def _first_sample(data: Bytes, chunk: Chunk) -> int:
    skipped = data.at(chunk.offset, 4)
    return chunk.offset + 8 + (struct.unpack(">I", skipped)[0] if len(skipped) == 4 else 0)


def _encoding(compression: bytes, bits: int) -> tuple[str, str, int]:
    if compression in (b"NONE", b"twos", b"sowt", b"\x00\x00\x00\x00"):
        width = (bits + 7) // 8
        if width not in _BY_BYTES:
            raise BrokenHeader(f"{bits} bits a sample.")
        code, subtype = _BY_BYTES[width]
        order = "<" if compression == b"sowt" else ">"
        return (code if width == 1 else order + code), subtype, width
    if compression not in _AIFC:
        raise UnsupportedFormat(f"AIFF-C compression {compression.decode('latin-1')!r}.")
    return _AIFC[compression]


def _extended(raw: bytes) -> float:
    """An 80-bit extended float, as AIFF writes its sample rate; 0 for what is no positive number."""
    exponent, mantissa = struct.unpack(">HQ", raw)
    if exponent & 0x8000 or exponent in (0, 0x7FFF):
        return 0.0
    try:
        return math.ldexp(mantissa, exponent - 16383 - 63)
    except OverflowError:
        return math.inf
