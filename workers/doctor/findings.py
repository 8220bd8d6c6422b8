"""What is wrong with one file, by its analysis: the defects that were measured, and what only shows when they are
compared: a loop's length with its tempo, a name with the sound."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

_OFF_S: Final = 0.01
"""A loop that is so much longer or shorter than whole beats drifts audibly within a few rounds."""
_MOST_OFF: Final = 0.25
"""Farther from a whole number of beats it may be meant so, or the tempo wrong: no round number is near."""
_SURE: Final = 0.7
"""A tempo or key with less confidence is no argument against a name."""
_SAME_TEMPO: Final = 0.04
"""Names are rounded, and within 4 % people tap alike."""
_FOLDS: Final = (1.0, 2.0, 0.5, 1.5, 2 / 3, 3.0, 1 / 3)
"""Half and double time and triplet feel: the name counts otherwise, but is not wrong."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with a file: what, where, how much, in words."""

    code: str
    message: str
    at_s: float | None = None
    amount: float | None = None


def findings(said: Mapping[str, Any]) -> list[Finding]:
    """Of one analysis, in the shape that `samplemind analyze` prints. What it does not say is not judged."""
    measured = [
        Finding(str(each["code"]), str(each.get("message", "")), each.get("at_s"), each.get("amount"))
        for each in said.get("defects") or ()
        if isinstance(each, Mapping) and each.get("code")
    ]
    return [*measured, *_off_length(said), *_name_tempo(said), *_name_key(said)]


def _part(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = said.get(name)
    return part if isinstance(part, Mapping) else {}


def _number(part: Mapping[str, Any], name: str) -> float:
    value = part.get(name)
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else 0.0


def _off_length(said: Mapping[str, Any]) -> Iterator[Finding]:
    tempo = _part(said, "tempo")
    bpm, seconds = _number(tempo, "bpm"), _number(_part(said, "audio"), "duration_s")
    if _part(said, "kind").get("label") != "loop" or tempo.get("beats") is not None or bpm <= 0 or seconds <= 0:
        return
    beats = seconds * bpm / 60
    whole = max(1, round(beats))
    off_s = (beats - whole) * 60 / bpm
    if _number(tempo, "confidence") >= _SURE and abs(off_s) >= _OFF_S and abs(beats - whole) <= _MOST_OFF:
        how = "longer" if off_s > 0 else "shorter"
        message = f"At {bpm:g} BPM it is {1000 * abs(off_s):.0f} ms {how} than {whole} beats."
        yield Finding("off_length_loop", message, round(whole * 60 / bpm, 4), round(off_s, 4))


def _by_name(part: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for each in part.get("evidence") or ():
        if isinstance(each, Mapping) and each.get("source") == "name":
            yield each


def _name_tempo(said: Mapping[str, Any]) -> Iterator[Finding]:
    tempo = _part(said, "tempo")
    bpm = _number(tempo, "bpm")
    if bpm <= 0 or _number(tempo, "confidence") < _SURE:
        return
    for each in _by_name(tempo):
        named = _number(each, "bpm")
        if named > 0 and all(abs(fold * named / bpm - 1) > _SAME_TEMPO for fold in _FOLDS):
            yield Finding("name_tempo", f"The name says {named:g} BPM, the sound {bpm:g}.", None, named)


def _name_key(said: Mapping[str, Any]) -> Iterator[Finding]:
    key = _part(said, "key")
    heard = key.get("label")
    if not isinstance(heard, str) or _number(key, "confidence") < _SURE:
        return
    for each in _by_name(key):
        named = str(each.get("key") or "")
        # `C` alone names a tonic and no mode.
        if named and named not in (heard, heard.split()[0]):
            yield Finding("name_key", f"The name says {named}, the sound {heard}.")
