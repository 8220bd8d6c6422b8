"""Scores of the music21 corpus (``pip install music21``), read as notes with their metre and key."""

from __future__ import annotations

import functools
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.material.fonts import MissingTools
from benchmarks.material.midi import Note
from workers.model import TONICS

_ABC = ("ryansMammoth", "oneills1850", "essenFolksong", "airdsAirs")
_XML = ("bach", "mozart", "haydn", "beethoven", "schumann_robert", "schumann_clara", "corelli", "handel", "schubert")
_OTHER_XML = ("joplin", "cpebach", "weber", "chopin", "beach", "verdi", "johnson_j_r", "leadSheet", "miscFolk")
"""Composers that nothing is learned from."""
_BEATS = {"4/4": 1.0, "2/4": 1.0, "3/4": 1.0, "2/2": 1.0, "6/8": 1.5, "9/8": 1.5, "12/8": 1.5}
"""Quarter notes a beat. Cut time is counted in quarters: written so, it is rarely felt in halves at one speed."""
_FEWEST_NOTES = 24


@dataclass(frozen=True, slots=True)
class Candidate:
    """A piece that can be read: a file, or one tune of a file of many."""

    piece: str
    group: str
    path: Path
    text: str
    """The tune's own ABC, or empty."""
    minor: bool
    """What its notation says at first sight; only for choosing."""
    metre: str


@dataclass(frozen=True, slots=True)
class Score:
    """A piece as notes."""

    piece: str
    group: str
    parts: tuple[tuple[Note, ...], ...]
    metre: str
    beat: float
    """Quarter notes a beat."""
    bar: float
    """Quarter notes a bar."""
    first_bar: float
    """Where the first whole bar starts, in quarter notes."""
    tonic: int
    mode: str

    @property
    def length(self) -> float:
        """In quarter notes."""
        return max(n.at + n.length for part in self.parts for n in part)


def _music21() -> Any:
    try:
        return import_module("music21")
    except ImportError as error:
        raise MissingTools("music21 is not installed (pip install music21)") from error


@functools.cache
def candidates(seed: int, others: bool = False) -> tuple[Candidate, ...]:
    """Every piece, in an order in which groups, modes and metres take turns; with `others`, other composers too."""
    root = Path(_music21().__file__).parent / "corpus"
    rng = np.random.default_rng(seed)
    piles: dict[tuple[str, bool, bool], list[Candidate]] = {}
    for piece in _pieces(root, _XML + _OTHER_XML if others else _XML):
        turning = piece.metre in ("6/8", "9/8", "12/8", "3/4")
        piles.setdefault((piece.group, piece.minor, turning), []).append(piece)
    for pile in piles.values():
        rng.shuffle(pile)
    out: list[Candidate] = []
    while piles:
        for name in sorted(piles):
            out.append(piles[name].pop())
            if not piles[name]:
                del piles[name]
    return tuple(out)


def _pieces(root: Path, composers: tuple[str, ...]) -> Iterator[Candidate]:
    for group in _ABC:
        for path in sorted((root / group).glob("*.abc")):
            tunes = re.split(r"(?m)^(?=X:)", path.read_text("utf-8", errors="replace"))
            tunes = [tune for tune in tunes if tune.startswith("X:")]
            for n, tune in enumerate(tunes):
                name = path.stem if len(tunes) == 1 else f"{path.stem}_{n}"
                yield Candidate(f"{group}_{name}_abc", group, path, tune, _abc_minor(tune), _abc(tune, "M"))
    for group in composers:
        for path in sorted((root / group).rglob("*")):
            if path.suffix in (".mxl", ".xml", ".musicxml"):
                name = str(path.relative_to(root)).replace("/", "_").replace(".", "_")
                yield Candidate(name, "chorale" if group == "bach" else "classical", path, "", _xml_minor(path), "")


def _abc(tune: str, field: str) -> str:
    found = re.search(rf"(?m)^{field}:\s*(\S+)", tune)
    return found.group(1) if found else ""


def _abc_minor(tune: str) -> bool:
    return bool(re.search(r"(?m)^K:\s*[A-G][#b]?\s*[mM](in|IN)?(\s|$)", tune))


def _xml_minor(path: Path) -> bool:
    if path.suffix != ".mxl":
        return b"<mode>minor" in path.read_bytes()
    with zipfile.ZipFile(path) as file:
        return any(b"<mode>minor" in file.read(name) for name in file.namelist() if name.endswith(".xml"))


def read(candidate: Candidate) -> Score | None:
    """The piece, or None where its metre changes, its key is not sure or it is too short."""
    m21 = _music21()
    try:
        stream = (
            m21.converter.parse(candidate.text, format="abc") if candidate.text else m21.converter.parse(candidate.path)
        )
        return _score(m21, candidate, stream)
    except (m21.exceptions21.Music21Exception, ValueError, AttributeError, TypeError, KeyError, IndexError):
        # hundreds of hands typed this corpus: what the reader stumbles on is left out
        return None


def _score(m21: Any, candidate: Candidate, stream: Any) -> Score | None:
    metres = {t.ratioString for t in stream.recurse().getElementsByClass(m21.meter.TimeSignature)}
    if len(metres) != 1 or (metre := metres.pop()) not in _BEATS:
        return None
    parts = [tuple(_notes(part)) for part in (stream.parts or [stream])]
    parts = [part for part in parts if part][:8]
    if sum(map(len, parts)) < _FEWEST_NOTES:
        return None
    keys = list(stream.recurse().getElementsByClass(m21.key.KeySignature))
    found = _key(keys, parts)
    if found is None:
        return None
    bars = list((stream.parts or [stream])[0].getElementsByClass(m21.stream.Measure))
    length = float(m21.meter.TimeSignature(metre).barDuration.quarterLength)
    first = float(bars[1].offset) % length if len(bars) > 1 else 0.0
    return Score(candidate.piece, candidate.group, tuple(parts), metre, _BEATS[metre], length, first, *found)


def _notes(part: Any) -> Iterator[Note]:
    for element in part.flatten().stripTies().notes:
        length = float(element.quarterLength)
        for pitch in element.pitches:
            if length > 0:
                yield Note(float(element.offset), length, int(pitch.midi))


def _key(keys: list[Any], parts: list[tuple[Note, ...]]) -> tuple[int, str] | None:
    """The notated key, where the lowest note of the end is its tonic."""
    if not keys or len({key.sharps for key in keys}) != 1:
        return None
    major = keys[0].sharps * 7 % 12
    end = max(n.at + n.length for part in parts for n in part)
    final = min((n.pitch for part in parts for n in part if n.at + n.length > end - 0.01), default=-1) % 12
    said = getattr(keys[0], "mode", None)
    for tonic, mode in ((major, "major"), ((major + 9) % 12, "minor")):
        if final == tonic and said in (None, "", mode):
            return tonic, mode
    return None


def key_name(tonic: int) -> str:
    """In sharps."""
    return TONICS[tonic % 12]
