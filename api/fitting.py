"""What goes with a sound, not what is like it: in key, in tempo, and where its spectrum leaves room."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from api.asking import Fits
from api.index import Found
from api.marked import Marked
from api.similarity import Vector, pack
from api.spelling import beside
from stores import filters
from stores.records import Sample
from workers.model import ASPECTS, TONICS, VECTOR_DIMENSIONS, Mode, camelot

_SCALES: Final[Mapping[str, frozenset[int]]] = {
    "major": frozenset((0, 2, 4, 5, 7, 9, 11)),
    "minor": frozenset((0, 2, 3, 5, 7, 8, 10)),
}
_WORTH: Final = {"same": 1.0, "relative": 0.9, "neighbour": 0.8, "in scale": 0.8, "same note": 1.0, "fifth": 0.8}
"""What a relation counts, 0 to 1. They are chosen, not learned: they order what fits, and are shown with every hit."""
_SEMITONE: Final = 0.1
"""What each semitone of transposition takes off."""
_TIMES: Final = (1.0, 0.5, 2.0)
_SAID: Final = {
    "same": "also in {other}",
    "relative": "{other} is the relative of {source}",
    "neighbour": "{other} stands beside {source} on the Camelot wheel",
    "in scale": "{other} is in the scale of {source}",
    "same note": "the same note, {other}",
    "fifth": "{other} is a fifth or fourth from {source}",
}


@dataclass(frozen=True, slots=True)
class Tones:
    """What of a sound can clash: its key, or the pitch class of its one note."""

    tonic: int
    mode: Mode | None
    """``None`` for a note."""

    def moved(self, semitones: int) -> Tones:
        """Transposed."""
        return Tones((self.tonic + semitones) % 12, self.mode)

    def __str__(self) -> str:
        return TONICS[self.tonic] + (f" {self.mode}" if self.mode else "")


@dataclass(frozen=True, slots=True)
class Fit:
    """Why a sound fits, and how well: the mean of the parts that say something, each 0 to 1."""

    relation: str | None
    transpose: int
    stretch_percent: float | None
    times: float | None
    complement: float | None
    parts: Mapping[str, float]
    why: str

    @property
    def shares(self) -> dict[str, float]:
        """How much of the score each part brings."""
        return {name: value / len(self.parts) for name, value in self.parts.items()}

    @property
    def score(self) -> float:
        """0 to 1."""
        return math.fsum(self.shares.values())

    def view(self) -> dict[str, Any]:
        """As JSON."""
        rounded = None if self.stretch_percent is None else round(self.stretch_percent, 2) + 0.0
        return {
            "key": {"relation": self.relation, "transpose": self.transpose},
            "tempo": {"stretch_percent": rounded, "times": self.times},
            "complement": None if self.complement is None else round(self.complement, 4),
            "why": self.why,
        }


class Fitting:
    """What goes with one sample, as far as it may be bent.

    The caller's corrections of tempo and key count in place of what was measured.
    """

    def __init__(self, marked: Marked, source: Sample, far: Fits) -> None:
        self._marked, self._far = marked, far
        analysis = marked.analyses([source])[source.id]
        self._tones, self._bpm = tones_of(analysis), filters.at(analysis, "tempo.bpm")

    def of(self, found: Iterable[Found]) -> dict[str, Fit]:
        """Of these, those that fit."""
        found = list(found)
        analyses = self._marked.analyses([one.sample for one in found])
        fits = {one.sample.id: self._fit(analyses[one.sample.id], one.likeness.aspects["spectrum"]) for one in found}
        return {one: fit for one, fit in fits.items() if fit is not None}

    def _fit(self, analysis: Mapping[str, Any], cosine: float | None) -> Fit | None:
        theirs, bpm = tones_of(analysis), filters.at(analysis, "tempo.bpm")
        parts, said = {}, []
        relation, semitones = None, 0
        if self._tones is not None and theirs is not None:
            related = relate(self._tones, theirs, self._far.transpose)
            if related is None:
                return None
            relation, semitones = related
            parts["key"] = max(0.0, _WORTH[relation] - _SEMITONE * abs(semitones))
            moved = "" if not semitones else f"{semitones:+d} semitone{'s' * (abs(semitones) > 1)}: "
            said.append(moved + _SAID[relation].format(other=theirs.moved(semitones), source=self._tones))
        else:
            said.append("no key to clash")
        stretch, times = None, None
        if self._bpm and bpm:
            stretch, times = stretched(self._bpm, bpm)
            if abs(stretch) > self._far.stretch_percent + 1e-9:
                return None
            parts["tempo"] = 1 - abs(stretch) / self._far.stretch_percent if self._far.stretch_percent else 1.0
            said.append(_pace(stretch, times))
        else:
            said.append("no tempo to keep")
        complement = None if cosine is None else (1 - cosine) / 2
        if complement is not None:
            parts["spectrum"] = complement
            said.append(f"{100 * complement:.0f} % opposite in spectrum")
        return Fit(relation, semitones, stretch, times, complement, parts, "; ".join(said))


def tones_of(analysis: Mapping[str, Any]) -> Tones | None:
    """The key of a sound, or its one note; ``None`` where it has neither."""
    tonic, mode = filters.at(analysis, "key.tonic"), filters.at(analysis, "key.mode")
    if tonic in TONICS and mode in _SCALES:
        return Tones(TONICS.index(tonic), mode)
    midi = filters.at(analysis, "pitch.midi")
    return None if midi is None else Tones(int(midi) % 12, None)


def relate(source: Tones, other: Tones, most: int) -> tuple[str, int] | None:
    """How `other` stands to `source`, and by how many semitones it has to be moved for it: the fewest, `most` at most.

    ``None`` where that is not enough.
    """
    for semitones in sorted(range(-most, most + 1), key=lambda n: (abs(n), -n)):
        relation = _relation(source, other.moved(semitones))
        if relation is not None:
            return relation, semitones
    return None


def _relation(source: Tones, other: Tones) -> str | None:
    if source.mode is None and other.mode is None:
        apart = (other.tonic - source.tonic) % 12
        return {0: "same note", 5: "fifth", 7: "fifth"}.get(apart)
    if source.mode is None or other.mode is None:
        key, note = (source, other) if source.mode is not None else (other, source)
        return "in scale" if (note.tonic - key.tonic) % 12 in _SCALES[str(key.mode)] else None
    if source == other:
        return "same"
    here, there = camelot(TONICS[source.tonic], source.mode), camelot(TONICS[other.tonic], other.mode)
    if there in beside(here, "relative"):
        return "relative"
    return "neighbour" if there in beside(here, "neighbours") else None


def stretched(source_bpm: float, other_bpm: float) -> tuple[float, float]:
    """By how many per cent `other_bpm` must be faster to keep time with `source_bpm`, at which multiple of it."""
    percent = {times: 100 * (source_bpm * times / other_bpm - 1) for times in _TIMES}
    times = min(_TIMES, key=lambda each: abs(math.log(source_bpm * each / other_bpm)))
    return percent[times], times


def _pace(stretch: float, times: float) -> str:
    at = {1.0: "in time", 0.5: "at half time", 2.0: "at double time"}[times]
    if abs(stretch) < 0.05:
        return at
    return f"{at} if played {abs(stretch):.1f} % {'faster' if stretch > 0 else 'slower'}"


def spectrum_opposite(query: Vector) -> bytes:
    """The direction in which candidates lie that have much where this sound has little."""
    low, high = ASPECTS["spectrum"]
    return pack([-query[at] if low <= at < high else 0.0 for at in range(VECTOR_DIMENSIONS)])
