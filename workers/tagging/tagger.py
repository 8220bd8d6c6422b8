"""One file tagged or put back: analysed, compared with what it says already, written where asked."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workers.audio.decode import Decoder
from workers.audio.files import content_hash, open_regular
from workers.audio.hints import Hints, read_hints
from workers.audio.probe import probe
from workers.batch import decoder_of_process
from workers.errors import FileError, SampleMindError, TaggingError
from workers.file import analyze_path
from workers.tagging.journal import Journal
from workers.tagging.marks import SURE, Marks, marks_of
from workers.tagging.rewrite import Pending, prepared, restored


@dataclass(frozen=True, slots=True)
class Tagger:
    """What to write and whether to. Called with a path, in any process; never raises for a file's sake.

    A row says ``path``, ``status`` (``written``, ``would write``, ``nothing to write``, ``put back``, ``would put
    back``, ``failed``), what the file ``said`` and what it ``says`` now or would say, and a ``reason`` where it failed.
    """

    journal: Path
    write: bool = False
    at_least: float = SURE
    """Answers less certain are not written."""
    tempo: bool = True
    key: bool = True
    note: bool = True

    def __call__(self, path: str | os.PathLike[str]) -> dict[str, Any]:
        decoder = decoder_of_process()
        row = analyze_path(decoder, path)
        if row["status"] == "failed":
            return row
        marks = self._wanted(row)
        said = _said(Path(path))
        shown = {"path": row["path"], "said": said}
        if not marks:
            return {**shown, "status": "nothing to write", "reason": _why_not(row, self.at_least)}
        return {**shown, **self._change(Path(path), marks, row["sample_id"].partition("-")[0], decoder)}

    def _wanted(self, row: Mapping[str, Any]) -> Marks:
        known = marks_of(row, at_least=self.at_least)
        return Marks(
            bpm=known.bpm if self.tempo else None,
            beats=known.beats if self.tempo else None,
            tonic=known.tonic if self.key else None,
            mode=known.mode if self.key else None,
            root_midi=known.root_midi if self.note else None,
            root_cents=known.root_cents if self.note else 0.0,
            one_shot=known.one_shot,
        )

    def _change(self, path: Path, marks: Marks, content: str, decoder: Decoder) -> dict[str, Any]:
        says = {"bpm": marks.bpm, "key": marks.key, "root_midi": marks.root_midi}
        try:
            pending = prepared(path, marks, decoder, expected=content)
            if pending.change.after == pending.change.before:
                pending.discard()
                return {"status": "nothing to write", "reason": _reason("as_it_is", "The file says so already.")}
            if not self.write:
                pending.discard()
                return {"status": "would write", "says": says}
            return {"status": "written", "says": says, **_applied(pending, Journal(self.journal))}
        except (FileError, TaggingError) as error:
            return {"status": "failed", "reason": _reason(error.code, error.message)}


@dataclass(frozen=True, slots=True)
class Undoer:
    """Puts back what a file was before it was tagged last. Called with a path, as `Tagger` is."""

    journal: Path
    write: bool = False

    def __call__(self, path: str | os.PathLike[str]) -> dict[str, Any]:
        shown: dict[str, Any] = {"path": os.fsencode(path).decode("utf-8", "backslashreplace")}
        try:
            return {**shown, **self._put_back(Path(path), decoder_of_process())}
        except (FileError, TaggingError) as error:
            return {**shown, "status": "failed", "reason": _reason(error.code, error.message)}

    def _put_back(self, path: Path, decoder: Decoder) -> dict[str, Any]:
        journal = Journal(self.journal)
        entry = journal.last(path, _hash(path))
        if entry is None:
            return {
                "status": "nothing to write",
                "reason": _reason("not_ours", "It was never tagged from here, or was changed since."),
            }
        pending = restored(path, entry.undo, before=entry.before, after=entry.after, decoder=decoder)
        if not self.write:
            pending.discard()
            return {"status": "would put back", "tagged_at": entry.at}
        return {"status": "put back", "tagged_at": entry.at, **_applied(pending, journal)}


def _applied(pending: Pending, journal: Journal) -> dict[str, Any]:
    """The journal first: a change that is not written down cannot be taken back."""
    try:
        journal.add(pending.change)
    except SampleMindError:
        pending.discard()
        raise
    pending.take_place()
    change = pending.change
    return {"sha256_before": change.before, "sha256_after": change.after, "sound_sha256": change.sound}


def _said(path: Path) -> dict[str, Any]:
    """What tags and chunks of the file say now."""
    fd = open_regular(path)
    try:
        found: Hints = read_hints("", probe(fd))
    finally:
        os.close(fd)
    minor = found.tag_mode == "minor"
    return {
        "bpm": found.tag_bpm if found.tag_bpm is not None else found.acid_bpm,
        "key": found.tag_tonic + ("m" if minor else "") if found.tag_tonic else None,
        "root_midi": found.smpl_root_midi if found.smpl_root_midi is not None else found.acid_root_midi,
    }


def _why_not(row: Mapping[str, Any], at_least: float) -> dict[str, str]:
    return _reason(
        "not_sure", f"Nothing in it is known with a confidence of {at_least:g}: " + "; ".join(_reasons(row)) + "."
    )


def _reasons(row: Mapping[str, Any]) -> list[str]:
    said = {"tempo": row["tempo"], "key": row["key"], "note": row["pitch"]}
    return [f"{name}: {part['reason'] or 'not sure enough'}" for name, part in said.items()]


def _hash(path: Path) -> str:
    fd = open_regular(path)
    try:
        return content_hash(fd)
    finally:
        os.close(fd)


def _reason(code: str, message: str) -> dict[str, str]:
    return {"code": code, "message": message}
