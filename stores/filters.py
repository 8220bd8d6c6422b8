"""What samples are asked for by: one table of fields, checked once, for every database. No I/O."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from stores.descriptors import DESCRIPTORS
from stores.records import Among, Bounds, Choice, Sample, SampleFilter
from workers.errors import BadFilter
from workers.model import TONICS, DefectCode, InstrumentLabel, KindLabel, Mode

RANGES = {"bpm": "tempo.bpm", "duration_s": "audio.duration_s"}
"""Filter field -> where its number is in the analysis."""
EQUALS = {
    "key": "key.label",
    "camelot": "key.camelot",
    "tonic": "key.tonic",
    "mode": "key.mode",
    "kind": "kind.label",
    "instrument": "instrument.label",
}
PCM = "audio.pcm_xxh128"
"""Where the hash of the decoded samples is in an analysis."""
METADATA = {"kind", "bpm", "key", "tonic", "mode", "camelot", "duration_s"}
"""What the vector index can filter by, besides `owner`."""

_MODES = get_args(Mode)
_VALUES = {
    "tonic": frozenset(TONICS),
    "mode": frozenset(_MODES),
    "kind": frozenset(get_args(KindLabel)),
    "instrument": frozenset(get_args(InstrumentLabel)),
    "defect": frozenset(get_args(DefectCode)),
    "key": frozenset(f"{tonic} {mode}" for tonic in TONICS for mode in _MODES),
    "camelot": frozenset(f"{n}{letter}" for n in range(1, 13) for letter in "AB"),
}
_WRITTEN = {
    "tonic": f"one of {', '.join(TONICS)}",
    "mode": "major or minor",
    "kind": f"one of {', '.join(get_args(KindLabel))}",
    "instrument": f"one of {', '.join(get_args(InstrumentLabel))}",
    "defect": f"one of {', '.join(get_args(DefectCode))}",
    "key": "written as C minor or F# major",
    "camelot": "1A to 12B",
}
_NOTE = re.compile(r"([A-G]#?)(-?\d{1,2})?")
_LONGEST_TEXT = 500
_MOST_WORDS = 20
_MOST_VALUES = 50
_NAMED = {path: name.removesuffix("_s") for name, path in RANGES.items()}


def chosen(choice: Choice | None) -> tuple[str, ...]:
    """The values of which one must hold; empty where all do."""
    return (choice,) if isinstance(choice, str) else choice or ()


def check(where: SampleFilter) -> None:
    """Raise `BadFilter` where it makes no sense: nothing can match, or the database could not be asked."""
    for name in RANGES:
        _check_range(name, getattr(where, name))
    for place, bounds in where.numbers:
        if place in _NAMED:
            raise BadFilter(f"{place} has a filter of its own: {_NAMED[place]}")
        if place not in DESCRIPTORS:
            raise BadFilter(f"there is no number {place[:60]!r}; there are {', '.join(DESCRIPTORS)}")
        _check_range(place, bounds)
    for name in ("text", "owner", *EQUALS, "note", "defect"):
        _check_choice(name, getattr(where, name))
    if where.text is not None and len(where.text.split()) > _MOST_WORDS:
        raise BadFilter(f"text has more than {_MOST_WORDS} words")


def _check_choice(name: str, choice: Choice | None) -> None:
    if choice == () or len(chosen(choice)) > _MOST_VALUES:
        raise BadFilter(f"{name} needs one value at least, and at most {_MOST_VALUES}")
    for value in chosen(choice):
        _check_text(name, value)
        if value not in _VALUES.get(name, {value}):
            raise BadFilter(f"{name} cannot be {value!r}: it is {_WRITTEN[name]}")
        if name == "note":
            note_pattern(value)


def _check_range(name: str, bounds: Bounds | None) -> None:
    if bounds is None:
        return
    if any(bound is not None and not math.isfinite(bound) for bound in bounds):
        raise BadFilter(f"{name} has a bound that is no number")
    low, high = bounds
    if low is not None and high is not None and low > high:
        raise BadFilter(f"{name} from {low:g} to {high:g} is empty")


def _check_text(name: str, value: str) -> None:
    if not value:
        raise BadFilter(f"{name} has an empty value")
    if len(value) > _LONGEST_TEXT:
        raise BadFilter(f"{name} is longer than {_LONGEST_TEXT} characters")
    if "\0" in value or not sayable(value):
        raise BadFilter(f"{name} holds a character that no text has")


def sayable(text: str) -> bool:
    """Whether it can be sent: JSON can write half of a surrogate pair."""
    return not any(0xD800 <= ord(letter) <= 0xDFFF for letter in text)


def at(analysis: Mapping[str, Any], path: str) -> Any:
    """The value at ``tempo.bpm``; ``None`` where there is none."""
    found: Any = analysis
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def by_pcm(samples: Iterable[Sample]) -> dict[str, list[Sample]]:
    """Samples by the hash of what they decode to, in the order of their ids."""
    found: dict[str, list[Sample]] = defaultdict(list)
    for sample in sorted(samples, key=lambda each: each.id):
        found[at(sample.analysis, PCM)].append(sample)
    return dict(found)


def matches(where: SampleFilter, analysis: Mapping[str, Any], names: list[str], owners: list[str]) -> bool:
    """Whether a sample passes. `names`: its paths in lower case (of this owner, where one is asked for)."""
    return (
        any(_within(at(analysis, RANGES["bpm"]), bounds) for bounds in tempi(where))
        and _within(at(analysis, RANGES["duration_s"]), where.duration_s)
        and all(_within(at(analysis, place), bounds) for place, bounds in where.numbers)
        and all(_one_of(at(analysis, path), getattr(where, name)) for name, path in EQUALS.items())
        and (where.note is None or bool(notes_pattern(where.note).fullmatch(at(analysis, "pitch.note") or "")))
        and (where.defect is None or any(each["code"] in chosen(where.defect) for each in analysis.get("defects", ())))
        and (where.text is None or any(all(word in name for word in words(where.text)) for name in names))
        and (where.owner is None or where.owner in owners)
    )


def indexed(where: SampleFilter, facts: Mapping[str, Any]) -> bool:
    """Whether what the index keeps beside a vector (`metadata`) passes as much of a filter as it knows of."""
    return (
        any(_within(facts.get("bpm"), bounds) for bounds in tempi(where))
        and _within(facts.get("duration_s"), where.duration_s)
        and all(_one_of(facts.get(name), getattr(where, name)) for name in EQUALS if name in METADATA)
    )


def tempi(where: SampleFilter) -> tuple[Bounds | None, ...]:
    """The ranges of which the tempo must be in one."""
    if where.bpm is None or not where.bpm_octaves:
        return (where.bpm,)
    low, high = where.bpm
    return tuple((low and low * times, high and high * times) for times in (0.5, 1.0, 2.0))


def _within(value: float | None, bounds: Bounds | None) -> bool:
    if bounds is None or bounds == (None, None):
        return True
    low, high = bounds
    return value is not None and (low is None or value >= low) and (high is None or value <= high)


def _one_of(value: str | None, choice: Choice | None) -> bool:
    return choice is None or value in chosen(choice)


def words(text: str) -> list[str]:
    """The words that must all stand in one path."""
    return text.lower().split()


def note_pattern(note: str) -> re.Pattern[str]:
    """``A4`` is that note, ``A`` is A in every octave."""
    match = _NOTE.fullmatch(note)
    if match is None:
        raise BadFilter(f"note is A4, or A for every octave, not {note!r}")
    name, octave = match.groups()
    return re.compile(f"^{name}{octave if octave else '-?[0-9]+'}$")


def notes_pattern(notes: Choice) -> re.Pattern[str]:
    """Any of these notes."""
    return re.compile("|".join(note_pattern(note).pattern for note in chosen(notes)))


def query(where: SampleFilter) -> dict[str, Any]:
    """The same in MongoDB's language. User text becomes values and escaped patterns, never operators."""
    asked: dict[str, Any] = {}
    tempo = [_between(bounds) for bounds in tempi(where)]
    ranges = {RANGES["duration_s"]: where.duration_s, **dict(where.numbers)}
    asked |= {f"analysis.{path}": between for path, bounds in ranges.items() if (between := _between(bounds))}
    if all(tempo):
        place = f"analysis.{RANGES['bpm']}"
        asked |= {place: tempo[0]} if len(tempo) == 1 else {"$or": [{place: between} for between in tempo]}
    equals = {**EQUALS, "defect": "defects.code"}
    asked |= {f"analysis.{path}": _any(values) for name, path in equals.items() if (values := getattr(where, name))}
    if where.note is not None:
        asked["analysis.pitch.note"] = {"$regex": notes_pattern(where.note).pattern}
    if where.owner is not None:
        asked["owners"] = where.owner
    if where.text is not None and words(where.text):
        ahead = "".join(f"(?=.*{re.escape(word)})" for word in words(where.text))
        place_asked: dict[str, Any] = {"lower": {"$regex": f"^{ahead}", "$options": "s"}}
        asked["places"] = {"$elemMatch": place_asked if where.owner is None else {"owner": where.owner, **place_asked}}
    return asked


