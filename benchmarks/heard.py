"""Sounds of a library, and edits of them, analysed as files are."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.edited import Edit, originals, write

_AS_IT_IS = Edit(lambda y, sr: (y, sr))


@dataclass(frozen=True, slots=True)
class Heard:
    """One analysed file."""

    original: int
    name: str
    edit: str | None
    analysis: Mapping[str, Any]
    vector: bytes
    mel: bytes

    @property
    def seconds(self) -> float:
        """Its length."""
        return float(self.analysis["audio"]["duration_s"])


def heard_sounds(folder: Path, most: int, edits: Mapping[str, Edit], seed: int = 1) -> Iterator[Heard]:
    """Some of the sounds below a folder and their edits, each analysed; but not silent ones, or the same again."""
    from config.settings import get_settings
    from workers.audio.decode import Decoder
    from workers.audio.files import open_regular
    from workers.file import analyze_file

    seen = set[str]()
    with tempfile.TemporaryDirectory(prefix="samplemind-copies-") as place, Decoder(get_settings().decode) as decoder:

        def heard(number: int, name: str, edit: str | None, path: Path) -> Heard:
            with open(open_regular(path), "rb") as file:
                said = analyze_file(decoder, file.fileno(), path.name)
            return Heard(number, name, edit, said.to_dict(), said.vector, said.preview.mel)

        for number, (name, y, sr) in enumerate(originals(folder, most, seed)):
            known = hashlib.sha256(y.tobytes()).hexdigest()
            first = heard(number, name, None, write(_AS_IT_IS, y, sr, Path(place) / "sound"))
            if known in seen or not first.vector:
                continue
            seen.add(known)
            yield first
            for edit, how in edits.items():
                yield heard(number, name, edit, write(how, y, sr, Path(place) / "edited"))
