"""FLAC, Ogg Vorbis and MPEG audio by libsndfile: the fastest there is for them.

It drops an MP3's encoder delay where a LAME or Xing tag states it; without one the sound starts some 25 to 50 ms late.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import cast

import soundfile

from workers.audio.layout import Probe, check_channels, check_rate
from workers.audio.outcome import Outcome, Room, silence_bad
from workers.errors import DecodeFailed


class _Forward(cast(type, soundfile.SoundFile)):  # type: ignore[misc]  # the binding is untyped
    """Read from start to end: after each read the binding would seek to where it is, and cost a decoder its state."""

    def seekable(self) -> bool:
        return False


def decode_sndfile(fd: int, probe: Probe, room: Room) -> Iterator[Outcome]:
    """Decode into `room`, block by block.

    Raises
    ------
    DecodeFailed
        If libsndfile refuses the file or not one frame comes out of it.
    """
    os.lseek(fd, 0, os.SEEK_SET)  # libsndfile takes the offset it finds for the file's start
    try:
        with _Forward(fd, closefd=False) as file:
            yield from _read(file, probe, room)
    except soundfile.LibsndfileError as error:
        raise DecodeFailed(error.error_string) from error


def _read(file: soundfile.SoundFile, probe: Probe, room: Room) -> Iterator[Outcome]:
    channels, rate = check_channels(file.channels), check_rate(file.samplerate)
    claimed: int = file.frames
    done, complete = 0, False
    while not complete:
        block = room.block(rate, channels)
        wanted = min(claimed - done, block.size // channels)
        target = block[: wanted * channels]
        frames = file.buffer_read_into(target.data.cast("B"), dtype="float32") if wanted else 0
        if not frames and not done:
            raise DecodeFailed("Nothing could be decoded.")
        done += frames
        complete = frames < wanted or done == claimed
        yield Outcome(
            frames=frames,
            channels=channels,
            sample_rate_hz=rate,
            subtype=probe.subtype or file.subtype,
            total_frames=done if frames < wanted else claimed,
            complete=complete,
            damaged=frames < wanted,
            # FLAC holds whole numbers: none of them is NaN, and looking takes a tenth of what decoding does
            bad_samples=0 if probe.container == "FLAC" else silence_bad(target[: frames * channels]),
        )
