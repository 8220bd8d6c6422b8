"""Which writer a file needs."""

from __future__ import annotations

from workers.audio.chunks import Bytes
from workers.audio.probe import identify, probe
from workers.errors import NotWritable
from workers.tagging.chunked import aiff, wav
from workers.tagging.flac import flac
from workers.tagging.marks import Marks
from workers.tagging.mp4 import mp4
from workers.tagging.mpeg import mpeg
from workers.tagging.ogg import ogg
from workers.tagging.splice import Splice, trimmed

WRITABLE = ("WAV", "RF64", "AIFF", "FLAC", "OGG", "MP3", "MP4")


def splice_of(fd: int, marks: Marks) -> Splice:
    """How the open file becomes one that says `marks`.

    Raises
    ------
    FileError
        If it is no audio file we read.
    NotWritable
        If its format has no place for them, or its structure leaves no safe way.
    """
    header = probe(fd)
    data = Bytes(fd)
    start, container, _ = identify(data)
    if container not in WRITABLE:
        raise NotWritable(f"{container} has no place that other programs read.")
    if header.truncated:
        raise NotWritable("It is cut short.")
    return trimmed(fd, _new(data, container, start, marks, header.sample_rate_hz or 0), data.size)


def _new(data: Bytes, container: str, start: int, marks: Marks, sample_rate_hz: int) -> Splice:
    if container in ("WAV", "RF64"):
        return wav(data, marks, sample_rate_hz)
    if container == "AIFF":
        return aiff(data, marks)
    if container == "FLAC":
        return flac(data, start, marks)
    if container == "OGG":
        return ogg(data, start, marks)
    return mp4(data, start, marks) if container == "MP4" else mpeg(data, marks)
