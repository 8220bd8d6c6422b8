"""Uploads that go on where they broke off: tus 1.0.0 (creation, termination), as Uppy and tuspy speak it."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Final

from fastapi import APIRouter, BackgroundTasks, Header, Path, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.answers import Json
from api.deps import Parts, Reader, Writer
from api.errors import Problem, refuse_field
from api.fence import UPLOADS
from api.limits import content_type
from api.quotas import metered
from api.resumable import Upload
from api.security import Caller
from api.shapes import PROBLEMS, ResumableShape
from api.submit import Submission
from stores.records import FileRef, Priority

router = APIRouter(prefix="/v1/uploads/resumable", tags=["uploads"], responses=PROBLEMS)
TUS: Final = "1.0.0"
_PIECE: Final = "application/offset+octet-stream"
_FIELDS: Final = ("filename", "sha256", "root", "path", "analyze")
UploadId = Annotated[str, Path(max_length=64)]
_PIECE_BODY: Final = {"required": True, "content": {_PIECE: {"schema": {"type": "string", "format": "binary"}}}}
_METADATA: Final = (
    "`name base64` pairs with commas between: `filename`; or `root` and `path`, for a library root that takes uploads; "
    "`sha256` in hex, compared at the end; `analyze`, `true` unless it is `false`."
)


@router.post("", status_code=201, summary="Begin an upload", responses={201: {"model": ResumableShape}})
def begin(
    parts: Parts,
    who: Writer,
    upload_length: Annotated[int, Header(ge=1, le=1 << 53, description="Bytes of the whole file.")],
    upload_metadata: Annotated[str, Header(max_length=16384, description=_METADATA)],
    background: BackgroundTasks,
) -> Response:
    """With its `sha256` a file that is in its place already need not be sent: then `offset` is its length at once."""
    said = _metadata(upload_metadata)
    new = Upload(
        "", who.owner, upload_length, said["root"], said["path"], said["sha256"] or None, said["analyze"] == "true"
    )
    if new.root != UPLOADS:
        parts.fence.check(who, new.root, new.path)
    return _answer(_analysed(parts, who, parts.resumable.begin(new), background), 201, background)


@router.head("/{upload_id}", summary="How far an upload is")
def head(parts: Parts, who: Reader, upload_id: UploadId) -> Response:
    """`Upload-Offset`: where to go on."""
    return Response(headers=_headers(parts.resumable.get(upload_id, who.owner)))


@router.get("/{upload_id}", summary="How an upload stands", responses={200: {"model": ResumableShape}})
def show(parts: Parts, who: Reader, upload_id: UploadId) -> Response:
    """Where it is once it is whole, and its job. Forgotten after a day."""
    return _answer(parts.resumable.get(upload_id, who.owner), 200, None)


@router.patch(
    "/{upload_id}", status_code=204, summary="Send more of an upload", openapi_extra={"requestBody": _PIECE_BODY}
)
async def more(
    request: Request,
    parts: Parts,
    who: Writer,
    upload_id: UploadId,
    upload_offset: Annotated[int, Header(ge=0, le=1 << 53, description="How far it is.")],
    background: BackgroundTasks,
) -> Response:
    """Bytes from `Upload-Offset` on. What arrives before a break is kept; the last one puts the file into its place."""
    if content_type(request.headers) != _PIECE:
        raise Problem(415, "unsupported_media_type", f"Send {_PIECE}.")
    upload = await run_in_threadpool(parts.resumable.get, upload_id, who.owner)
    body = metered(request, parts.quotas, who.key_id)
    upload = await parts.resumable.append(upload, upload_offset, body)
    upload = await run_in_threadpool(_analysed, parts, who, upload, background)
    return Response(status_code=204, headers=_headers(upload), background=background)


@router.delete("/{upload_id}", status_code=204, summary="Give an upload up")
def give_up(parts: Parts, who: Writer, upload_id: UploadId) -> Response:
    """What came so far is removed. A file that is whole stays in its place."""
    parts.resumable.drop(parts.resumable.get(upload_id, who.owner))
    return Response(status_code=204, headers={"Tus-Resumable": TUS})


def _analysed(parts: Parts, who: Caller, upload: Upload, background: BackgroundTasks) -> Upload:
    """Make a job of an upload that is whole, if one is wanted."""
    if not upload.done or not upload.analyze or upload.job is not None:
        return upload
    file = FileRef(upload.root, upload.path, size=upload.length)
    label = f"{upload.root}/{upload.path.rsplit('/', 1)[-1]}"
    job = Submission(parts, who, None).one_file(file, Priority.INTERACTIVE, label)
    background.add_task(parts.hints.chunks, job)
    return parts.resumable.note_job(upload, job.id)


def _headers(upload: Upload) -> dict[str, str]:
    return {
        "Tus-Resumable": TUS,
        "Upload-Offset": str(upload.offset),
        "Upload-Length": str(upload.length),
        "Cache-Control": "no-store",
    }


def _answer(upload: Upload, status: int, background: BackgroundTasks | None) -> Response:
    here = f"/v1/uploads/resumable/{upload.id}"
    names = ("id", "root", "path", "sha256", "length", "offset", "known", "job", "done")
    said = {name: getattr(upload, name) for name in names}
    return Json(said, status_code=status, headers={"Location": here, **_headers(upload)}, background=background)


def _metadata(text: str) -> dict[str, str]:
    said: dict[str, str] = {"root": "uploads", "analyze": "true"}
    for pair in filter(None, (each.strip() for each in text.split(","))):
        name, _, value = pair.partition(" ")
        try:
            decoded = base64.b64decode(value, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError, ValueError) as error:
            raise refuse_field("Upload-Metadata", f"{name[:50]!r} is not base64 of UTF-8") from error
        if name in _FIELDS:  # clients send more (filetype, say), which the protocol lets us pass over
            said[name] = decoded
    return _checked(said)


def _checked(said: dict[str, str]) -> dict[str, str]:
    sha256 = said.get("sha256", "").lower()
    if sha256 and (len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef")):
        raise refuse_field("Upload-Metadata", "sha256 is 64 hexadecimal digits")
    path = said.get("path") or said.get("filename") or ""
    if said["analyze"] not in ("true", "false"):
        raise refuse_field("Upload-Metadata", "analyze is true or false")
    return {**said, "sha256": sha256, "path": path}
