"""Which of several copies of a sound to keep, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from stores import filters
from stores.records import Sample

_LOSSLESS: Final = ("PCM", "FLOAT", "DOUBLE", "ALAC", "FLAC", "WAVPACK", "DPCM")
_BITS: Final = {"8": 8, "S8": 8, "U8": 8, "16": 16, "24": 24, "32": 32, "FLOAT": 32, "DOUBLE": 64}
_SAME_LENGTH_S: Final = 0.001
_DAMAGE: Final = ("clipping", "truncated", "non_finite_samples")

Analysis = Mapping[str, Any]


def _lossless(analysis: Analysis) -> int:
    subtype = str(filters.at(analysis, "audio.subtype") or "").upper()
    return int(subtype.startswith(_LOSSLESS))


def _undamaged(analysis: Analysis) -> int:
    return -sum(defect["code"] in _DAMAGE for defect in analysis.get("defects", ()))


def _steps(analysis: Analysis) -> int:
    """Its length in thousandths of a second: less is a matter of the decoder."""
    return round((filters.at(analysis, "audio.duration_s") or 0.0) / _SAME_LENGTH_S)


def _channels(analysis: Analysis) -> int:
    return int(filters.at(analysis, "audio.channels") or 0)


def _rate(analysis: Analysis) -> int:
    return int(filters.at(analysis, "audio.sample_rate_hz") or 0)


def _bits(analysis: Analysis) -> int:
    subtype = str(filters.at(analysis, "audio.subtype") or "").upper()
    return _BITS.get(subtype.rpartition("_")[2], 0) if _lossless(analysis) else 0


_REASONS: Final[Sequence[tuple[Callable[[Analysis], int], str]]] = (
    (_lossless, "it is lossless"),
    (_undamaged, "it does not clip and nothing of it is missing"),
    (_steps, "it is the longest"),
    (_channels, "it has the most channels"),
    (_rate, "it has the highest sample rate"),
    (_bits, "it has the most bits"),
)
"""From what weighs most to what weighs least. Rate and bits come last: a copy may have been blown up."""


def choose(samples: Sequence[Sample]) -> tuple[Sample, str]:
    """The one to keep, and a sentence that says why it and not the next best; of equals the one that came first."""
    ranked = sorted(samples, key=lambda sample: (sample.created_at, sample.id))
    ranked.sort(key=lambda sample: [reason(sample.analysis) for reason, _ in _REASONS], reverse=True)
    best, *others = ranked
    for reason, words in _REASONS:
        if others and reason(best.analysis) > reason(others[0].analysis):
            return best, f"Keep this one: {words}."
    return best, "They are equally good; this one was there first."
