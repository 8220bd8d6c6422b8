"""What a file is and what its header says, before any decoder sees a byte of it.

Most attacks on decoders, and most accidents, are headers that lie: 65,535 channels, a rate of 4 GHz, 2^36 samples.
They are refused here, in Python, with the reason.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace

from workers.audio import mpeg
from workers.audio.aiff import probe_aiff, probe_au
from workers.audio.chunks import SMALL, Bytes
from workers.audio.layout import Decoding, Probe, check_channels, check_rate
from workers.audio.sniff import UNSUPPORTED, id3_length, sniff
from workers.audio.tags import tags_of_stream
from workers.audio.wav import probe_wav
from workers.errors import BrokenHeader, EmptyFile, NotAudio, UnsupportedFormat

_MAX_TAGS = 4
"""ID3 tags one behind the other that are skipped."""
_LAST_PAGE = 1 << 16


def probe(fd: int) -> Probe:
    """Read the header of the open regular file `fd`; neither its name nor its offset matters.

    Raises
    ------
    FileError
        `EmptyFile`, `NotAudio`, `UnsupportedFormat`, `BrokenHeader`, `EmptyAudio` or `Unreadable`.
    """
    data = Bytes(fd)
    if not data.size:
        raise EmptyFile
    start, container, first = identify(data)
    if container is None:
        raise NotAudio
    if container in UNSUPPORTED:
        raise UnsupportedFormat(UNSUPPORTED[container])
    if container in ("WAV", "RF64"):
        _at_start(start, container)
        return probe_wav(data, container)
    if container == "AIFF":
        _at_start(start, container)
        return probe_aiff(data)
    if container == "AU":
        _at_start(start, container)
        return probe_au(data)
    return replace(_HEADERS[container](data, start, first), tags=tags_of_stream(data, container, start))


def _at_start(start: int, container: str) -> None:
    if start:
        raise UnsupportedFormat(f"{container} behind an ID3 tag.")


def identify(data: Bytes) -> tuple[int, str | None, bytes]:
    """Where the sound's own header starts (behind ID3 tags), its container or ``None``, and its first bytes."""
    start, first = 0, data.head
    for _ in range(_MAX_TAGS):
        tag = id3_length(first)
        if not tag:
            break
        start += tag
        first = data.at(start, SMALL)
    if not start:
        return 0, sniff(first), first
    # Some writers pad the tag with zeros beyond the size it states.
    padded = len(first) - len(first.lstrip(b"\0"))
    found = sniff(first[padded:]) if first[:3] != b"ID3" else None
    return start + padded, found, first[padded:]


def _flac(data: Bytes, start: int, first: bytes) -> Probe:
    if len(first) < 26 or first[4] & 0x7F != 0:
        raise BrokenHeader("No STREAMINFO block.")
    return _streaminfo(first[8:], "FLAC", "flac")


