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
    """What one file may give: seconds from its start, and bytes of float32."""

    seconds: float
    bytes: int

    def frames(self, rate: int, channels: int) -> int:
        """Most frames of such a stream that are decoded; at least one."""
        return max(1, min(int(self.seconds * rate), self.bytes // (4 * channels)))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was decoded: `frames` of `channels` lie at the start of the shared memory."""

    frames: int
    channels: int
    sample_rate_hz: int
    subtype: str
    total_frames: int | None
    """Frames of the whole file where the decoder knows, also of what was not decoded."""
    complete: bool
    """The decoder reached the end of the stream, not the limit."""
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
