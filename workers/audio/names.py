"""Tempo, key and note in a file's name, as the makers of sample packs write them.

``SC_DH_125_drum_loop_Fmin.wav``, ``Pad 92.5 bpm A#m.wav``, ``Piano_F#2.wav``. A wrong hint is worse than none: a bare
number may be a drum machine (808, Juno-106) or a counter, a bare letter a variation, so both need company.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from workers.audio.tags.fields import read_key
from workers.model import TONICS

_SEPARATORS = r"[\s_\-]"
_NUMBER = r"\d{2,3}(?:[.,]\d{1,3})?"
_TEMPO_WORD = r"(?:bpm|b\.p\.m\.?)"

# Strongest first: joined to the word, before it, behind it.
_WITH_BPM = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?<![\d.,])({_NUMBER}){_TEMPO_WORD}(?![a-z])",
        rf"(?<![a-z])(?:bpm|tempo)({_NUMBER})(?![\d.,]?\d)",
        rf"(?<![\d.,])({_NUMBER}){_SEPARATORS}*{_TEMPO_WORD}(?![a-z])",
        rf"(?<![a-z])(?:bpm|tempo)[\s_\-=:]*({_NUMBER})(?![\d.,]?\d)",
    )
)
_BARE_NUMBER = re.compile(r"(?<![^\s_\-()\[\]])(\d{2,3}(?:\.\d{1,2})?)(?![^\s_\-()\[\]])")

_LETTER = r"(?P<letter>[A-Ga-g])"
_SIGN = r"(?P<sign>#|b|♯|♭|[\s_\-]?sharp|[\s_\-]?flat)?"
_MODE_WORD = re.compile(
    rf"(?<![A-Za-z#]){_LETTER}(?i:{_SIGN})(?P<gap>{_SEPARATORS}*)(?P<mode>(?i:major|minor|maj|min))(?![A-Za-z#])"
)
_MODE_LETTER = re.compile(r"(?<![A-Za-z0-9#])(?P<letter>[A-G])(?P<sign>#|b|♯|♭)?(?P<mode>m)(?![A-Za-z#])")
_SAID_KEY = re.compile(
    rf"(?<![a-z])(?i:key)(?:{_SEPARATORS}*(?i:of))?[\s_\-=:]+(?P<letter>[A-G])(?P<sign>#|b|♯|♭)?(?![A-Za-z0-9#])"
)
_WHEEL = re.compile(r"(?<![^\s_\-()\[\]])(?:0?[1-9]|1[0-2])(?:[AB]|[dm])(?![^\s_\-()\[\]])")
"""Camelot ``8A``, Open Key ``1m``: as DJ programs put them before or behind a title."""
_BARE_KEY = re.compile(r"(?<![^\s_\-()\[\]])(?P<letter>[A-Ga-g])(?P<sign>#|b|♯|♭)?(?![^\s_\-()\[\]])")
_NOTE = re.compile(
    r"(?<![^\s_\-()\[\].])(?P<letter>[A-Ga-g])(?P<sign>#|b|♯|♭)?(?P<octave>-[12]|[0-9])(?![^\s_\-()\[\].])"
)

_EXTENSION = re.compile(r"\.(?:[A-Za-z][A-Za-z0-9]{0,4}|mp[234])$")
_WORDS = re.compile(r"[a-z]+")


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_MACHINES = _set(
    "tr tb sh cr cs mc ms mpc sp juno jupiter jx jp sy dx tx emt re op sk rx dr er lm kr rz su mks vl moog model"
    " prophet"
)
"""Words before a number that make it a machine: Juno 106, SH-101, CR-78, CS-80, EMT 140."""
_DRUMS = _set(
    "kick kicks kik bd snare snares snr sd clap claps hat hats hihat hihats hh ohh chh perc percs percussion tom toms "
    "drum drums cymbal crash ride rim rimshot shaker conga bongo cowbell tamb tambourine top tops "
    "break breaks breakbeat"
)
_LOOPS = _set(
    "loop loops groove grooves beat beats break breaks breakbeat top tops full melody riff arp seq sequence phrase "
    "fill song stem stems track hook lick topline dnb techno house trap"
)
_VARIATIONS = _set(
    "part take side version ver section verse chorus type variation var alt group pattern layer mix option pt bank set "
    "vitamin plan disc vol"
)
_TONIC_OF = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


@dataclass(frozen=True, slots=True)
class NameHints:
    """What a name says; ``None`` where it says nothing or two things."""

    bpm: float | None = None
    tonic: str | None = None
    mode: str | None = None
    note: str | None = None
    midi: int | None = None


def read_name(name: str) -> NameHints:
    """Read the hints in a file's name; of a path, the folder it is in counts only for a tempo written with ``bpm``."""
    folder, _, last = name.replace("\\", "/").rpartition("/")
    stem = _EXTENSION.sub("", last)
    words = frozenset(_WORDS.findall(stem.lower()))
    bpm = _tempo(stem, words)
    tonic, mode = _key(stem, words, bpm is not None)
    note, midi = _note(stem, words)
    if bpm is None:
        bpm = _with_bpm(folder.rpartition("/")[2])
    return NameHints(bpm, tonic, mode, note, midi)


def _tempo(stem: str, words: frozenset[str]) -> float | None:
    return _with_bpm(stem) or _bare_tempo(stem, words)


