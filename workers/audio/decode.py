"""A file's samples, decoded by a process that may die of it.

The worker reads the header (in Python), hands the open file to a long-lived helper process and finds the samples in
memory both share. A decoder that crashes, hangs or eats memory takes the helper with it, not the worker: the
next file gets a new one.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from config.logging import get_logger
from config.settings import DecodeSettings
from workers.audio import wire
from workers.audio.files import file_errors
from workers.audio.helper import Helper
from workers.audio.hints import Hints, read_hints
from workers.audio.layout import Probe, check_channels, check_rate
from workers.audio.memory import SharedMemory
from workers.audio.outcome import Limits, Outcome
from workers.audio.probe import probe
from workers.audio.sandbox import Confinement
from workers.errors import DecodeFailed, DecoderCrashed, NoFiniteSamples, ParameterError, TooLarge
from workers.model import AudioInfo

_SHARE = 24
"""One part in so many of the helper's memory is for samples: 85 of 2048 MB are 4 minutes of stereo at 44.1 kHz. With
the worker's own 200 MB and what the analysis makes of them, any file stays below 400."""

_LEAST = 384 << 20
"""Address space of Python, numpy and two decoders alone: 222 MB measured."""

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Decoded:
    """One file's samples."""

    y: NDArray[np.float32] = field(repr=False)
    """Shape (frames, channels), full scale 1. A view that the next `decode` overwrites."""
    info: AudioInfo
    hints: Hints
    truncated: bool
    """The file holds less sound than its header says, or parts of it could not be decoded."""
    bad_samples: int
    """Samples that were NaN, infinite or absurdly large; they are 0 in `y`."""
    whole: bool = True
    """`y` is all there is; else `Decoder.go_on` has the rest."""


@dataclass(frozen=True, slots=True)
class Block:
    """What comes next of a long file."""

    y: NDArray[np.float32] = field(repr=False)
    """As `Decoded.y`: what was kept, and `frames` behind it."""
    frames: int
    last: bool
    truncated: bool
    bad_samples: int


