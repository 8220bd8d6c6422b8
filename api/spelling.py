"""How musicians write a key or a note, as the analysis writes it: ``Eb major``, ``ebm``, ``8a``, ``Bb3``."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from stores.records import SampleFilter
from workers.model import TONICS

_NATURALS: Final = {name: at for at, name in enumerate(TONICS) if len(name) == 1}
_SHIFT: Final = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}
_TONIC: Final = "([A-Ga-g])([#♯b♭]?)"
_KEY: Final = re.compile(rf"{_TONIC}(?:\s*(m|M|(?i:maj|min|major|minor)))")
_NOTE: Final = re.compile(rf"{_TONIC}(-?\d{{1,2}})?", re.ASCII)


def spelled(where: SampleFilter) -> SampleFilter:
    """The filter with keys and notes in sharps and in the case they are kept in; what is none stays as it is."""
    return replace(
        where,
        key=where.key and _key(where.key),
        tonic=where.tonic and _tonic(where.tonic),
        mode=where.mode and where.mode.lower(),
        camelot=where.camelot and where.camelot.upper(),
        note=where.note and _note(where.note),
    )


def _degree(letter: str, accidental: str) -> int:
    """Semitones above the C of the octave that the letter stands in: -1 for Cb, 12 for B#."""
    return _NATURALS[letter.upper()] + _SHIFT[accidental]


def _key(text: str) -> str:
    match = _KEY.fullmatch(text.strip())
    if match is None:
        return text
    letter, accidental, mode = match.groups()
    minor = mode == "m" or mode.lower().startswith("min")
    return f"{TONICS[_degree(letter, accidental) % 12]} {'minor' if minor else 'major'}"


def _tonic(text: str) -> str:
    match = re.fullmatch(_TONIC, text)
    return TONICS[_degree(*match.groups()) % 12] if match else text


def _note(text: str) -> str:
    match = _NOTE.fullmatch(text)
    if match is None:
        return text
    letter, accidental, octave = match.groups()
    over, at = divmod(_degree(letter, accidental), 12)
    return TONICS[at] if octave is None else f"{TONICS[at]}{int(octave) + over}"
