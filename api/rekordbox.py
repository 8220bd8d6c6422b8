"""A job's files as a collection for Rekordbox (XML 1.0.0), which Traktor converters and other DJ programs read too.

The format: "XML format list for rekordbox", Pioneer DJ / AlphaTheta. Only what was analysed is in it: a DJ program has
no place for a reason.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from api.answers import plain
from api.tables import Export
from stores.filters import at
from stores.records import FileRow, Sample

_KINDS: Final[Mapping[str, str]] = {
    "WAV": "WAV File",
    "RF64": "WAV File",
    "AIFF": "AIFF File",
    "FLAC": "FLAC File",
    "MP3": "MP3 File",
    "MP4": "M4A File",
}
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>\n<DJ_PLAYLISTS Version="1.0.0">\n'
_PRODUCT: Final = '<PRODUCT Name="SampleMind" Version="{version}" Company=""/>\n'


async def collection(export: Export, entries: int, folders: Mapping[str, str], version: str) -> AsyncIterator[bytes]:
    """The document, a page of files in each piece.

    Parameters
    ----------
    export : Export
        The job's rows.
    entries : int
        How many of them were analysed.
    folders : mapping of str to str
        Where each library root is on the machine that reads the collection: ``/music``, ``D:/Samples``.
    version : str
        The analyser's.
    """
    yield (_HEAD + _PRODUCT.format(version=version) + f'<COLLECTION Entries="{entries}">\n').encode()
    async for piece in export.lines(lambda row, sample: _track(row, sample, folders)):
        yield piece
    yield b"</COLLECTION>\n</DJ_PLAYLISTS>\n"


def _track(row: FileRow, sample: Sample | None, folders: Mapping[str, str]) -> bytes:
    folder = folders.get(row.file.root)
    if sample is None or folder is None or row.file.raw is not None:
        return b""
    said = plain(sample.analysis)
    bpm = at(said, "tempo.bpm")
    attributes = {
        "TrackID": row.index + 1,
        "Name": PurePosixPath(row.file.path).stem,
        "Kind": _KINDS.get(str(at(said, "audio.container"))),
        "Size": row.file.size if row.file.size >= 0 else None,
        "TotalTime": round(at(said, "audio.duration_s") or 0),
        "SampleRate": at(said, "audio.sample_rate_hz"),
        "AverageBpm": None if bpm is None else f"{bpm:.2f}",
        "Tonality": _tonality(said),
        "Comments": at(said, "key.camelot"),
        "Location": _location(folder, row.file.path),
    }
    head = "  <TRACK" + "".join(
        f" {name}={_attribute(value)}" for name, value in attributes.items() if value is not None
    )
    grid = _grid(said)
    return (f"{head}>{grid}</TRACK>\n" if grid else f"{head}/>\n").encode()


def _tonality(said: Mapping[str, Any]) -> str | None:
    """The key as Rekordbox shows it: ``Am``, ``F#m``, ``C``."""
    tonic = at(said, "key.tonic")
    return None if tonic is None else str(tonic) + ("m" if at(said, "key.mode") == "minor" else "")


def _grid(said: Mapping[str, Any]) -> str:
    """The first downbeat, from which Rekordbox lays its grid; nothing where none is known."""
    first, bpm, metre = at(said, "rhythm.first_downbeat_s"), at(said, "tempo.bpm"), at(said, "rhythm.beats_per_bar")
    if bpm is None or first is None:
        return ""
    return f'<TEMPO Inizio="{first:.3f}" Bpm="{bpm:.2f}" Metro="{metre or 4}/4" Battito="1"/>'


def _location(folder: str, path: str) -> str:
    """A file as Rekordbox names it: ``file://localhost/D:/Samples/a%20b.wav``."""
    whole = folder.replace("\\", "/").rstrip("/") + "/" + path
    return "file://localhost/" + quote(whole.lstrip("/"), safe="/:")


def _attribute(value: Any) -> str:
    """A value in quotes. Characters that XML cannot hold are left out."""
    text = "".join(letter for letter in str(value) if letter >= " " or letter in "\t\n\r")
    return quoteattr(text.encode("utf-8", "replace").decode(), {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})
