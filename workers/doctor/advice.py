"""What each defect is called, how bad it is, and what a musician can do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Advice:
    """Of one code."""

    title: str
    what_to_do: str
    weight: int
    """How bad it is, 1 to 5: files are sorted by the sum."""


ADVICE: Final[Mapping[str, Advice]] = {
    "truncated": Advice("Cut short", "Copy or download the file again: its end is missing.", 5),
    "non_finite_samples": Advice("Invalid samples", "Render it again: other programs may play a burst of noise.", 5),
    "phase_cancelling": Advice(
        "Vanishes in mono", "Flip the polarity of one channel, or keep one channel as a mono file.", 4
    ),
    "clipping": Advice("Clipped", "Render it again with more headroom; if there is no source, use a declipper.", 3),
    "click_at_seam": Advice(
        "Clicks at the loop's seam", "Move the loop's ends to zero crossings or crossfade them.", 3
    ),
    "off_length_loop": Advice(
        "Loop of an odd length", "Trim or stretch it to whole beats: it drifts as it repeats.", 3
    ),
    "dc_offset": Advice("Off centre (DC)", "Remove the offset with a high-pass filter at 20 Hz: it costs headroom.", 2),
    "silent_head": Advice("Begins late", "Trim the start: the sound comes late when it is triggered.", 2),
    "name_tempo": Advice("Tempo in the name differs", "Listen, then rename the file or correct the tempo.", 2),
    "name_key": Advice("Key in the name differs", "Listen, then rename the file or correct the key.", 2),
    "upsampled": Advice(
        "Sampled up", "Look for the original: its rate holds the same sound in half the space or less.", 2
    ),
    "padded_bits": Advice("16 bits in a larger file", "Save it with 16 bits: it sounds the same and is smaller.", 1),
    "silent_tail": Advice("Silence at the end", "Trim the end: it only takes space.", 1),
}
"""Worst first where weights are alike. A code that is not here is one of another version of the analyser."""

UNKNOWN: Final = Advice("Something else", "See the message of each file.", 1)


def advice(code: str) -> Advice:
    """Of a defect's code."""
    return ADVICE.get(code, UNKNOWN)
