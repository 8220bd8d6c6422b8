"""Cut a stream of files into chunks of a few seconds of work, and the end of it into smaller ones.

A chunk that is too short costs messages, one that is too long has the other workers wait for the last. So all
are about one length except the last few, which get smaller and smaller: workers end almost together.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final

from stores.records import FileRef
from tasks.known import is_current

FILE_COST_S: Final = 0.004
"""Opening, hashing and writing one short file."""
AUDIO_COST: Final = 0.003
"""Seconds of work for a second of sound (decoding is 0.0004 to 0.0017 of it)."""
HASH_BYTES_PER_S: Final = 400e6
FETCH_COST_S: Final = 0.01
"""... where it is an object of a bucket: some are under way at once."""
FETCH_BYTES_PER_S: Final = 25e6

BYTES_PER_SECOND: Final = {
    "wav": 200e3,
    "wave": 200e3,
    "aif": 200e3,
    "aiff": 200e3,
    "aifc": 200e3,
    "bwf": 200e3,
    "rf64": 200e3,
    "w64": 200e3,
    "caf": 200e3,
    "au": 100e3,
    "snd": 100e3,
    "flac": 100e3,
    "ogg": 20e3,
    "oga": 20e3,
    "opus": 16e3,
    "mp3": 24e3,
    "mp2": 24e3,
    "m4a": 24e3,
    "m4b": 16e3,
    "mp4": 24e3,
    "aac": 24e3,
    "wma": 24e3,
    "wv": 100e3,
    "ape": 100e3,
    "alac": 100e3,
    "webm": 16e3,
    "mka": 24e3,
}
"""How much of a file is a second of sound, by its extension. These names are what is taken for audio."""

_TAIL_CHUNKS: Final = 4
_SMALLEST: Final = 8
"""The last chunks are an eighth of what is left, and never less than an eighth of a full one."""


def has_audio_name(path: str) -> bool:
    """Whether the file's name promises audio."""
    return _extension(path) in BYTES_PER_SECOND


def cost_s(file: FileRef, max_analyzed_s: float = 600) -> float:
    """Estimated work on a file, in seconds of one core."""
    if file.reason is not None or file.size < 0 or (file.known is not None and is_current(file.known)):
        return FILE_COST_S / 4
    rate = BYTES_PER_SECOND.get(_extension(file.path))
    sound_s = min(file.size / rate, max_analyzed_s) if rate else 0.0
    fetched_s = 0.0 if file.etag is None else FETCH_COST_S + file.size / FETCH_BYTES_PER_S
    return FILE_COST_S + sound_s * AUDIO_COST + file.size / HASH_BYTES_PER_S + fetched_s


def _extension(path: str) -> str:
    stem, dot, extension = path.rpartition("/")[2].rpartition(".")
    return extension.lower() if stem and dot else ""


class Cutter:
    """Collects files in order and gives chunks of them.

    Parameters
    ----------
    chunk_cost_s : float
        A chunk is closed when its estimated work reaches this.
    chunk_files : int
        ... or when it has so many files.
    max_analyzed_s : float
        Of a longer file no more is analysed.
    """

    def __init__(self, chunk_cost_s: float, chunk_files: int, max_analyzed_s: float) -> None:
        self._cost_s = chunk_cost_s
        self._files = chunk_files
        self._max_analyzed_s = max_analyzed_s
        self._open: list[FileRef] = []
        self._open_cost = 0.0
        self._closed: deque[list[FileRef]] = deque()

    def add(self, file: FileRef) -> Iterator[list[FileRef]]:
        """Take a file; the chunks that can be written now. The last few are held back for `end`."""
        self._open.append(file)
        self._open_cost += cost_s(file, self._max_analyzed_s)
        if self._open_cost >= self._cost_s or len(self._open) >= self._files:
            self._closed.append(self._open)
            self._open, self._open_cost = [], 0.0
        while len(self._closed) > _TAIL_CHUNKS:
            yield self._closed.popleft()

    def pause(self, *, nothing_yet: bool) -> Iterator[list[FileRef]]:
        """What can be written when the walk stops before its end: whole chunks, and with `nothing_yet` any.

        The rest is walked again next time; without the latter a slow disk would never get further.
        """
        chunks, self._closed = self._closed, deque()
        if nothing_yet and not chunks and self._open:
            chunks.append(self._open)
        self._open, self._open_cost = [], 0.0
        yield from chunks

    def end(self) -> Iterator[list[FileRef]]:
        """What is left when the walk is at its end, in chunks that get smaller."""
        rest = [file for chunk in self._closed for file in chunk] + self._open
        self._closed, self._open, self._open_cost = deque(), [], 0.0
        yield from self._taper(rest)

    def _taper(self, rest: Sequence[FileRef]) -> Iterator[list[FileRef]]:
        costs = [cost_s(file, self._max_analyzed_s) for file in rest]
        left, at = sum(costs), 0
        while at < len(rest):
            wanted = min(max(left / _SMALLEST, self._cost_s / _SMALLEST), self._cost_s)
            end, taken = at, 0.0
            while end < len(rest) and end - at < self._files and taken < wanted:
                taken += costs[end]
                end += 1
            yield list(rest[at:end])
            left -= taken
            at = end
