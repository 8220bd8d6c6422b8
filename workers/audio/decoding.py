"""Choosing the decoder of one file. Runs in the helper process; opens no path."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from workers.audio.layout import Probe
from workers.audio.ogg import mend_pages
from workers.audio.outcome import Limits, Outcome
from workers.audio.pcm import decode_pcm
from workers.errors import DecodeFailed, OutOfMemory, Unreadable


def decode_fd(fd: int, probe: Probe, limits: Limits, out: NDArray[np.float32]) -> Outcome:
    """Decode what `probe` found in `fd` to the start of `out`, a flat array as long as `limits` allow.

    Where libsndfile fails on a file whose header is right, FFmpeg is asked before it is given up.

    Raises
    ------
    FileError
        `DecodeFailed`, `NotAudio`, `UnsupportedFormat`, `BrokenHeader`, `OutOfMemory` or `Unreadable`.
    """
    try:
        if probe.decoding == "pcm":
            return decode_pcm(fd, probe, limits, out)
        if probe.decoding == "sndfile":
            return _sndfile_then_ffmpeg(fd, probe, limits, out)
        return _ffmpeg(fd, probe, limits, out)
    except MemoryError as error:
        raise OutOfMemory from error
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from error


def _sndfile_then_ffmpeg(fd: int, probe: Probe, limits: Limits, out: NDArray[np.float32]) -> Outcome:
    # Imported when the first such file comes: a library of WAVs never pays for it.
    from workers.audio.sndfile import decode_sndfile

    try:
        return decode_sndfile(fd, probe, limits, out)
    except DecodeFailed:
        return _ffmpeg(fd, probe, limits, out)


def _ffmpeg(fd: int, probe: Probe, limits: Limits, out: NDArray[np.float32]) -> Outcome:
    from workers.audio.ffmpeg import decode_ffmpeg, decode_stream  # 20 MB and 0.1 s: only where it is needed

    try:
        return decode_ffmpeg(fd, probe, limits, out)
    except DecodeFailed:
        mended = mend_pages(fd) if probe.container == "OGG" else None
        if mended is None:
            raise
        return replace(decode_stream(mended, probe, limits, out), damaged=True)