def among(asked: dict[str, Any], ids: Among | None) -> dict[str, Any]:
    """A query of the analysis, and of ids beside it."""
    if ids is None:
        return asked
    if ids.also or ids.but:
        asked = {"$or": [{"$and": [asked, {"_id": {"$nin": list(ids.but)}}]}, {"_id": {"$in": list(ids.also)}}]}
    return asked if ids.only is None else {"$and": [asked, {"_id": {"$in": list(ids.only)}}]}


def is_among(ids: Among | None, sample_id: str, matched: bool) -> bool:
    """The same of one sample: whether it is found, where its analysis alone `matched` or not."""
    if ids is None:
        return matched
    found = sample_id in ids.also or (matched and sample_id not in ids.but)
    return found and (ids.only is None or sample_id in ids.only)


def _between(bounds: Bounds | None) -> dict[str, float]:
    low, high = bounds or (None, None)
    return {operator: bound for operator, bound in (("$gte", low), ("$lte", high)) if bound is not None}


def _any(choice: Choice) -> str | dict[str, list[str]]:
    values = chosen(choice)
    return values[0] if len(values) == 1 else {"$in": list(values)}


def metadata(analysis: Mapping[str, Any], owner: str, space: int | None) -> dict[str, str | int | float | bool]:
    """What the vector index keeps beside a vector: only what is known. `space`: what it can be compared with."""
    said = {name: at(analysis, path) for name, path in {**RANGES, **EQUALS}.items() if name in METADATA}
    known = {name: value for name, value in said.items() if value is not None}
    return {**known, "owner": owner, **({} if space is None else {"space": space})}