def _streaminfo(info: bytes, container: str, demuxer: str) -> Probe:
    if len(info) < 18:
        raise BrokenHeader("No STREAMINFO block.")
    packed = int.from_bytes(info[10:18], "big")
    rate, channels, bits = packed >> 44, (packed >> 41 & 7) + 1, (packed >> 36 & 31) + 1
    frames = packed & (1 << 36) - 1
    subtype = {1: "PCM_S8", 2: "PCM_16", 3: "PCM_24", 4: "PCM_32"}[(bits + 7) // 8]
    return Probe(container, subtype, check_rate(rate), channels, frames or None, "sndfile", demuxer)


def _ogg(data: Bytes, start: int, first: bytes) -> Probe:
    if len(first) < 28:
        raise BrokenHeader("No complete page.")
    packet = first[27 + first[26] :]
    last = _last_page(data)
    if packet[:7] == b"\x01vorbis" and len(packet) >= 16:
        channels, rate = struct.unpack_from("<BI", packet, 11)
        check_rate(rate)
        # libsndfile stops where a second song is chained behind the first.
        decoding: Decoding = "sndfile" if last.stream in (b"", first[14:18]) else "ffmpeg"
        found = Probe("OGG", "VORBIS", rate, check_channels(channels), last.granule, decoding, "ogg")
    elif packet[:8] == b"OpusHead" and len(packet) >= 19:
        skipped = struct.unpack_from("<H", packet, 10)[0]
        frames = max(last.granule - skipped, 0) or None if last.granule else None
        found = Probe("OGG", "OPUS", 48000, check_channels(packet[9]), frames, "ffmpeg", "ogg")
    elif packet[:5] == b"\x7fFLAC" and packet[9:13] == b"fLaC":
        found = _streaminfo(packet[17:], "OGG", "ogg")
    else:
        found = Probe("OGG", None, None, None, None, "ffmpeg", "ogg")
    return replace(found, truncated=not last.ends)


@dataclass(frozen=True, slots=True)
class _Page:
    """An Ogg file's last page: its position in frames (the length, unless streams are chained), its stream's number."""

    granule: int | None = None
    stream: bytes = b""
    ends: bool = False
    """It is whole and says that it is the last."""


def _last_page(data: Bytes) -> _Page:
    tail = data.at(max(data.size - _LAST_PAGE, 0), _LAST_PAGE)
    at = tail.rfind(b"OggS")
    if at < 0 or len(tail) < at + 27:
        return _Page()
    granule: int = struct.unpack_from("<q", tail, at + 6)[0]
    lacing = tail[at + 27 : at + 27 + tail[at + 26]]
    whole = len(lacing) == tail[at + 26] and len(tail) >= at + 27 + len(lacing) + sum(lacing)
    return _Page(granule if granule > 0 else None, tail[at + 14 : at + 18], whole and bool(tail[at + 5] & 4))


def _frames(data: Bytes, start: int, first: bytes) -> Probe:
    """MPEG audio, AAC in ADTS, AC-3: no header but their frames'."""
    found = mpeg.find_frame(first, SMALL)
    if found is None:
        raise NotAudio
    at, frame = found
    check_rate(frame.sample_rate_hz)
    if frame.container == "MP3":
        # libsndfile guesses the length where none is stated, and drops what lies behind its guess; and it wants a
        # frame first. FFmpeg in both cases.
        frames = mpeg.stated_length(first, at, frame, data.size - start - at)
        decoding: Decoding = "sndfile" if frames and not at else "ffmpeg"
        return Probe("MP3", frame.subtype, frame.sample_rate_hz, frame.channels, frames, decoding, "mp3")
    demuxer = "aac" if frame.container == "ADTS" else "eac3" if frame.subtype == "EAC3" else "ac3"
    return Probe(frame.container, frame.subtype, None, None, None, "ffmpeg", demuxer)


def _caf(data: Bytes, start: int, first: bytes) -> Probe:
    if len(first) < 52 or first[8:12] != b"desc":
        raise BrokenHeader("No 'desc' chunk.")
    rate, kind, _, _, _, channels, bits = struct.unpack_from(">d4s5I", first, 20)
    subtype = {b"lpcm": f"PCM_{bits}", b"alac": "ALAC", b"aac ": "AAC", b"ima4": "IMA_ADPCM"}.get(kind)
    hertz = check_rate(rate if rate == rate else 0.0)
    return Probe("CAF", subtype, hertz, check_channels(channels), None, "ffmpeg", "caf")


def _matroska(data: Bytes, start: int, first: bytes) -> Probe:
    name = "WEBM" if b"webm" in first[:64] else "MATROSKA"
    return Probe(name, None, None, None, None, "ffmpeg", "matroska")


def _mp4(data: Bytes, start: int, first: bytes) -> Probe:
    return Probe("MP4", None, None, None, None, "ffmpeg", "mov")


def _wavpack(data: Bytes, start: int, first: bytes) -> Probe:
    return Probe("WAVPACK", "WAVPACK", None, None, None, "ffmpeg", "wv")


_HEADERS: dict[str, Callable[[Bytes, int, bytes], Probe]] = {
    "FLAC": _flac,
    "OGG": _ogg,
    "MP3": _frames,
    "ADTS": _frames,
    "AC3": _frames,
    "CAF": _caf,
    "MATROSKA": _matroska,
    "MP4": _mp4,
    "WAVPACK": _wavpack,
}
