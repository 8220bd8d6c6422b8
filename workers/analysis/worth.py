"""Whether a tempo or a key is worth looking for in a sound at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workers.analysis import key, kind

if TYPE_CHECKING:
    from workers.analysis.overview import Overview
    from workers.audio.hints import Hints

_LEAST_ONSETS = 3
_LEAST_PULSE, _SURE_PULSE = 0.5, 0.8
"""Held out, 99 % of music lies above the first, 1 % of one-shots and 10 % of pads, drones and noises. With hardly an
onset it takes the second: soft attacks, not a pad that swells."""
_TONAL_IF_NAMED = 0.25
"""Probability of a tonality from which on a key is looked for where one is written down."""

LEAST_BELIEVED = 0.25
"""Less sure tempi are wrong as often as not, and most of them are of what has none."""
NONE_STANDS_OUT = "no tempo stands out"
NO_TONALITY = "no tonality: drums, noise or an effect"
NO_PULSE = "no steady pulse"


def why_no_pulse(seen: Overview) -> str | None:
    """Why it has no tempo; ``None`` where it may have one."""
    few = len(seen.onsets.times) < _LEAST_ONSETS
    if kind.has_pulse(seen.whole) >= (_SURE_PULSE if few else _LEAST_PULSE):
        return None
    return "too few onsets for a pulse" if few else NO_PULSE


def why_no_key(seen: Overview, hints: Hints) -> str | None:
    """Why it has no key; ``None`` where it may have one."""
    if seen.chroma.empty:
        return "nothing in it has a pitch"
    named = hints.name_tonic is not None or hints.tag_tonic is not None
    if kind.has_tonality(seen.whole) < (_TONAL_IF_NAMED if named else 0.5):
        return NO_TONALITY
    return "hardly more than one note sounds, and that belongs to many keys" if key.single(seen.chroma) else None