def _with_bpm(text: str) -> float | None:
    for pattern in _WITH_BPM:
        for match in pattern.finditer(text):
            bpm = float(match[1].replace(",", "."))
            if 30 <= bpm <= 400:
                return bpm
    return None


def _bare_tempo(stem: str, words: frozenset[str]) -> float | None:
    """A number alone: from 60 to 200, no counter, no machine, and not two that disagree."""
    found: list[float] = []
    for match in _BARE_NUMBER.finditer(stem):
        before = _WORDS.findall(stem[: match.start()].lower())
        after = stem[match.end() :]
        if match[1].startswith("0") or not 60 <= float(match[1]) <= 200 or (before and before[-1] in _MACHINES):
            continue
        keyed = bool(_next_to_key(stem[: match.start()], after))
        if keyed:
            return float(match[1])
        last = not re.search(r"[A-Za-z]", after)
        if (words & _DRUMS or last) and not words & _LOOPS:
            continue  # "Kick 101", "Bass 87": counters
        found.append(float(match[1]))
    return found[0] if len(set(found)) == 1 else None


def _next_to_key(before: str, after: str) -> bool:
    follows = re.match(rf"{_SEPARATORS}+[A-G](?:#|b|♯|♭)?(?:maj|min|major|minor|m)?(?:{_SEPARATORS}|$)", after)
    leads = re.search(rf"(?:^|{_SEPARATORS})[A-G](?:#|b|♯|♭)?(?:maj|min|major|minor|m)?{_SEPARATORS}+$", before)
    return bool(follows or leads)


def _key(stem: str, words: frozenset[str], tempo: bool) -> tuple[str | None, str | None]:
    found: set[tuple[str, str | None]] = {
        (_tonic(match), _mode(match["mode"])) for match in _MODE_WORD.finditer(stem) if not _prose(match)
    }
    found |= {(_tonic(match), "minor") for match in _MODE_LETTER.finditer(stem) if _really_minor(match, stem, tempo)}
    found = found or {key for match in _WHEEL.finditer(stem) if (key := _on_wheel(match, stem, words, tempo))}
    if found:
        return found.pop() if len(found) == 1 else (None, None)
    bare = {_tonic(match) for match in _SAID_KEY.finditer(stem)} or {
        _tonic(match) for match in _BARE_KEY.finditer(stem) if _really_key(match, stem, words, tempo)
    }
    return (bare.pop(), None) if len(bare) == 1 else (None, None)


def _on_wheel(match: re.Match[str], stem: str, words: frozenset[str], tempo: bool) -> tuple[str, str | None] | None:
    """``8A - Title``, ``Title [8A] 128``; ``Kick 8A``, ``Take 2B`` and ``Loop 3A`` are counters."""
    before = _WORDS.findall(stem[: match.start()].lower())
    leads = match.start() == 0 and bool(re.match(r"\s+-\s|_-_", stem[match.end() :]))
    bracketed = match.start() > 0 and stem[match.start() - 1] in "(["
    if words & _DRUMS or (before and before[-1] in _VARIATIONS) or not (tempo or leads or bracketed):
        return None
    return read_key(match[0])


def _prose(match: re.Match[str]) -> bool:
    """``a minor change`` is English; ``a_minor`` and ``amin`` are keys."""
    return match["letter"] == "a" and not match["sign"] and " " in match["gap"]


def _really_minor(match: re.Match[str], stem: str, tempo: bool) -> bool:
    """``Am`` is also English: it needs a sign, a tempo, or to be the last word."""
    return match["letter"] != "A" or bool(match["sign"]) or tempo or match.end() == len(stem)


def _really_key(match: re.Match[str], stem: str, words: frozenset[str], tempo: bool) -> bool:
    letter, sign = match["letter"], match["sign"]
    if sign in ("#", "♯", "♭"):
        return True
    last = match.end() == len(stem)
    if letter.islower() or not (tempo or last):
        return False
    before = _WORDS.findall(stem[: match.start()].lower())
    if sign is None and (words & _DRUMS or (before and before[-1] in _VARIATIONS)):
        return False  # drum loops A and B, "Take A"
    # "A" and "I" start sentences; a key does not start a name unless a number follows it.
    return match.start() > 0 or bool(re.match(r"[\s_\-]+\d", stem[match.end() :]))


def _note(stem: str, words: frozenset[str]) -> tuple[str | None, int | None]:
    """One note with its octave; C4 is 60. Lower case only with a sign: ``b2`` is a counter."""
    found: set[int] = set()
    for match in _NOTE.finditer(stem):
        if match["letter"].islower() and not match["sign"]:
            continue
        if words & _DRUMS and not match["sign"]:
            continue  # "Kick A1": rows and columns of a kit
        midi = 12 * (int(match["octave"]) + 1) + _TONIC_OF[match["letter"].upper()] + _shift(match["sign"])
        if 0 <= midi <= 127:
            found.add(midi)
    if len(found) != 1:
        return None, None
    midi = found.pop()
    return f"{TONICS[midi % 12]}{midi // 12 - 1}", midi


def _tonic(match: re.Match[str]) -> str:
    return TONICS[(_TONIC_OF[match["letter"].upper()] + _shift(match["sign"])) % 12]


def _shift(sign: str | None) -> int:
    if not sign:
        return 0
    return 1 if sign in ("#", "♯") or sign.lower().endswith("sharp") else -1


def _mode(word: str) -> str:
    return "major" if word.lower().startswith("maj") else "minor"
