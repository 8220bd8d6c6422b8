"""The header of WAV files: RIFF, RIFX (big-endian), RF64 and BW64 (larger than 4 GB)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

from workers.audio.chunks import ByteOrder, Bytes, Chunk, body, walk
from workers.audio.layout import Pcm, Probe, check_channels, check_rate
from workers.audio.tags import tags_of_chunks
from workers.errors import BrokenHeader, EmptyAudio, UnsupportedFormat

HINTS = (b"acid", b"smpl", b"inst")

_PCM, _FLOAT, _ALAW, _ULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_COMPRESSED = {
    0x0002: "MS_ADPCM",
    0x0011: "IMA_ADPCM",
    0x0031: "GSM610",
    0x0050: "MPEG_LAYER_II",
    0x0055: "MPEG_LAYER_III",
    0x00FF: "AAC",
    0x2000: "AC3",
    0xF1AC: "FLAC",
}
_INTEGERS = {1: ("u1", "PCM_U8"), 2: ("i2", "PCM_16"), 3: ("i3", "PCM_24"), 4: ("i4", "PCM_32"), 8: ("i8", "PCM_64")}
_FLOATS = {4: ("f4", "FLOAT"), 8: ("f8", "DOUBLE")}
_UNKNOWN_LENGTHS = frozenset({0, 0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000, 0x7FFFFFF0})
"""What programs write that stream to a pipe and cannot come back: then the sound goes on to the file's end."""


@dataclass(frozen=True, slots=True)
class _Format:
    tag: int
    channels: int
    rate: int
    block_align: int
    bits: int


def probe_wav(data: Bytes, container: str) -> Probe:
    """Read a WAV file's header.

    Raises
    ------
    BrokenHeader
        If a part is missing or cannot be true.
    UnsupportedFormat
        If the sound is compressed in a way that is not read.
    EmptyAudio
        If there is no sound.
    """
    order: ByteOrder = ">" if data.head[:4] == b"RIFX" else "<"
    found = _chunks(data, order)
    if b"fmt " not in found:
        raise BrokenHeader(_why_not(b"fmt ", data, found))
    form = _format(body(data, found[b"fmt "]), order)
    check_channels(form.channels)
    check_rate(form.rate)
    if b"data" not in found:
        raise EmptyAudio(_why_not(b"data", data, found))
    size, truncated = _sound_bytes(data, found[b"data"])
    if not size:
        raise EmptyAudio
    plain = Probe(
        container=container,
        subtype=None,
        sample_rate_hz=form.rate,
        channels=form.channels,
        frames=None,
        decoding="pcm",
        truncated=truncated,
        byte_order=order,
        chunks={name: body(data, found[name]) for name in HINTS if name in found},
        tags=tags_of_chunks(data, found),
    )
    if form.tag in _COMPRESSED:
        return _compressed(plain, form, body(data, found[b"fact"]) if b"fact" in found else b"")
    return _uncompressed(plain, form, found[b"data"].offset, size)


def _why_not(name: bytes, data: Bytes, found: dict[bytes, Chunk]) -> str:
    """What hides a chunk: nothing is looked for behind one that claims to reach beyond the file's end."""
    missing = f"No {name.decode()!r} chunk."
    last = max(found.values(), key=lambda chunk: chunk.offset, default=None)
    if last is None or last.offset + last.size <= data.size:
        return missing
    left = max(data.size - last.offset, 0)
    return f"{missing} Its {last.id.decode()!r} chunk claims {last.size:,} bytes where {left:,} are left."


def _chunks(data: Bytes, order: ByteOrder) -> dict[bytes, Chunk]:
    """The first chunk of each kind; but an empty data chunk gives way to a later one, and other lists to INFO."""
    found: dict[bytes, Chunk] = {}
    for chunk in walk(data, 12, order, _long_sizes(data)):
        better = chunk.id == b"data" and b"data" in found and found[b"data"].size == 0
        better |= chunk.id == b"LIST" and data.at(chunk.offset, 4) == b"INFO"
        if chunk.id not in found or better:
            found[chunk.id] = chunk
    return found


