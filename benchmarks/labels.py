"""Labelled audio: a CSV with ``path`` and any of the columns below; paths relative to it.

``bpm, key, mode, kind, slice``; from ``benchmarks.material`` also ``piece`` (what belongs in one fold), ``note_midi``
(the note of a pitched one-shot), ``class`` (of a one-shot), ``no_key``, ``no_tempo`` (there is none to be found) and
``metre``. What a CSV does not have is taken from the kind and the name, as far as they say it.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from workers.model import TONICS

_FLATS = {"DB": "C#", "EB": "D#", "GB": "F#", "AB": "G#", "BB": "A#", "CB": "B", "FB": "E", "E#": "F", "B#": "C"}
DRUMS = ("kick", "snare", "hat", "cymbal", "tom", "clap", "perc")
"""Classes of one-shots that have no note."""
_NAMED = (
    ("kick", r"^bd_|kick|drum_bass"),
    ("snare", r"^sn_|snare"),
    ("hat", r"^hat_|hat|pedal|cowbell_hat"),
    ("cymbal", r"cymbal|splash|ride|crash"),
    ("tom", r"tom"),
    ("clap", r"clap|snap"),
    ("perc", r"^perc_|^drum_|^tabla_|cowbell|block|triangle|hollow"),
    ("bass", r"^bass_"),
    ("pad", r"^ambi_"),
    ("lead", r"^guit_|^synth_|pluck"),
    ("fx", r"^elec_|^glitch_|^vinyl_|^misc_|^fx_"),
)


@dataclass(frozen=True, slots=True)
class Labelled:
    """One file and what is known of it."""

    path: Path
    bpm: float | None
    key: str | None
    """``C minor``, in sharps."""
    kind: str
    slice: str
    note_midi: int | None = None
    """The note of a one-shot."""
    sound: str = ""
    """The class of a one-shot, ``kick`` or ``bass``; what a loop is made of, ``drums`` or ``full``."""
    no_key: bool = False
    """Drums, noise: any key said of it is invented."""
    no_tempo: bool = False
    """A single sound, noise, a drone: any tempo said of it is invented."""
    metre: str = ""
    group: str = ""
    """What belongs in one fold, where the CSV says it."""
    source: str = ""
    """Where it is from: a font, a kit, a collection."""

    @property
    def one_shot(self) -> bool:
        return self.kind.replace("-", "").replace("_", "") == "oneshot"

    @property
    def loop(self) -> bool:
        """Whether it was cut to be repeated."""
        return "loop" in self.kind or self.kind == "drum_machine"

    @property
    def piece(self) -> str:
        """What belongs in one fold: excerpts and takes of one piece differ in a suffix only."""
        if self.group:
            return self.group
        name = re.sub(r"(_x\d+|[_\d.]*bpm)$", "", self.path.stem)
        return re.sub(r"\d+$", "", name) if len(name) < 24 and "_" in name and self.key is None else name


def read_labels(path: Path) -> list[Labelled]:
    """Every row of a CSV of labels."""
    with path.open(newline="", encoding="utf-8") as file:
        return [_labelled(path.parent, row) for row in csv.DictReader(file)]


def _labelled(folder: Path, row: dict[str, str]) -> Labelled:
    tonic = (row.get("key") or "").strip()
    tonic = _FLATS.get(tonic.upper(), tonic)
    mode = (row.get("mode") or "").strip()
    kind = (row.get("kind") or "").strip()
    one_shot = kind.replace("-", "").replace("_", "") == "oneshot"
    sound = (row.get("class") or "").strip() or (_sound_named(Path(row["path"]).stem) if one_shot else "")
    return Labelled(
        path=folder / row["path"],
        bpm=float(row["bpm"]) if row.get("bpm") else None,
        key=f"{tonic} {mode}" if tonic in TONICS and mode else None,
        kind=kind,
        slice=(row.get("slice") or kind or "all").strip(),
        note_midi=int(row["note_midi"]) if row.get("note_midi") else None,
        sound=sound,
        no_key=bool(row.get("no_key")) or kind in ("noise", "drum_machine") or (one_shot and sound in DRUMS),
        no_tempo=bool(row.get("no_tempo")) or kind == "noise" or one_shot,
        metre=(row.get("metre") or "").strip(),
        group=(row.get("piece") or "").strip(),
        source=(row.get("source") or "").strip(),
    )


def _sound_named(name: str) -> str:
    """The class that a one-shot's file name says, or empty."""
    return next((sound for sound, pattern in _NAMED if re.search(pattern, name.lower())), "")
