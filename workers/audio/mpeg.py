"""Frame headers of formats without a container: MPEG audio, AAC in ADTS, AC-3.

Eleven set bits are found in any random bytes, so a frame counts only where another of its kind follows it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}  # by version bits
_V1 = {
    3: (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    2: (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
}  # kbit/s by layer bits
_V2_LAYER_1 = (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256)
_V2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_ADTS_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
_AC3_KBITS = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)
_AC3_CHANNELS = (2, 1, 2, 3, 3, 4, 4, 5)
_EAC3_RATES = (48000, 44100, 32000)


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame's header: container and subtype in libsndfile's words, rate in Hz, length in bytes."""

    container: str
    subtype: str
    sample_rate_hz: int
    channels: int
    length: int
    samples: int

    def same_stream(self, other: Frame) -> bool:
        """Whether both can belong to one stream; bit rate and joint stereo may change."""
        return (self.container, self.subtype, self.sample_rate_hz) == (
            other.container,
            other.subtype,
            other.sample_rate_hz,
        )


def frame_at(data: bytes, at: int) -> Frame | None:
    """Read the frame header at `at`, or ``None`` where there is none."""
    if len(data) < at + 7:
        return None
    if data[at] == 0x0B and data[at + 1] == 0x77:
        return _ac3(data, at)
    if data[at] != 0xFF or data[at + 1] & 0xE0 != 0xE0:
        return None
    if data[at + 1] & 0xF6 == 0xF0:
        return _adts(data, at)
    return _mpeg(data, at)


def find_frame(data: bytes, window: int) -> tuple[int, Frame] | None:
    """Find the first frame in the first `window` bytes that another of its stream follows.

    A frame that fills the rest of `data` counts if it starts where the data start: a one-frame file.
    """
    for at in range(max(min(window, len(data) - 6), 0)):
        if data[at] not in (0xFF, 0x0B):
            continue
        first = frame_at(data, at)
        if first is None:
            continue
        second = frame_at(data, at + first.length)
        if second is not None and second.same_stream(first):
            return at, first
        if at == 0 and first.length == len(data):
            return at, first
    return None


def stated_length(data: bytes, at: int, frame: Frame, there: int) -> int | None:
    """Samples a Xing, Info or VBRI header in the first frame states, or ``None`` where there is none to be trusted.

    One is trusted where it also states the stream's bytes and they are `there`, within one part in a hundred: joined
    and cut files keep the header of what they were made from.
    """
    side = (17 if frame.channels == 1 else 32) if frame.sample_rate_hz >= 32000 else (9 if frame.channels == 1 else 17)
    tag = data[at + 4 + side : at + 20 + side]
    if tag[:4] in (b"Xing", b"Info") and len(tag) == 16 and tag[7] & 3 == 3:
        count, size = struct.unpack_from(">II", tag, 8)
    elif data[at + 36 : at + 40] == b"VBRI" and len(data) >= at + 54:
        size, count = struct.unpack_from(">II", data, at + 46)
    else:
        return None
    return count * frame.samples if count and abs(size - there) <= max(there // 100, 512) else None


def _mpeg(data: bytes, at: int) -> Frame | None:
    version, layer = (data[at + 1] >> 3) & 3, (data[at + 1] >> 1) & 3
    bitrate, rate, padding = data[at + 2] >> 4, (data[at + 2] >> 2) & 3, (data[at + 2] >> 1) & 1
    if version == 1 or layer == 0 or bitrate in (0, 15) or rate == 3 or data[at + 3] & 3 == 2:
        return None
    table = _V1[layer] if version == 3 else _V2_LAYER_1 if layer == 3 else _V2
    bits, hertz = table[bitrate] * 1000, _RATES[version][rate]
    if layer == 3:
        length, samples = (12 * bits // hertz + padding) * 4, 384
    else:
        samples = 576 if layer == 1 and version != 3 else 1152
        length = samples // 8 * bits // hertz + padding
    name = {3: "MPEG_LAYER_I", 2: "MPEG_LAYER_II", 1: "MPEG_LAYER_III"}[layer]
    return Frame("MP3", name, hertz, 1 if data[at + 3] >> 6 == 3 else 2, length, samples)


def _adts(data: bytes, at: int) -> Frame | None:
    rate = (data[at + 2] >> 2) & 15
    length = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
    channels = (data[at + 2] & 1) << 2 | data[at + 3] >> 6
    if rate >= len(_ADTS_RATES) or length < 7:
        return None
    return Frame("ADTS", "AAC", _ADTS_RATES[rate], {0: 2, 7: 8}.get(channels, channels), length, 1024)


def _ac3(data: bytes, at: int) -> Frame | None:
    stream = data[at + 5] >> 3
    if stream > 16:
        return None
    if stream > 10:
        return _eac3(data, at)
    rate, size = data[at + 4] >> 6, data[at + 4] & 63
    if rate == 3 or size >= 2 * len(_AC3_KBITS):
        return None
    hertz, kbits = (48000, 44100, 32000)[rate], _AC3_KBITS[size >> 1]
    words = kbits * 96000 // hertz + (size & 1 if rate == 1 else 0)
    mode = data[at + 6] >> 5
    return Frame("AC3", "AC3", hertz, _AC3_CHANNELS[mode] + _low_frequency(data[at + 6], mode), words * 2, 1536)


def _low_frequency(byte: int, mode: int) -> int:
    """The LFE bit follows 0, 2 or 4 bits of mixing levels, depending on the channels in front and behind."""
    skipped = 2 * (mode & 1 and mode != 1) + 2 * bool(mode & 4) + 2 * (mode == 2)
    return byte >> (4 - skipped) & 1 if skipped <= 4 else 0


def _eac3(data: bytes, at: int) -> Frame | None:
    length = ((data[at + 2] & 7) << 8 | data[at + 3]) * 2 + 2
    rate, mode, low = data[at + 4] >> 6, (data[at + 4] >> 1) & 7, data[at + 4] & 1
    if rate == 3:
        hertz = _EAC3_RATES[(data[at + 4] >> 4 & 3) % 3] // 2
    else:
        hertz = _EAC3_RATES[rate]
    return Frame("AC3", "EAC3", hertz, _AC3_CHANNELS[mode] + low, length, 1536)
