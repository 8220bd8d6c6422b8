"""A sound as WAV, for what cannot play the file itself: the beginning of it, decoded by a process that may die of it.

One at a time, on one thread: the helper ends with the thread that started it. It is let go where nothing was asked for
a while. The gateway's own process loads no decoder.
"""

from __future__ import annotations

import struct
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from api.errors import Problem
from config.settings import DecodeSettings

if TYPE_CHECKING:
    from workers.audio.decode import Decoder

MOST_S: Final = 120.0
"""Of a longer sound this much is given: 21 MB of stereo at 44.1 kHz."""

_WAITING: Final = 8
_IDLE_S: Final = 30.0
_CHANNELS: Final = 2
_FULL: Final = 32767


class Listening:
    """The one thread that decodes, and its helper; neither is there before it is needed."""

    def __init__(self, settings: DecodeSettings) -> None:
        self._settings = settings.model_copy(update={"max_analyzed_s": min(MOST_S, settings.max_analyzed_s)})
        self._decoder: Decoder | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="listening")
        self._places = threading.BoundedSemaphore(_WAITING)
        self._lock = threading.Lock()
        self._rest: threading.Timer | None = None
        self._closed = False

    @property
    def helper_pid(self) -> int | None:
        """The process that decodes; ``None`` while there is none."""
        return None if self._decoder is None else self._decoder.helper_pid

    def wav(self, fd: int, name: str) -> bytes:
        """The beginning of an open audio file as WAV of 16 bits, in stereo at most, at the rate it has.

        Raises
        ------
        FileError
            It cannot be decoded.
        Problem
            503 where too many wait, or the gateway stops.
        """
        if self._closed or not self._places.acquire(blocking=False):
            raise _busy()
        try:
            return self._thread.submit(self._decode, fd, name).result()
        finally:
            self._places.release()
            self._rest_later()

    def close(self) -> None:
        """End the helper and the thread, once they have answered. A second time it does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._rest is not None:
                self._rest.cancel()
        self._thread.submit(self._end_helper)
        self._thread.shutdown()

    def _decode(self, fd: int, name: str) -> bytes:
        if self._decoder is None:
            from workers.audio.decode import Decoder

            self._decoder = Decoder(self._settings)
        decoded = self._decoder.decode(fd, name)
        return wav_of(decoded.y, decoded.info.sample_rate_hz)

    def _end_helper(self) -> None:
        if self._decoder is not None:
            self._decoder.close()

    def _rest_later(self) -> None:
        with self._lock:
            if self._closed:
                return
            if self._rest is not None:
                self._rest.cancel()
            self._rest = threading.Timer(_IDLE_S, self._let_go)
            self._rest.daemon = True
            self._rest.start()

    def _let_go(self) -> None:
        with self._lock:
            if not self._closed:
                self._thread.submit(self._end_helper)


def wav_of(y: NDArray[np.float32], sr: int) -> bytes:
    """Samples, (frames, channels), as a WAV file of 16 bits; more than two channels as their mean."""
    if y.shape[1] > _CHANNELS:
        y = y.mean(axis=1, keepdims=True)
    channels = y.shape[1]
    data = np.clip(np.rint(_FULL * y), -_FULL - 1, _FULL).astype("<i2").tobytes()
    form = struct.pack("<HHIIHH", 1, channels, sr, 2 * channels * sr, 2 * channels, 16)
    head = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(data))
    return b"RIFF" + struct.pack("<I", len(head) + len(data)) + head + data


def _busy() -> Problem:
    said = "Too many sounds are being made playable at once; come back in a moment."
    return Problem(503, "busy", said, headers={"Retry-After": "2"})
