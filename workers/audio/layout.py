"""What a header says of a file, before any decoder sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from workers.audio.tags.fields import NOTHING, Tags
from workers.errors import BrokenHeader

MAX_CHANNELS = 64
MIN_RATE_HZ, MAX_RATE_HZ = 100, 768_000

Decoding = Literal["pcm", "sndfile", "ffmpeg"]


@dataclass(frozen=True, slots=True)
class Pcm:
    """Uncompressed samples: where they start and how one is written.

    `encoding` is numpy's name (``<i2``, ``u1``, ``>f8``), ``<i3`` or ``>i3`` for packed 24 bits, ``ulaw`` or ``alaw``.
    """

    encoding: str
    offset: int
    frames: int

    def plain(self) -> dict[str, str | int]:
        """As JSON types."""
        return {"encoding": self.encoding, "offset": self.offset, "frames": self.frames}


@dataclass(frozen=True, slots=True)
class Probe:
    """A header, read and found possible.

    Rate (Hz), channels and frames are ``None`` where only the decoder can tell; `frames` is what the header claims.
    """

    container: str
    subtype: str | None
    sample_rate_hz: int | None
    channels: int | None
    frames: int | None
    decoding: Decoding
    demuxer: str | None = None
    """FFmpeg's name of the container, where FFmpeg may be asked."""
    pcm: Pcm | None = None
    truncated: bool = False
    """The header claims more sound than the file has bytes for."""
    byte_order: Literal["<", ">"] = "<"
    chunks: Mapping[bytes, bytes] = field(default_factory=dict, repr=False)
    """Small chunks that hold hints, by their four letters."""
    tags: Tags = NOTHING
    """What its tags say of tempo and key."""


def check_rate(hertz: float) -> int:
    """The sample rate as an integer in Hz. Raises `BrokenHeader` where no recording can have it."""
    if not MIN_RATE_HZ <= hertz <= MAX_RATE_HZ:
        raise BrokenHeader(f"A sample rate of {hertz:.0f} Hz.")
    return round(hertz)


def check_channels(channels: int) -> int:
    """The number of channels. Raises `BrokenHeader` where there are none or more than `MAX_CHANNELS`."""
    if not 1 <= channels <= MAX_CHANNELS:
        raise BrokenHeader(f"{channels} channels.")
    return channels
