"""A job's files as NDJSON or CSV, a page at a time: memory does not grow with the job."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final

from starlette.concurrency import run_in_threadpool

from api.answers import dump, plain
from api.views import file_view, sample_view
from stores.doors import Ledger, Samples
from stores.filters import at
from stores.records import FileRow, Sample
from workers.naming import spelled

_ROWS: Final = 500
Rows = list[tuple[FileRow, Sample | None]]

COLUMNS: Final[Mapping[str, str]] = {
    "kind": "kind.label",
    "bpm": "tempo.bpm",
    "bpm_confidence": "tempo.confidence",
    "beats": "tempo.beats",
    "key": "key.label",
    "camelot": "key.camelot",
    "key_confidence": "key.confidence",
    "tuning_cents": "key.tuning_cents",
    "note": "pitch.note",
    "midi": "pitch.midi",
    "pitch_hz": "pitch.hz",
    "pitch_cents": "pitch.cents",
    "duration_s": "audio.duration_s",
    "sample_rate_hz": "audio.sample_rate_hz",
    "channels": "audio.channels",
    "container": "audio.container",
    "subtype": "audio.subtype",
    **{name: f"loudness.{name}" for name in ("integrated_lufs", "true_peak_dbtp", "rms_dbfs", "crest_db")},
    **{
        name: f"spectrum.{name}"
        for name in ("centroid_hz", "bandwidth_hz", "rolloff_hz", "flatness", "zero_crossing_rate", "contrast_db")
    },
    **{
        name: f"envelope.{name}"
        for name in ("attack_s", "decay_s", "effective_duration_s", "temporal_centroid", "end_level_db")
    },
    **{name: f"rhythm.{name}" for name in ("onset_count", "onset_rate_hz", "pulse_clarity")},
    **{name: f"timbre.{name}" for name in ("mfcc", "mfcc_std", "tonalness", "brightness")},
}
"""Column of a CSV file -> where its value is in the analysis."""

_FIRST: Final = ("index", "root", "path", "status", "reason_code", "reason", "sample_id")
_LAST: Final = ("defects", "path_b64")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


class Export:
    """The rows of one job, with what is known of each content."""

    def __init__(self, ledger: Ledger, samples: Samples, job_id: str) -> None:
        self._ledger = ledger
        self._samples = samples
        self._job_id = job_id

    def lines(self, encode: Callable[[FileRow, Sample | None], bytes]) -> AsyncIterator[bytes]:
        """Encoded rows, a page in each piece."""
        return self.pieces(lambda rows: b"".join(encode(row, sample) for row, sample in rows))

    async def pieces(self, encode: Callable[[Rows], bytes]) -> AsyncIterator[bytes]:
        """What is made of each page, in a thread: a page takes some 50 ms, in which others are answered."""
        cursor: str | None = None
        while True:
            piece, cursor = await run_in_threadpool(self._piece, cursor, encode)
            yield piece
            if cursor is None:
                return

    def _piece(self, cursor: str | None, encode: Callable[[Rows], bytes]) -> tuple[bytes, str | None]:
        rows, following = self.page(cursor)
        return encode(rows), following

    def page(self, cursor: str | None) -> tuple[Rows, str | None]:
        """Rows with what is known of each, and the cursor of the page behind them."""
        page = self._ledger.files(self._job_id, status=None, cursor=cursor, limit=_ROWS)
        ids = list({row.row.sample_id: None for row in page.items if row.row.sample_id})
        known = self._samples.many([one for one in ids if one]) if ids else {}
        return [(row, known.get(row.row.sample_id or "")) for row in page.items], page.next

    def ndjson(self) -> AsyncIterator[bytes]:
        """One JSON object a line: the file's row and, where it was analysed, all of its analysis."""
        return self.lines(_json_line)

    async def csv(self) -> AsyncIterator[bytes]:
        """A header and one line a file, RFC 4180."""
        yield _csv_line([*_FIRST, *COLUMNS, *_LAST])
        async for piece in self.lines(_csv_row):
            yield piece


def _json_line(row: FileRow, sample: Sample | None) -> bytes:
    said = file_view(row)
    if sample is not None:
        known = sample_view(sample)
        said |= {name: value for name, value in known.items() if name not in ("files", "created_at")}
    return dump(said) + b"\n"


def _csv_row(row: FileRow, sample: Sample | None) -> bytes:
    reason = row.row.reason
    first = [
        row.index,
        row.file.root,
        row.file.path,
        row.row.status.value,
        reason.code if reason else None,
        reason.message if reason else None,
        row.row.sample_id,
    ]
    name = spelled(row.file.raw).get("path_b64")
    if sample is None:
        return _csv_line([*first, *[None] * (len(COLUMNS) + 1), name])
    analysis = plain(sample.analysis)
    defects = " ".join(str(at(each, "code")) for each in analysis.get("defects") or ())
    return _csv_line([*first, *(at(analysis, place) for place in COLUMNS.values()), defects, name])


def _csv_line(cells: list[Any]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([cell(value) for value in cells])
    return out.getvalue().encode("utf-8", "backslashreplace")


def cell(value: Any) -> str:
    """A value as a cell. Text that a spreadsheet would take for a formula gets an apostrophe before it."""
    if value is None:
        return ""
    if isinstance(value, str):
        text = value.replace("\0", "")
        return "'" + text if text.startswith(_FORMULA) else text
    if isinstance(value, list | tuple):
        return " ".join(cell(each) for each in value)
    return str(value)
