"""The doctor's report of a job: its files walked once, a page at a time."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response

from api.answers import Json
from api.front import guarded
from api.parts import Parts
from api.pictures import waveform_svg
from api.tables import Export
from api.views import reason_view
from stores.doors import Samples
from stores.records import Job
from workers.doctor.pages import html, markdown
from workers.doctor.report import Report
from workers.errors import NotFound


async def made(parts: Parts, job: Job) -> dict[str, Any]:
    """The report of a job as it stands now."""
    report = Report(job.label or job.id)
    table = Export(parts.ledger, parts.samples, job.id)
    cursor: str | None = None
    while True:
        cursor = await run_in_threadpool(_add, report, table, cursor)
        if cursor is None:
            return {"job": job.id, **report.to_dict()}


def _add(report: Report, table: Export, cursor: str | None) -> str | None:
    rows, following = table.page(cursor)
    for row, sample in rows:
        report.add(
            row.file.path,
            row.row.status.value,
            None if sample is None else sample.analysis,
            sample_id=row.row.sample_id,
            reason=reason_view(row.row.reason),
        )
    return following


def shown(said: dict[str, Any], form: str, samples: Samples) -> Response:
    """The report as JSON, Markdown, or a page with the waveforms of the worst files."""
    if form == "json":
        return Json(said)
    if form == "markdown":
        return PlainTextResponse(markdown(said), media_type="text/markdown; charset=utf-8")
    return guarded(html(said, lambda sample_id: _waveform(samples, sample_id)))


def _waveform(samples: Samples, sample_id: str) -> str | None:
    try:
        return waveform_svg(samples.preview(sample_id)[0]).decode()
    except NotFound:
        return None
