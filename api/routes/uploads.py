"""Files into the library."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.answers import Json
from api.archives import Place
from api.deps import Parts, Writer
from api.placing import checked_path
from api.quotas import metered
from api.schemas import CheckRequest, UploadQuery, ZipQuery
from api.shapes import FILE_BODY, PROBLEMS, MissingShape, UploadShape, ZipShape
from api.submit import Submission
from api.views import job_view
from stores.records import FileRef, Priority
from workers.model import sample_id

router = APIRouter(prefix="/v1/uploads", tags=["uploads"], responses=PROBLEMS)


@router.post(
    "",
    status_code=201,
    summary="Upload a file",
    responses={201: {"model": UploadShape}},
    openapi_extra={"requestBody": FILE_BODY},
)
async def upload(
    request: Request, parts: Parts, who: Writer, query: Annotated[UploadQuery, Query()], background: BackgroundTasks
) -> Response:
    """The file's bytes are the body. Kept below the root `uploads` by its hash, and analysed at once."""
    submission = Submission(parts, who, None) if query.analyze else None
    body = metered(request, parts.quotas, who.key_id)
    stored = await parts.uploads.receive(who.owner, query.name, query.sha256, body)
    said = {"root": "uploads", "path": stored.path, "sha256": stored.sha256, "size": stored.size}
    job = None
    if submission is not None:
        file = FileRef("uploads", stored.path, size=stored.size)
        label = f"uploads/{stored.path.rsplit('/', 1)[-1]}"
        job = await run_in_threadpool(submission.one_file, file, Priority.INTERACTIVE, label)
        background.add_task(parts.hints.chunks, job)
    answer = {**said, "known": stored.known, "job": None if job is None else job_view(job)}
    return Json(answer, status_code=201, background=background)


@router.post(
    "/zip",
    status_code=201,
    summary="Upload a zip archive",
    responses={201: {"model": ZipShape}},
    openapi_extra={"requestBody": FILE_BODY},
)
async def unfold(
    request: Request, parts: Parts, who: Writer, query: Annotated[ZipQuery, Query()], background: BackgroundTasks
) -> Response:
    """The archive is the body. Its files keep their folders in a library root; in `uploads` they lie by their hash.

    Nothing is written where a name leads out, or it would unfold to more files, bytes or times its length than allowed.
    """
    folder = parts.resumable.folder_of(query.root)
    below = checked_path(query.path) if query.path else ""
    submission = Submission(parts, who, None) if query.analyze else None

    def check(path: str) -> None:
        if folder is not None:
            parts.fence.check(who, query.root, path)

    body = metered(request, parts.quotas, who.key_id)
    made = await parts.archives.receive(body, Place(who.owner, query.root, folder, below, check))
    job = None
    if submission is not None and made:
        label = f"{query.root}/{below} (zip)"
        job = await run_in_threadpool(submission.files, [file for file, _ in made], Priority.NORMAL, label)
        background.add_task(parts.hints.chunks, job)
    files = [{"path": s.path, "sha256": s.sha256, "size": s.size, "known": s.known} for _, s in made]
    answer = {"root": query.root, "files": files, "job": None if job is None else job_view(job)}
    return Json(answer, status_code=201, background=background)


@router.post("/check", summary="Which contents are not here yet", responses={200: {"model": MissingShape}})
def check(parts: Parts, who: Writer, asked: CheckRequest) -> Response:
    """Hash first: what is stored or analysed already need not be sent.

    Only your own counts: to know a hash is not to have the sound."""
    hashes = list(dict.fromkeys(one.lower() for one in asked.sha256))
    known = parts.samples.many([sample_id(one) for one in hashes], owner=who.sees)
    unknown = [one for one in hashes if sample_id(one) not in known]
    stored = parts.uploads.holds(unknown, who.sees)
    return Json({"missing": [one for one in unknown if one not in stored]})
