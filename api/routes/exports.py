"""A job's files and what was found, to take away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from api.deps import Parts, Reader
from api.errors import refuse_field
from api.limits import NDJSON
from api.parquet import parquet
from api.rekordbox import collection
from api.schemas import ExportQuery
from api.security import is_loopback
from api.shapes import PROBLEMS
from api.tables import Export
from config.settings import Settings
from stores.records import Job
from workers.model import ANALYZER_VERSION

router = APIRouter(prefix="/v1/exports", tags=["exports"], responses=PROBLEMS)
_FORMATS = {
    "ndjson": (NDJSON, "ndjson"),
    "csv": ("text/csv; charset=utf-8", "csv"),
    "parquet": ("application/vnd.apache.parquet", "parquet"),
    "rekordbox": ("application/xml; charset=utf-8", "xml"),
}


@router.get("/{job_id}", summary="Every file of a job", response_class=StreamingResponse)
async def export(
    parts: Parts, who: Reader, job_id: Annotated[str, Path(max_length=200)], query: Annotated[ExportQuery, Query()]
) -> Response:
    """Streamed, one line or row a file, however many there are. A connection that breaks off means it is not whole.

    NDJSON has everything, CSV what a spreadsheet can hold, Parquet everything in typed columns.
    """
    if query.format not in _FORMATS:
        raise refuse_field("format", f"there is no such format; there are {', '.join(_FORMATS)}")
    job = await run_in_threadpool(parts.ledger.job, job_id, owner=who.sees)
    table = Export(parts.ledger, parts.samples, job.id)
    media_type, suffix = _FORMATS[query.format]
    return StreamingResponse(
        _rows(table, query, parts.settings, job),
        media_type=media_type,
        headers={"Content-Disposition": f'attachment; filename="job-{job.id}.{suffix}"'},
    )


def _rows(table: Export, query: ExportQuery, settings: Settings, job: Job) -> AsyncIterator[bytes]:
    if query.format == "rekordbox":
        analysed = job.counts.done + job.counts.reused + job.counts.duplicate
        return collection(table, analysed, _folders(query.location, settings), ANALYZER_VERSION)
    if query.format == "parquet":
        return parquet(table, {"job": job.id, "label": job.label, "analyzer": ANALYZER_VERSION})
    return table.csv() if query.format == "csv" else table.ndjson()


def _folders(location: str | None, settings: Settings) -> dict[str, str]:
    """Where each root is on the reader's machine: as they say, or, to somebody on this machine, as it is here."""
    if location is not None:
        return dict.fromkeys(settings.all_roots, location)
    if not is_loopback(settings.gateway.host):
        raise refuse_field("location", "say where the library is on the machine with Rekordbox, as in D:/Samples")
    return {name: str(folder) for name, folder in settings.all_roots.items()}
