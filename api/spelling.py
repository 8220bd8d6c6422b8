"""How musicians write a key or a note, as the analysis writes it: ``Eb major``, ``ebm``, ``8a``, ``Bb3``."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final, get_args

from stores.filters import chosen
from stores.records import Choice, SampleFilter
from workers.model import TONICS, Mode, camelot

_NATURALS: Final = {name: at for at, name in enumerate(TONICS) if len(name) == 1}
_SHIFT: Final = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}
_TONIC: Final = "([A-Ga-g])([#♯b♭]?)"
_KEY: Final = re.compile(rf"{_TONIC}(?:\s*(m|M|(?i:maj|min|major|minor)))")
_NOTE: Final = re.compile(rf"{_TONIC}(-?\d{{1,2}})?", re.ASCII)


def spelled(where: SampleFilter) -> SampleFilter:
    """The filter with keys and notes in sharps and in the case they are kept in; what is none stays as it is."""
    return replace(
        where,
        key=_each(where.key, _key),
        tonic=_each(where.tonic, _tonic),
        mode=_each(where.mode, str.lower),
        camelot=_each(where.camelot, str.upper),
        note=_each(where.note, _note),
    )


def tag_of(text: str) -> str:
    """A tag as it is kept: in lower case, with single blanks."""
    return " ".join(text.split()).lower()


def _each(choice: Choice | None, spell: Callable[[str], str]) -> Choice | None:
    if choice is None or isinstance(choice, str):
        return choice and spell(choice)
    return tuple(map(spell, choice))


def related(where: SampleFilter, relation: str) -> SampleFilter:
    """The filter with the keys asked for and those that stand so to them: the relative one, or all that mix well.

    On the Camelot wheel ``5A`` mixes with ``5B`` (its relative), ``4A`` and ``6A`` (a fifth up and down).
    """
    if relation == "same":
        return where
    keys = [_WHEEL.get(near, key) for key in chosen(where.key) for near in beside(_PLACES.get(key, ""), relation)]
    places = [near for place in chosen(where.camelot) for near in beside(place, relation)]
    return replace(
        where,
        key=tuple(dict.fromkeys(keys)) or where.key,
        camelot=tuple(dict.fromkeys(places)) or where.camelot,
    )


_PLACES: Final = {f"{tonic} {mode}": camelot(tonic, mode) for tonic in TONICS for mode in get_args(Mode)}
_WHEEL: Final = {place: key for key, place in _PLACES.items()}


def beside(place: str, relation: str) -> list[str]:
    """A place on the wheel and those that stand so to it; what is none stays alone, to be refused by name."""
    if place not in _WHEEL:
        return [place]
    number, letter = int(place[:-1]), place[-1]
    fifths = [] if relation == "relative" else [f"{number % 12 + 1}{letter}", f"{(number - 2) % 12 + 1}{letter}"]
    return [place, f"{number}{'AB'[letter == 'A']}", *fifths]


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