class Decoder:
    """Decodes files, one at a time, in a helper process that is started when it is needed.

    Not for use by several threads. A helper that is alive when this process forks stays with the parent; the child
    starts its own. On Linux the helper ends with the thread that started it.
    """

    def __init__(self, settings: DecodeSettings) -> None:
        self._settings = settings
        self._limits = Limits(settings.max_analyzed_s, (settings.memory_mb << 10) // _SHARE << 10)
        self._memory: SharedMemory | None = None
        self._helper: Helper | None = None
        self._owner = os.getpid()
        self._open: tuple[int, Outcome] | None = None
        self._in_memory = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    @property
    def settings(self) -> DecodeSettings:
        """How it decodes."""
        return self._settings

    @property
    def helper_pid(self) -> int | None:
        """The helper's process id; ``None`` while there is none."""
        return self._helper.pid if self._helper is not None and self._helper.alive else None

    @property
    def confinement(self) -> Confinement | None:
        """Which measures hold in the helper; ``None`` while there is none that is ready."""
        return self._helper.confinement if self._helper is not None and self._helper.alive else None

    @property
    def was_killed(self) -> bool:
        """Whether the last helper was killed from outside, which says nothing of its file."""
        return self._helper is not None and self._helper.was_killed

    def launch(self) -> None:
        """Start the helper now, and do not wait for it. What prevents it is told of the first file."""
        with suppress(OSError):
            self._running()

    def start(self) -> None:
        """Start the helper now rather than at the first file, and wait until it is ready."""
        self._running().wait_until_ready()

    def decode(self, fd: int, name: str) -> Decoded:
        """Decode the open regular file `fd`; `name` is read for hints only.

        Of a file longer than `max_analyzed_s`, or than the memory it may take, the first block is decoded: `go_on`. The
        file's offset is 0 once the last is.

        Raises
        ------
        FileError
            `EmptyFile`, `TooLarge`, `NotAudio`, `UnsupportedFormat`, `BrokenHeader`, `EmptyAudio`, `DecodeFailed`,
            `NoFiniteSamples`, `DecodeTimeout`, `DecoderCrashed`, `OutOfMemory` or `Unreadable`.
        """
        with file_errors():
            size = os.fstat(fd).st_size
        if size > self._settings.max_file_mb << 20:
            raise TooLarge(f"{size >> 20} MB.")
        header = probe(fd)
        outcome = self._ask(fd, header)
        if outcome.complete:
            _rewind(fd)
        else:
            self._open = fd, outcome
        return self._decoded(header, outcome, name)

    def go_on(self, kept: int) -> Block:
        """Decode the next block of the file that the last `decode` began, behind its last `kept` frames.

        Those are moved to the start of the memory: `y` of what was decoded before is overwritten.

        Raises
        ------
        FileError
            As `decode`; the file is left then.
        ParameterError
            If there is nothing to go on with, or so much is kept that nothing more fits.
        """
        if self._open is None or self._helper is None or self._memory is None:
            raise ParameterError("No file is open that goes on.")
        fd, before = self._open
        channels = before.channels
        have = self._in_memory
        if not 0 <= kept <= min(have, self._limits.frames(before.sample_rate_hz, channels) - 1):
            raise ParameterError(f"{kept} of {have} frames cannot be kept.")
        self._open = None
        self._memory.move(4 * (have - kept) * channels, 4 * kept * channels)
        outcome = self._read(self._helper.ask(None, wire.more(kept * channels), self._settings.deadline_s), kept)
        if outcome.channels != channels:
            raise DecodeFailed("The decoder changed the number of channels.")
        if outcome.complete:
            _rewind(fd)
        else:
            self._open = fd, outcome
        y = self._memory.samples[: self._in_memory * channels].reshape(-1, channels)
        return Block(y, outcome.frames, outcome.complete, outcome.damaged, outcome.bad_samples)

    def close(self) -> None:
        """End the helper and let go of the shared memory."""
        self._drop_inherited()
        if self._helper is not None:
            self._helper.kill()
            self._helper = None
        if self._memory is not None:
            self._memory.close()
            self._memory = None

    def _ask(self, fd: int, header: Probe) -> Outcome:
        self._open = None
        outcome = self._read(self._answer(fd, wire.request(header, self._limits)), 0)
        if not outcome.frames:
            raise DecodeFailed("Nothing could be decoded.")
        return outcome

    def _read(self, answer: dict[str, Any], kept: int) -> Outcome:
        """What the helper answered, checked: it may be anything, once a file has got the better of it."""
        assert self._memory is not None
        if "failed" in answer:
            raise wire.read_failure(answer)
        outcome = Outcome(**answer["done"])
        check_channels(outcome.channels)
        check_rate(outcome.sample_rate_hz)
        self._in_memory = kept + outcome.frames
        if not kept <= self._in_memory <= self._limits.frames(outcome.sample_rate_hz, outcome.channels):
            raise DecodeFailed("The decoder returned an impossible length.")
        self._memory.used(4 * self._in_memory * outcome.channels)
        return outcome

    def _answer(self, fd: int, line: bytes) -> dict[str, Any]:
        """What the helper says. That one was killed says nothing of the file: another is asked, once."""
        helper = self._fresh()
        try:
            return helper.ask(fd, line, self._settings.deadline_s)
        except DecoderCrashed:
            if not helper.was_killed:
                raise
        log.warning("decoder_helper_killed", pid=helper.pid)
        return self._fresh().ask(fd, line, self._settings.deadline_s)

    def _fresh(self) -> Helper:
        """A helper that runs, with no samples of the file before in memory."""
        helper = self._running()
        assert self._memory is not None
        self._memory.give_back()
        return helper

    def _decoded(self, header: Probe, outcome: Outcome, name: str) -> Decoded:
        assert self._memory is not None
        samples = outcome.frames * outcome.channels
        y = self._memory.samples[:samples].reshape(outcome.frames, outcome.channels)
        if outcome.bad_samples and not y.any():  # nothing but 0 is left of it: that is no silence
            raise NoFiniteSamples
        return Decoded(
            y=y,
            info=_info(header, outcome),
            hints=read_hints(name, header),
            truncated=header.truncated or outcome.damaged,
            bad_samples=outcome.bad_samples,
            whole=outcome.complete,
        )

    def _running(self) -> Helper:
        self._drop_inherited()
        if self._helper is not None and not self._helper.alive:
            self._helper.kill()
            self._helper = None
        if self._memory is None:
            self._memory = SharedMemory(self._limits.bytes)
        if self._helper is None:
            space = max(self._settings.memory_mb << 20, self._limits.bytes + _LEAST)
            self._helper = Helper(self._memory, space, self._settings.deadline_s)
        return self._helper

    def _drop_inherited(self) -> None:
        """After a fork: leave the helper and the memory to the process that made them."""
        if self._owner == os.getpid():
            return
        if self._helper is not None:
            self._helper.abandon()
        if self._memory is not None:
            self._memory.close()
        self._helper, self._memory, self._owner = None, None, os.getpid()


def _rewind(fd: int) -> None:
    """The helper reads through the same open file: its offset is ours."""
    with file_errors():
        os.lseek(fd, 0, os.SEEK_SET)


def _info(header: Probe, outcome: Outcome) -> AudioInfo:
    """Lengths: of what was decoded to its end, what came; of what was cut, what its header says."""
    total = outcome.frames if outcome.complete else outcome.total_frames or header.frames or outcome.frames
    rate = outcome.sample_rate_hz
    return AudioInfo(
        duration_s=total / rate,
        sample_rate_hz=rate,
        channels=outcome.channels,
        container=header.container,
        subtype=outcome.subtype,
        frames=total,
        analyzed_s=outcome.frames / rate,
    )
