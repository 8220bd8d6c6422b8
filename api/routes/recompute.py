"""A new analyser: what an older one said is found out anew."""

from __future__ import annotations

from fastapi import APIRouter, BackgroundTasks
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.deps import Parts, Writer
from api.routes.jobs import accepted
from api.shapes import PROBLEMS, JobShape
from api.submit import Submission

router = APIRouter(prefix="/v1/recompute", tags=["jobs"], responses=PROBLEMS)


@router.post(
    "", status_code=202, summary="Analyse anew what an older analyser said", responses={202: {"model": JobShape}}
)
async def recompute(parts: Parts, who: Writer, background: BackgroundTasks) -> Response:
    """A bulk job over every sample that an older analyser made: of the caller's, or of all with the scope `admin`.

    The old answers are shown until the new one of the same content is there. Files that are gone end `failed`, and
    their old answers stay. While such a job has not ended, asking again gives the same one.
    """
    job, is_new = await run_in_threadpool(Submission(parts, who, None).recompute)
    if is_new:
        background.add_task(parts.hints.scan, job)
    return accepted(job, background)
