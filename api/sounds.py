"""A search by a sound that is sent along: kept, analysed ahead of everything, compared."""

from __future__ import annotations

from typing import Any, Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from api.answers import Json
from api.asking import Like, SoundQuery, SoundRequest
from api.errors import Problem, refuse_field
from api.filters import search_filter
from api.parts import Parts
from api.quotas import metered
from api.searching import Searching
from api.security import Caller
from api.similarity import weights_of
from api.submit import Submission
from api.uploads import Stored
from api.views import job_view
from stores.records import FileRef, Job, Priority
from workers.model import VECTOR_DIMENSIONS, sample_id

_LATER_S: Final = "2"


async def search_by_sound(request: Request, parts: Parts, who: Caller, query: SoundQuery) -> Json:
    """Keep the body, have it analysed unless it is known, and search by it.

    Raises
    ------
    Problem
        422: a search that makes no sense (before anything is read), a file that cannot be read, or a silent one; 413,
        429, 503 as an upload.
    """
    asked = _asked(query.search)
    submission = Submission(parts, who, None)
    stored = await parts.uploads.receive(who.owner, query.name, None, metered(request, parts.quotas, who.key_id))
    known = sample_id(stored.sha256)
    if not await run_in_threadpool(parts.samples.many, [known], owner=who.sees):
        job = await run_in_threadpool(submission.one_file, _file(stored), Priority.INTERACTIVE, _label(stored))
        await parts.hints.chunks(job)
        ended = await parts.hub.ended(job, who.owner, query.wait_s)
        if ended is None:
            return _later(known, await run_in_threadpool(parts.ledger.job, job.id))
        known = await run_in_threadpool(_analysed, parts, ended)
    found: dict[str, Any] = await run_in_threadpool(Searching(parts, who).search, Like(sample=known), asked)
    return Json({**found, "sample_id": known})


def _asked(text: str) -> SoundRequest:
    """The search, checked as far as can be without the sound: nothing is kept for one that makes no sense."""
    try:
        asked = SoundRequest.model_validate_json(text)
    except ValidationError as error:
        said = error.errors(include_input=False, include_url=False)
        if any(each["type"] == "json_invalid" for each in said):
            raise refuse_field("search", "is not JSON") from None
        raise RequestValidationError([{**each, "loc": ("search", *each["loc"])} for each in said]) from None
    search_filter(asked.where)
    weights_of(asked.aspects, [1.0] * VECTOR_DIMENSIONS)
    return asked


def _file(stored: Stored) -> FileRef:
    return FileRef("uploads", stored.path, size=stored.size)


def _label(stored: Stored) -> str:
    return f"search by {stored.path.rsplit('/', 1)[-1]}"


def _analysed(parts: Parts, job: Job) -> str:
    """The sample of a job of one file. `Problem` (422) where there is none, with the file's reason."""
    (row,) = parts.ledger.files(job.id, status=None, cursor=None, limit=1).items
    if row.row.sample_id is not None:
        return row.row.sample_id
    reason = row.row.reason or job.reason
    code, message = ("not_analysed", "It was not analysed.") if reason is None else (reason.code, reason.message)
    raise Problem(422, code, message, job=job.id)


def _later(known: str, job: Job) -> Json:
    said = "It is not analysed yet. When the job has ended, search by the sample's id."
    headers = {"Location": f"/v1/jobs/{job.id}", "Retry-After": _LATER_S}
    return Json({"detail": said, "sample_id": known, "job": job_view(job)}, status_code=202, headers=headers)
