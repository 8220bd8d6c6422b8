"""Whether a file has the resolution that it claims: bits that are never used, a rate that was only written.

Both are cheap to see in files that claim no more than a CD, and then not looked for at all.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workers.model import Defect

_MANY_BITS = ("PCM_24", "PCM_32", "FLOAT", "DOUBLE")
_STEPS = np.float32(1 << 15)
"""Of 16 bits: what was made with so many is a whole number of them."""
_LOOKED_AT = 1 << 14
"""Samples looked at together: a file that uses its bits is left after the first of them."""

_RATES = (44_100, 48_000)
_LEAST_RATE = 88_200
"""From it on a file claims more than those."""
_WINDOW = 8192
_MOST_WINDOWS = 8
_BELOW = (0.75, 0.90)
_ABOVE = (1.05, 1.40)
_TOP = 0.48
"""Parts of the lower rate's Nyquist frequency that are compared; nothing near the top of the file's own."""
_WALL_DB = 30.0
"""A microphone, an instrument or a filter in the air falls by a few dB there; a resampler by 80 and more."""


class Resolution:
    """What a signal makes of the bits and the rate of its file, while it goes by.

    Parameters
    ----------
    sr : int > 0
        Rate, in Hz.
    subtype : str
        How samples are written, in libsndfile's words.
    """

    def __init__(self, sr: int, subtype: str) -> None:
        self._sr = sr
        self._per_hz = _WINDOW / sr
        self._padded = subtype in _MANY_BITS
        self._sounds = False
        self._power: NDArray[np.float64] | None = None

    def take(self, y: NDArray[np.float32]) -> None:
        """Look at the next frames, (frames, channels), finite."""
        if self._padded:
            self._look_at_bits(y.reshape(-1))
        if self._sr >= _LEAST_RATE and len(y) >= _WINDOW:
            self._add_spectrum(y)

    def defects(self) -> list[Defect]:
        """What is not as it claims; nothing of a file in which nothing sounds."""
        found = []
        if self._padded and self._sounds:
            message = "Its samples are of 16 bits, the rest is padding: it takes more space than it has sound."
            found.append(Defect("padded_bits", message, amount=16.0))
        if (wall := self._wall()) is not None:
            message = f"Made at a lower rate: there is nothing above {wall / 1000:.1f} kHz."
            found.append(Defect("upsampled", message, amount=wall))
        return found

    def _look_at_bits(self, flat: NDArray[np.float32]) -> None:
        for begin in range(0, len(flat), _LOOKED_AT):
            scaled = flat[begin : begin + _LOOKED_AT] * _STEPS
            self._sounds = self._sounds or bool(scaled.any())
            if not np.array_equal(scaled, np.rint(scaled)):
                self._padded = False
                return

    def _add_spectrum(self, y: NDArray[np.float32]) -> None:
        """The power of its loudest windows: where there is anything to be heard of what lies high."""
        whole = len(y) // _WINDOW
        windows = y[: whole * _WINDOW].reshape(whole, -1)
        tops = np.maximum(windows.max(axis=1), -windows.min(axis=1))
        window = np.hanning(_WINDOW)[:, None]
        for at in np.sort(np.argsort(-tops, kind="stable")[:_MOST_WINDOWS]).tolist():
            part = y[at * _WINDOW : (at + 1) * _WINDOW]
            power = np.square(np.abs(np.fft.rfft(window * part, axis=0))).mean(axis=1)
            self._power = power if self._power is None else self._power + power

    def _wall(self) -> float | None:
        """Where the spectrum breaks off, in Hz, if that is at the Nyquist frequency of a lower rate."""
        if self._power is None:
            return None
        for rate in _RATES:
            below, above = (self._level(rate / 2, *part) for part in (_BELOW, _ABOVE))
            least = below * 10 ** (-_WALL_DB / 10)
            if below > 0 and above <= least:
                last = int(np.flatnonzero(self._power[: round(rate / 2 * _ABOVE[0] * self._per_hz)] > least)[-1])
                return round(last / self._per_hz, -2)
        return None

    def _level(self, nyquist: float, low: float, high: float) -> float:
        """Mean power between two parts of a frequency."""
        assert self._power is not None  # asked for behind `_wall`'s check
        begin, end = (round(hz * self._per_hz) for hz in (low * nyquist, min(high * nyquist, _TOP * self._sr)))
        return float(self._power[begin:end].mean())


def find_false_resolution(y: NDArray[np.float32], sr: int, subtype: str) -> list[Defect]:
    """`padded_bits` and `upsampled` of a whole signal, (frames, channels), finite."""
    seen = Resolution(sr, subtype)
    seen.take(y)
    return seen.defects()
