"""What a decoder leaves behind in the shared memory, and the checks every decoder's samples go through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

ABSURD = np.float32(1e10)
"""No sample means this (+200 dBFS): such ones are counted as bad, or their squares would overflow later."""

_BLOCK = 1 << 16


@dataclass(frozen=True, slots=True)
class Limits:
    """What one block of a file may hold: seconds, and bytes of float32."""

    seconds: float
    bytes: int

    def frames(self, rate: int, channels: int) -> int:
        """Most frames of such a stream in one block; at least one."""
        return max(1, min(int(self.seconds * rate), self.bytes // (4 * channels)))


class Room:
    """The shared memory, as the next block of a file finds it."""

    def __init__(self, memory: NDArray[np.float32], limits: Limits) -> None:
        self._memory, self._limits = memory, limits
        self.kept = 0
        """Samples at its start that the worker still needs: the next block comes behind them."""

    def block(self, rate: int, channels: int) -> NDArray[np.float32]:
        """Where the next block goes: flat, whole frames."""
        return self._memory[self.kept : self._limits.frames(rate, channels) * channels]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One block that was decoded: `frames` of `channels` lie in the shared memory, behind what was kept there.

    The first is never empty; of most files it is all.
    """

    frames: int
    channels: int
    sample_rate_hz: int
    subtype: str
    total_frames: int | None
    """Frames of the whole file where the decoder knows, also of what was not decoded."""
    complete: bool
    """The decoder reached the end of the stream, not of the block: there is no other."""
    damaged: bool = False
    """Something could not be decoded, or less came than the header said."""
    bad_samples: int = 0

    def plain(self) -> dict[str, Any]:
        """As JSON types."""
        return {name: getattr(self, name) for name in self.__slots__}


def silence_bad(samples: NDArray[np.float32]) -> int:
    """Replace NaN, infinite and absurd samples by 0, in place; return how many there were."""
    flat = samples.reshape(-1)
    bad = 0
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, flat.size, _BLOCK):
            block = flat[start : start + _BLOCK]
            # One dot product tells whether anything is wrong: it costs a tenth of looking at each sample.
            if float(np.dot(block, block)) <= ABSURD:
                continue
            wrong = ~(np.abs(block) <= ABSURD)
            bad += int(np.count_nonzero(wrong))
            block[wrong] = 0
    return bad
