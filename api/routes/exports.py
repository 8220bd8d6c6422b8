"""A job's files and what was found, to take away."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from api.deps import Parts, Reader
from api.errors import refuse_field
from api.limits import NDJSON
from api.schemas import ExportQuery
from api.shapes import PROBLEMS
from api.tables import Export

router = APIRouter(prefix="/v1/exports", tags=["exports"], responses=PROBLEMS)
_FORMATS = {"ndjson": NDJSON, "csv": "text/csv; charset=utf-8"}


@router.get("/{job_id}", summary="Every file of a job", response_class=StreamingResponse)
async def export(
    parts: Parts, who: Reader, job_id: Annotated[str, Path(max_length=200)], query: Annotated[ExportQuery, Query()]
) -> Response:
    """Streamed, one line a file, however many there are. A connection that breaks off means it is not whole."""
    if query.format not in _FORMATS:
        raise refuse_field("format", f"there is no such format; there are {', '.join(_FORMATS)}")
    job = await run_in_threadpool(parts.ledger.job, job_id, owner=who.sees)
    table = Export(parts.ledger, parts.samples, job.id)
    return StreamingResponse(
        table.csv() if query.format == "csv" else table.ndjson(),
        media_type=_FORMATS[query.format],
        headers={"Content-Disposition": f'attachment; filename="job-{job.id}.{query.format}"'},
    )
