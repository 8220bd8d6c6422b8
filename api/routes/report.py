"""What is wrong among a job's files, and what to do about it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api import report
from api.deps import Parts, Reader
from api.routes.jobs import JobId
from api.schemas import ReportQuery
from api.shapes import PROBLEMS, ReportShape

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], responses=PROBLEMS)
_READ = {"text/html": {"schema": {"type": "string"}}, "text/markdown": {"schema": {"type": "string"}}}


@router.get(
    "/{job_id}/report", summary="What is wrong, worst first", responses={200: {"model": ReportShape, "content": _READ}}
)
async def doctor(parts: Parts, who: Reader, job_id: JobId, query: Annotated[ReportQuery, Query()]) -> Response:
    """Counts by defect with what to do about each, the worst files, and what could not be read and why.

    Of what is known when it is asked for: files that are still pending are counted as such.
    """
    job = await run_in_threadpool(parts.ledger.job, job_id, owner=who.sees)
    said = await report.made(parts, job)
    return await run_in_threadpool(report.shown, said, query.format, parts.samples)
