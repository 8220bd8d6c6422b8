"""What each column of a typed table of files holds, and where that is in an analysis. No I/O.

What has no column of its own (the answer of another analyser version, say) is in `more`, as JSON: nothing is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from api.answers import dump, plain
from api.tables import COLUMNS
from stores.records import FileRow, Sample
from workers.naming import spelled

_TEXT: Final = (
    "kind.label", "instrument.label", "instrument.reason", "tempo.reason", "key.tonic", "key.mode", "key.label",
    "key.camelot", "key.open_key", "key.runner_up", "key.reason", "pitch.note", "pitch.reason", "audio.container",
    "audio.subtype", "audio.analyzed.policy",
)  # fmt: skip
_WHOLE: Final = (
    "audio.sample_rate_hz", "audio.channels", "audio.frames", "tempo.beats", "pitch.midi", "rhythm.onset_count",
    "rhythm.beats_per_bar",
)  # fmt: skip
_REAL: Final = (
    "kind.confidence", "instrument.confidence", "key.margin", "pitch.confidence", "audio.analyzed_s",
    "rhythm.first_beat_s", "rhythm.first_downbeat_s", "rhythm.swing_ratio", "rhythm.seam_step_db",
)  # fmt: skip
"""Beside what CSV has too."""
_REALS: Final = ("timbre.mfcc", "timbre.mfcc_std", "spectrum.contrast_db")
RECORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "tempo.evidence": {"source": "text", "bpm": "real", "weight": "real"},
    "key.evidence": {"source": "text", "key": "text", "weight": "real"},
    "audio.analyzed.windows": {"": "reals"},
    "defects": {"code": "text", "message": "text", "at_s": "real", "amount": "real"},
}
FIRST: Final[Mapping[str, str]] = {
    "index": "whole", "root": "text", "path": "text", "status": "text", "reason_code": "text", "reason": "text",
    "sample_id": "text", "analyzer": "text", "superseded_by": "text", "path_b64": "text",
}  # fmt: skip


def _columns() -> dict[str, tuple[str, str]]:
    kinds = dict.fromkeys((*COLUMNS.values(), *_REAL), "real")
    kinds |= dict.fromkeys(_TEXT, "text") | dict.fromkeys(_WHOLE, "whole") | dict.fromkeys(_REALS, "reals")
    kinds |= dict.fromkeys(RECORDS, "records")
    names = {place: name for name, place in COLUMNS.items()}
    return {names.get(place, place.replace(".", "_")): (place, kind) for place, kind in kinds.items()}


PLACES: Final[Mapping[str, tuple[str, str]]] = _columns()
"""Column -> where its value is in the analysis, and of which type it is. Columns of CSV have the same name here."""


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63


def _is_real(value: Any) -> bool:
    # Beyond it Arrow takes no integer for a float: digits would be lost.
    return isinstance(value, float) or (_is_whole(value) and abs(value) <= 1 << 53)


def _are(each_is: Callable[[Any], bool], value: Any) -> bool:
    return isinstance(value, list) and all(each is None or each_is(each) for each in value)


_FITS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "text": lambda value: isinstance(value, str),
    "whole": _is_whole,
    "real": _is_real,
    "reals": lambda value: _are(_is_real, value),
}


def _fits(place: str, kind: str, value: Any) -> bool:
    if kind != "records":
        return _FITS[kind](value)
    fields = RECORDS[place]
    if "" in fields:
        return _are(_FITS[fields[""]], value)
    return isinstance(value, list) and all(_is_record(fields, each) for each in value)


def _is_record(fields: Mapping[str, str], value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() <= fields.keys()
        and all(each is None or _FITS[fields[name]](each) for name, each in value.items())
    )


def row_of(row: FileRow, sample: Sample | None) -> dict[str, Any]:
    """The cells of one file by column; a column that is not named is null."""
    reason = row.row.reason
    cells: dict[str, Any] = {
        "index": row.index,
        "root": row.file.root,
        "path": sayable(row.file.path),
        "status": row.row.status.value,
        "reason_code": reason.code if reason else None,
        "reason": sayable(reason.message) if reason else None,
        "sample_id": row.row.sample_id,
        **spelled(row.file.raw),
    }
    if sample is None:
        return cells
    said = plain(sample.analysis)
    cells |= {"analyzer": sample.analyzer, "superseded_by": sample.superseded_by}
    for name, (place, kind) in PLACES.items():
        cells[name] = _take(said, place, kind)
    left = _rest(said)
    return cells | {"more": dump(left).decode() if left else None}


def _take(said: dict[str, Any], place: str, kind: str) -> Any:
    """Take a value out of an analysis; what is of another type stays in it."""
    *above, last = place.split(".")
    holder: Any = said
    for name in above:
        holder = holder.get(name)
        if not isinstance(holder, dict):
            return None
    value = holder.get(last)
    if value is None or not _fits(place, kind, value):
        return None
    del holder[last]
    return value


def _rest(said: Mapping[str, Any]) -> dict[str, Any]:
    """What was not taken, without what says nothing."""
    inner = {name: _rest(value) if isinstance(value, dict) else value for name, value in said.items()}
    return {name: value for name, value in inner.items() if value is not None and value != {}}


def sayable(text: str) -> str:
    """A text that UTF-8 can hold."""
    return text.encode("utf-8", "backslashreplace").decode()