def _long_sizes(data: Bytes) -> dict[bytes, int] | None:
    """RF64: the data chunk's size in 64 bits, from the ``ds64`` chunk that must come first."""
    if data.head[:4] not in (b"RF64", b"BW64"):
        return None
    if data.head[12:16] != b"ds64" or len(data.head) < 36:
        raise BrokenHeader("RF64 without a 'ds64' chunk.")
    return {b"data": struct.unpack_from("<Q", data.head, 28)[0]}


def _sound_bytes(data: Bytes, chunk: Chunk) -> tuple[int, bool]:
    """Bytes of sound that are really there, and whether the header claims more."""
    there = max(data.size - chunk.offset, 0)
    if chunk.size in _UNKNOWN_LENGTHS:
        if chunk.size == 0 and _chunk_follows(data, chunk.offset):
            return 0, False
        return (there, False) if there < chunk.size or not chunk.size else (chunk.size, False)
    return min(chunk.size, there), chunk.size > there


def _chunk_follows(data: Bytes, offset: int) -> bool:
    head = data.at(offset, 8)
    if len(head) < 8:
        return True
    return all(0x20 <= letter < 0x7F for letter in head[:4]) and head[:3].isalpha()


def _format(raw: bytes, order: ByteOrder) -> _Format:
    if len(raw) < 14:
        raise BrokenHeader("Its 'fmt ' chunk is too short.")
    tag, channels, rate, _, block_align = struct.unpack_from(order + "HHIIH", raw)
    bits = struct.unpack_from(order + "H", raw, 14)[0] if len(raw) >= 16 else 0
    if tag == _EXTENSIBLE:
        if len(raw) < 26:
            raise BrokenHeader("Its 'fmt ' chunk is too short.")
        (tag,) = struct.unpack_from(order + "H", raw, 24)
    return _Format(tag, channels, rate, block_align, bits)


def _encoding(form: _Format, order: ByteOrder) -> tuple[str, str, int]:
    """How one sample is written, the subtype, and its bytes."""
    if form.tag in (_ALAW, _ULAW):
        return ("alaw", "ALAW", 1) if form.tag == _ALAW else ("ulaw", "ULAW", 1)
    if form.tag not in (_PCM, _FLOAT):
        raise UnsupportedFormat(f"WAV format 0x{form.tag:04X}.")
    width, rest = divmod(form.block_align, form.channels)
    known = _INTEGERS if form.tag == _PCM else _FLOATS
    # The frame's size is what counts (20 bits lie in 3 bytes); where it is nonsense the bits are asked.
    if rest or width not in known or width * 8 < form.bits:
        width = (form.bits + 7) // 8
    if width not in known:
        raise BrokenHeader(f"{form.bits} bits a sample in frames of {form.block_align} bytes.")
    code, subtype = known[width]
    return (code if width == 1 else order + code), subtype, width


def _uncompressed(plain: Probe, form: _Format, offset: int, size: int) -> Probe:
    encoding, subtype, width = _encoding(form, plain.byte_order)
    frames = size // (width * form.channels)
    if not frames:
        raise EmptyAudio
    return replace(plain, subtype=subtype, frames=frames, pcm=Pcm(encoding, offset, frames))


def _compressed(plain: Probe, form: _Format, fact: bytes) -> Probe:
    """The ``fact`` chunk says how many frames come out."""
    if plain.byte_order == ">":
        raise UnsupportedFormat("Compressed sound in RIFX.")
    frames = struct.unpack_from("<I", fact)[0] if len(fact) >= 4 else 0
    return replace(plain, subtype=_COMPRESSED[form.tag], frames=frames or None, decoding="ffmpeg", demuxer="wav")
