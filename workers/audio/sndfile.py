"""FLAC, Ogg Vorbis and MPEG audio by libsndfile: the fastest there is for them.

It drops an MP3's encoder delay where a LAME or Xing tag states it; without one the sound starts some 25 to 50 ms late.
"""

from __future__ import annotations

import os

import numpy as np
import soundfile
from numpy.typing import NDArray

from workers.audio.layout import Probe, check_channels, check_rate
from workers.audio.outcome import Limits, Outcome, silence_bad
from workers.errors import DecodeFailed


def decode_sndfile(fd: int, probe: Probe, limits: Limits, out: NDArray[np.float32]) -> Outcome:
    """Decode to the start of `out`, a flat array as long as `limits` allow.

    Raises
    ------
    DecodeFailed
        If libsndfile refuses the file or not one frame comes out of it.
    """
    os.lseek(fd, 0, os.SEEK_SET)  # libsndfile takes the offset it finds for the file's start
    try:
        with soundfile.SoundFile(fd, closefd=False) as file:
            return _read(file, probe, limits, out)
    except soundfile.LibsndfileError as error:
        raise DecodeFailed(error.error_string) from error


def _read(file: soundfile.SoundFile, probe: Probe, limits: Limits, out: NDArray[np.float32]) -> Outcome:
    channels, rate = check_channels(file.channels), check_rate(file.samplerate)
    claimed: int = file.frames
    most = limits.frames(rate, channels)
    # One call: after each, the binding seeks to where it already is, which costs a decoder its state.
    target = out[: min(claimed, most) * channels]
    frames = file.buffer_read_into(target.data.cast("B"), dtype="float32") if claimed else 0
    if not frames:
        raise DecodeFailed("Nothing could be decoded.")
    return Outcome(
        frames=frames,
        channels=channels,
        sample_rate_hz=rate,
        subtype=probe.subtype or file.subtype,
        total_frames=claimed if frames == min(claimed, most) else frames,
        complete=claimed <= most or frames < most,
        damaged=frames < min(claimed, most),
        bad_samples=silence_bad(target[: frames * channels]),
    )
