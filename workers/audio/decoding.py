"""Choosing the decoder of one file. Runs in the helper process; opens no path."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from workers.audio.layout import Probe
from workers.audio.ogg import mend_pages
from workers.audio.outcome import Outcome, Room
from workers.audio.pcm import decode_pcm
from workers.errors import DecodeFailed, OutOfMemory, Unreadable


def decode_fd(fd: int, probe: Probe, room: Room) -> Iterator[Outcome]:
    """Decode what `probe` found in `fd` into `room`, block by block; the last is the one that is `complete`.

    Where libsndfile fails on a file whose header is right, FFmpeg is asked before it is given up. What breaks off
    behind the first block ends there, and is damaged.

    Raises
    ------
    FileError
        `DecodeFailed`, `NotAudio`, `UnsupportedFormat`, `BrokenHeader`, `OutOfMemory` or `Unreadable`.
    """
    block = None
    try:
        for block in _DECODERS[probe.decoding](fd, probe, room):
            yield block
    except DecodeFailed:
        if block is None:
            raise
        yield replace(block, frames=0, total_frames=None, complete=True, damaged=True, bad_samples=0)
    except MemoryError as error:
        raise OutOfMemory("Its header asks for it: it is too large, or damaged.") from error
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from error


def _or(blocks: Iterator[Outcome], otherwise: Callable[[], Iterator[Outcome] | None]) -> Iterator[Outcome]:
    """`blocks`, or where not even the first can be had, the others, if there are any."""
    try:
        first = next(blocks)
    except DecodeFailed:
        others = otherwise()
        if others is None:
            raise
    else:
        yield first
        others = blocks
    yield from others


def _sndfile(fd: int, probe: Probe, room: Room) -> Iterator[Outcome]:
    # Imported when the first such file comes: a library of WAVs never pays for it.
    from workers.audio.sndfile import decode_sndfile

    return _or(decode_sndfile(fd, probe, room), lambda: _ffmpeg(fd, probe, room))


def _ffmpeg(fd: int, probe: Probe, room: Room) -> Iterator[Outcome]:
    from workers.audio.ffmpeg import decode_ffmpeg, decode_stream  # 20 MB and 0.1 s: only where it is needed

    def mended() -> Iterator[Outcome] | None:
        file = mend_pages(fd) if probe.container == "OGG" else None
        return None if file is None else (replace(block, damaged=True) for block in decode_stream(file, probe, room))

    return _or(decode_ffmpeg(fd, probe, room), mended)


def _pcm(fd: int, probe: Probe, room: Room) -> Iterator[Outcome]:
    return decode_pcm(fd, probe, room)


_DECODERS = {"pcm": _pcm, "sndfile": _sndfile, "ffmpeg": _ffmpeg}
