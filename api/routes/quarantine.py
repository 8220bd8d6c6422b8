"""The quarantine: what failed, why, how to see it fail, and trying it again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Path, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.answers import Json
from api.deps import Parts, Reader, Writer
from api.retry import Retry
from api.routes.jobs import IdempotencyKey, accepted
from api.schemas import QuarantineQuery, RetryRequest
from api.shapes import PROBLEMS, FailedShape, JobShape, QuarantineShape
from api.views import cause_view, failed_view, page_view

router = APIRouter(prefix="/v1/quarantine", tags=["quarantine"], responses=PROBLEMS)
FileId = Annotated[str, Path(max_length=200, examples=["01JD4V8Q2M6T9X3K7B5N1C0ZWE.0.0.17"])]


@router.get("", summary="What failed, by cause and file by file", responses={200: {"model": QuarantineShape}})
def quarantine(parts: Parts, who: Reader, query: Annotated[QuarantineQuery, Query()]) -> Response:
    """Files that failed and that no job has tried again since, those of the newest job first.

    `causes` counts all of them, whatever page or cause is asked for; it comes with the first page only.
    """
    limit = query.limit or parts.settings.gateway.page_size
    page = parts.ledger.failures(owner=who.sees, cause=query.cause, cursor=query.cursor, limit=limit)
    causes = None if query.cursor else [cause_view(cause) for cause in parts.ledger.causes(owner=who.sees)]
    return Json({"causes": causes, **page_view([failed_view(file) for file in page.items], page)})


@router.get("/{file_id}", summary="One file that failed", responses={200: {"model": FailedShape}})
def failed(parts: Parts, who: Reader, file_id: FileId) -> Response:
    """Its reason, what workers died of at it, and the command that shows it fail."""
    return Json(failed_view(parts.ledger.failure(file_id, owner=who.sees)))


@router.post("/retry", status_code=202, summary="Try again", responses={202: {"model": JobShape}})
async def retry(
    parts: Parts,
    who: Writer,
    asked: RetryRequest,
    background: BackgroundTasks,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """A new job of exactly the files named, or of all that failed of one cause (at most 20,000 a call; the rest stays).

    Your own only. They leave the quarantine with this, and come back with the new job if they fail again. Asking twice
    for the same files makes one job. 404 where none of them is in quarantine.
    """
    job = await run_in_threadpool(Retry(parts, who, idempotency_key).again, asked)
    background.add_task(parts.hints.chunks, job)
    return accepted(job, background)
