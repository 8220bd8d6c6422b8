"""Jobs: in, watched, cancelled."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Header, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from api.answers import Json
from api.deps import Parts, Reader, Writer
from api.errors import Problem
from api.limits import NDJSON, content_type
from api.schemas import FilesQuery, JobsQuery, SubmitQuery
from api.shapes import PROBLEMS, FilesShape, JobShape, JobsShape
from api.streams import EventStream
from api.submit import Submission
from api.views import file_view, job_view, page_view, progress_view
from stores.records import Job
from workers.errors import NotFound

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], responses=PROBLEMS)
JobId = Annotated[str, Path(max_length=200, examples=["01JD4V8Q2M6T9X3K7B5N1C0ZWE"])]
IdempotencyKey = Annotated[str | None, Header(description="The same key and request again give the same job.")]

_BODY = {
    "required": True,
    "content": {
        "application/json": {"schema": {"$ref": "#/components/schemas/JobRequest"}},
        NDJSON: {
            "schema": {"type": "string"},
            "example": '{"root": "library", "path": "kick.wav"}\n{"root": "library", "path": "snare.wav"}\n',
        },
    },
}
_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "text/event-stream": {"schema": {"type": "string"}, "example": "event: progress\nid: ...\ndata: {}\n"}
        }
    }
}


@router.post(
    "",
    status_code=202,
    summary="Submit a folder or a list of files",
    responses={202: {"model": JobShape}},
    openapi_extra={"requestBody": _BODY},
)
async def submit(
    request: Request,
    parts: Parts,
    who: Writer,
    query: Annotated[SubmitQuery, Query()],
    background: BackgroundTasks,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Takes a folder below a library root (JSON), or a manifest with one file a line (NDJSON).

    Answers as soon as the job is safe in the ledger, however many files there are. `path` must lead down from its
    root: absolute ones and `..` are refused with 422, a link that leads out with 403, a missing folder with 404.

    A line of a manifest may have `path_b64`, as the rows of a job's files do, for a name that no text can hold: the
    bytes of the path in base64. It is what counts where there is a `path` too.
    """
    submission = Submission(parts, who, idempotency_key)
    kind = content_type(request.headers)
    if kind == NDJSON:
        job = await submission.manifest(request, query.priority)
    elif kind == "application/json" and query.priority is None:
        job = await submission.folder(await request.body())
    elif kind == "application/json":
        raise Problem(422, "invalid_request", "priority: with a JSON body it belongs into the body.")
    else:
        raise Problem(415, "unsupported_media_type", f"Send application/json, or {NDJSON} for a manifest.")
    background.add_task(parts.hints.scan if job.source else parts.hints.chunks, job)
    return accepted(job, background)


def accepted(job: Job, background: BackgroundTasks) -> Response:
    """202, and where the job is."""
    return Json(job_view(job), status_code=202, headers={"Location": f"/v1/jobs/{job.id}"}, background=background)


@router.get("", summary="Jobs, newest first", responses={200: {"model": JobsShape}})
def jobs(parts: Parts, who: Reader, query: Annotated[JobsQuery, Query()]) -> Response:
    """A page of jobs."""
    limit = query.limit or parts.settings.gateway.page_size
    page = parts.ledger.jobs(owner=who.sees, cursor=query.cursor, limit=limit)
    return Json(page_view([job_view(job) for job in page.items], page))


@router.get("/{job_id}", summary="How a job stands", responses={200: {"model": JobShape}})
def job(parts: Parts, who: Reader, job_id: JobId) -> Response:
    """State and counts; they add up at every moment."""
    found = parts.asked.get(job_id, lambda: parts.ledger.job(job_id))
    if who.sees not in (None, found.owner):
        raise NotFound("job")
    return Json(job_view(found))


@router.delete(
    "/{job_id}",
    status_code=202,
    summary="Cancel a job",
    responses={200: {"model": JobShape, "description": "It had ended before"}, 202: {"model": JobShape}},
)
def cancel(parts: Parts, who: Writer, job_id: JobId) -> Response:
    """What has not been started ends `skipped` (cancelled). 202; 200 and no change for a job that has ended."""
    job = parts.ledger.request_cancel(job_id, owner=who.sees)
    return Json(job_view(job), status_code=200 if job.state.ended else 202)


@router.post("/{job_id}/pause", summary="Pause a job", responses={200: {"model": JobShape}})
def pause(parts: Parts, who: Writer, job_id: JobId) -> Response:
    """Nothing more of it is begun; what is at work is finished. No change for one that has ended or is cancelled."""
    return Json(job_view(parts.ledger.pause(job_id, owner=who.sees)))


@router.post("/{job_id}/resume", summary="Go on with a paused job", responses={200: {"model": JobShape}})
def resume(parts: Parts, who: Writer, job_id: JobId) -> Response:
    """No change for a job that is not paused."""
    return Json(job_view(parts.ledger.resume(job_id, owner=who.sees)))


@router.get("/{job_id}/files", summary="A job's files", responses={200: {"model": FilesShape}})
def files(parts: Parts, who: Reader, job_id: JobId, query: Annotated[FilesQuery, Query()]) -> Response:
    """A page of files, in the order they were submitted. With a status a page may be short; go on while `next`."""
    parts.ledger.job(job_id, owner=who.sees)
    limit = query.limit or parts.settings.gateway.page_size
    page = parts.ledger.files(job_id, status=query.status, cursor=query.cursor, limit=limit)
    return Json(page_view([file_view(row) for row in page.items], page))


@router.get(
    "/{job_id}/events", summary="A job's progress as it happens", response_class=StreamingResponse, responses=_EVENTS
)
async def events(
    parts: Parts, who: Reader, job_id: JobId, last_event_id: Annotated[str | None, Header(max_length=300)] = None
) -> Response:
    """Server-sent events: `progress` with the job and its speed when anything changed, at last `end`.

    With `Last-Event-ID` nothing is told twice; a job that had ended sends `end` alone.
    """
    job = await run_in_threadpool(parts.ledger.job, job_id, owner=who.sees)
    parts.hub.admit(who.name)
    return EventStream(parts.hub.stream(job, who.name, last_event_id, progress_view))
