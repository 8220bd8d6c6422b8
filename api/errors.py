"""Every error as `application/problem+json` (RFC 9457): one table from error class to status, nothing escapes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.answers import dump
from workers import errors

PROBLEM_TYPE: Final = "application/problem+json"
URN: Final = "urn:samplemind:problem:"

STATUS: Final[Mapping[type[errors.SampleMindError], int]] = {
    errors.SampleMindError: 500,
    errors.ParameterError: 422,
    errors.FileError: 409,
    errors.Vanished: 404,
    errors.Unreadable: 409,
    errors.NotARegularFile: 409,
    errors.SymlinkLoop: 409,
    errors.OutsideRoot: 403,
    errors.EmptyFile: 409,
    errors.TooLarge: 413,
    errors.ChangedWhileReading: 409,
    errors.BucketMissing: 404,
    errors.AccessRefused: 409,
    errors.ObjectArchived: 409,
    errors.FetchTimedOut: 409,
    errors.NotDelivered: 409,
    errors.NotAudio: 409,
    errors.UnsupportedFormat: 409,
    errors.BrokenHeader: 409,
    errors.DecodeFailed: 409,
    errors.EmptyAudio: 409,
    errors.NoFiniteSamples: 409,
    errors.DecodeTimeout: 409,
    errors.DecoderCrashed: 409,
    errors.OutOfMemory: 409,
    errors.AnalysisFailed: 409,
    errors.KilledWorker: 409,
    errors.TaggingError: 409,
    errors.NotWritable: 409,
    errors.WriteRefused: 409,
    errors.ChangedSince: 409,
    errors.SoundDiffers: 500,
    errors.StoreError: 503,
    errors.StoreUnavailable: 503,
    errors.BucketAway: 503,
    errors.NoRoom: 503,
    errors.IdempotencyReused: 422,
    errors.SubmissionInFlight: 409,
    errors.VectorIndexBroken: 503,
    errors.RequestError: 400,
    errors.NotFound: 404,
    errors.BadCursor: 422,
    errors.BadPattern: 422,
    errors.BadFilter: 422,
    errors.TooManyMarks: 409,
    errors.TooManySearches: 409,
}
"""Written out for every class, so that a new error must say what it means over HTTP (a test compares)."""

_RETRY_AFTER_S: Final[Mapping[type[errors.SampleMindError], int]] = {
    errors.StoreError: 2,
    errors.SubmissionInFlight: 1,
}

_log = structlog.get_logger(__name__)


class Problem(HTTPException):
    """A refusal that only HTTP knows: a status, a stable code, a sentence, and members of its own.

    An `HTTPException`, because FastAPI lets only those through where it reads a body.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.code = code
        self.extra = extra

    def response(self) -> Response:
        """The refusal as a response."""
        return problem(self.status_code, self.code, self.detail, headers=self.headers, **self.extra)


def problem(status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None, **extra: Any) -> Response:
    """A problem document. `type` is a URN made of the stable `code`; `title` is the status in words."""
    body = {"type": URN + code, "title": _phrase(status), "status": status, "code": code, "detail": detail, **extra}
    return Response(
        b"" if status in (204, 304) else dump(body),
        status_code=status,
        media_type=PROBLEM_TYPE,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def status_of(error: errors.SampleMindError) -> int:
    """The HTTP status of one of our errors: its own, or that of the nearest class above it."""
    return next(STATUS[cls] for cls in type(error).__mro__ if cls in STATUS)


def problem_of(error: errors.SampleMindError) -> Response:
    """One of our errors as a problem document."""
    wait = next((_RETRY_AFTER_S[cls] for cls in type(error).__mro__ if cls in _RETRY_AFTER_S), None)
    headers = {} if wait is None else {"Retry-After": str(wait)}
    status = status_of(error)
    if status >= 500:
        _log.warning("refused", code=error.code, error=error.message)
    return problem(status, error.code, error.message, headers=headers)


def install(app: FastAPI) -> None:
    """Answer every error that a route, a dependency or the router raises with a problem document."""
    handlers: dict[type[Exception], Callable[[Request, Any], Awaitable[Response]]] = {
        errors.SampleMindError: _ours,
        Problem: _refused,
        RequestValidationError: _invalid,
        HTTPException: _http,
        ClientDisconnect: _gone,
    }
    for cls, handler in handlers.items():
        app.add_exception_handler(cls, handler)


async def _ours(_: Request, error: errors.SampleMindError) -> Response:
    return problem_of(error)


async def _refused(_: Request, error: Problem) -> Response:
    return error.response()


async def _invalid(_: Request, error: RequestValidationError) -> Response:
    found = [_named(each) for each in error.errors()]
    return invalid(found)


async def _gone(_: Request, __: ClientDisconnect) -> Response:
    """Nobody reads this: the client closed the connection before its request had come in."""
    return problem(400, "client_disconnected", "The connection was closed before the whole request had arrived.")


async def _http(_: Request, error: HTTPException) -> Response:
    code = _phrase(error.status_code).lower().replace(" ", "_").replace("-", "_")
    if error.status_code == 400 and "body" in str(error.detail):
        return problem(400, "malformed_body", "The request's body cannot be read as JSON.")
    sentence = {
        404: "There is nothing at this address.",
        405: "This address does not answer to that method.",
    }.get(error.status_code, str(error.detail))
    return problem(error.status_code, code, sentence, headers=dict(error.headers or {}))


def invalid(found: Sequence[Mapping[str, str]]) -> Response:
    """422 with one entry for each field that is wrong: `{field, message}`."""
    detail = "; ".join(f"{each['field']}: {each['message']}" for each in found[:5])
    return problem(422, "invalid_request", detail or "The request is not valid.", errors=list(found[:100]))


def refuse_field(field: str, message: str) -> Problem:
    """A refusal of one field, in the shape that validation gives."""
    return Problem(422, "invalid_request", f"{field}: {message}", errors=[{"field": field, "message": message}])


def _named(error: Mapping[str, Any]) -> dict[str, str]:
    """Where and what, never the offending value: it may be a secret, or no valid text."""
    if error.get("type") == "json_invalid":
        return {"field": "body", "message": "is not valid JSON"}
    place = [str(part) for part in error.get("loc", ()) if part not in ("body", "query", "path", "header")]
    return {
        "field": ".".join(place) or "body",
        "message": str(error.get("msg", "is not valid")).removeprefix("Value error, "),
    }


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


class CatchAll:
    """ASGI middleware: whatever no handler knows is a bug; it is logged with its traceback and answered with 500."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception:
            _log.exception("unhandled", path=scope.get("path"), method=scope.get("method"))
            if started:
                # Half an answer is out: only a broken connection can still say that it is not whole.
                raise
            await problem(500, "internal_error", "This is a bug in the gateway; its log says more.")(
                scope, receive, send
            )
