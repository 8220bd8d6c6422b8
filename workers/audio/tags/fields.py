"""From a tag's text to a tempo and a key: names of fields, ways to write a number, ways to write a key."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from workers.model import TONICS, Mode

MOST = 1 << 20
"""No tag is read further than this, in bytes: what stands behind a megabyte of something else is not found."""

MOST_FIELDS = 2048
"""No tag is walked further than so many fields."""

LONGEST = 256
"""No tempo and no key needs more bytes of text."""

_TEMPO = frozenset(("tbpm", "tbp", "bpm", "fbpm", "tempo", "tmpo", "ibpm"))
_KEY = frozenset(("tkey", "tke", "key", "initialkey", "keysignature"))

_NUMBER = re.compile(r"(\d{1,4}(?:[.,]\d{1,8})?)\s*(?:bpm)?", re.IGNORECASE)
_NOTE = re.compile(
    r"(?P<letter>[A-Ga-g])\s*(?P<sign>#|b|♯|♭|-?\s?sharp|-?\s?flat)?[\s\-_]*"
    r"(?P<mode>major|minor|maj|min|dur|moll|mol|m|M)?",
)
_CAMELOT = re.compile(r"0?(1[0-2]|[1-9])([ABab])")
_OPEN_KEY = re.compile(r"0?(1[0-2]|[1-9])([DMdm])")
_OF_LETTER = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_MINOR = ("m", "min", "minor", "moll", "mol")


@dataclass(frozen=True, slots=True)
class Tags:
    """What tags say; ``None`` where they say nothing, or two things."""

    bpm: float | None = None
    tonic: str | None = None
    """One of `workers.model.TONICS`."""
    mode: Mode | None = None


NOTHING = Tags()


def wanted(name: str) -> bool:
    """Whether a field of this name, in any writing, is one that is read."""
    plain = _plain(name)
    return plain in _TEMPO or plain in _KEY


def meaning(pairs: Iterable[tuple[str, str]]) -> Tags:
    """What fields (name, text) say together. Fields that disagree say nothing; a precise tempo beats a rounded one."""
    tempi: list[float] = []
    keys: list[tuple[str, Mode | None]] = []
    for name, text in pairs:
        plain = _plain(name)
        if plain in _TEMPO and (bpm := read_bpm(text)) is not None:
            tempi.append(bpm)
        elif plain in _KEY and (key := read_key(text)) is not None:
            keys.append(key)
    tonic, mode = _one_key(keys)
    return Tags(_one_tempo(tempi), tonic, mode)


def read_bpm(text: str) -> float | None:
    """``128``, ``127.98``, ``128,0 BPM``; ``None`` for what is no tempo (0 stands for unknown in many programs)."""
    match = _NUMBER.fullmatch(text.strip("\0 \t\r\n"))
    if match is None:
        return None
    bpm = float(match[1].replace(",", "."))
    return round(bpm, 4) if math.isfinite(bpm) and 20 <= bpm <= 999 else None


def read_key(text: str) -> tuple[str, Mode | None] | None:
    """Tonic and mode of ``Am``, ``F# minor``, ``Bbmaj``, Camelot ``8A``, Open Key ``1m``; ``8A/Am`` if both agree.

    A bare capital is major, as ID3 has it; a bare small letter leaves the mode open. ``o`` (off key) says nothing.
    """
    found = [_read_one(part) for part in re.split(r"[/;,|\0]| - ", text.strip("\0 \t\r\n"))]
    said = [key for key in found if key is not None]
    return said[0] if said and len(set(said)) == 1 else None


def _read_one(text: str) -> tuple[str, Mode | None] | None:
    text = text.strip()
    if match := _CAMELOT.fullmatch(text):
        return _on_wheel(int(match[1]) - 8, match[2] in "Bb")
    if match := _OPEN_KEY.fullmatch(text):
        return _on_wheel(int(match[1]) - 1, match[2] in "Dd")
    match = _NOTE.fullmatch(text) or _NOTE.fullmatch(text[:1] + text[1:].lower())
    if match is None:
        return None
    tonic = TONICS[(_OF_LETTER[match["letter"].upper()] + _shift(match["sign"])) % 12]
    if match["mode"] is None:
        return tonic, "major" if match["letter"].isupper() else None
    return tonic, "minor" if match["mode"] in _MINOR else "major"


def _on_wheel(fifths: int, major: bool) -> tuple[str, Mode]:
    """So many fifths above C major or A minor."""
    return (TONICS[7 * fifths % 12], "major") if major else (TONICS[(9 + 7 * fifths) % 12], "minor")


def _shift(sign: str | None) -> int:
    if not sign:
        return 0
    return 1 if sign in ("#", "♯") or sign.endswith("sharp") else -1


def _one_tempo(tempi: list[float]) -> float | None:
    if not tempi or max(tempi) - min(tempi) >= 1.0:
        return None
    return next((bpm for bpm in tempi if bpm != round(bpm)), tempi[0])


def _one_key(keys: list[tuple[str, Mode | None]]) -> tuple[str | None, Mode | None]:
    tonics = {tonic for tonic, _ in keys}
    modes = {mode for _, mode in keys if mode is not None}
    if len(tonics) != 1 or len(modes) > 1:
        return None, None
    return tonics.pop(), modes.pop() if modes else None


def _plain(name: str) -> str:
    return re.sub(r"[\s_\-]", "", name[:LONGEST]).lower()
