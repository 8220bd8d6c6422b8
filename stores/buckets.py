"""A library root in an S3-compatible store: what lies there, and its bytes. It only reads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

from config.buckets import BucketUrl
from config.settings import S3Settings
from stores.s3 import connect, s3_errors
from workers.errors import BucketAway, FileError, Unreadable

_PAGE: Final = 1000
_PIECE: Final = 256 * 1024
PAUSE_S: Final = 0.25
"""Before the second try; each further pause is twice as long."""


@dataclass(frozen=True, slots=True)
class Thing:
    """An object as the store lists it."""

    path: str
    """Its key, without what all keys of the root begin with."""
    size: int
    mtime_ns: int
    etag: str
    """Another one for another content; with the quotes that it comes in."""


class Bucket:
    """One root. Safe to share among threads; connects when it is first used, so also across a fork before that.

    Everything raises `BucketAway` where the store cannot be reached after `s3.tries` tries, and a `FileError` that says
    what the store said: `BucketMissing`, `AccessRefused`, `Vanished`, ...
    """

    def __init__(self, where: BucketUrl, settings: S3Settings) -> None:
        self.where, self.settings = where, settings
        self._pause = threading.Event()

    def pages(self, folder: str, after: str | None) -> Iterator[list[Thing] | None]:
        """All objects below `folder` (``""``: the root), by their keys' bytes, behind the path `after`; a page at once.

        Between pages, and after a try that failed, comes ``None``: a moment to look at the clock.

        Raises
        ------
        Unreadable
            The store lists in no order (S3 Express does): nobody could go on where another one stopped.
        """
        asked: dict[str, Any] = {"Prefix": self._below(folder), "MaxKeys": _PAGE}
        if after is not None:
            asked["StartAfter"] = self.where.prefix + after
        last = asked.get("StartAfter", "")
        while True:
            found: dict[str, Any] = {}
            for answer in self._trying(partial(self._ask, "list_objects_v2", **asked)):
                found = answer or {}
                yield None
            page = [self._thing(each) for each in found.get("Contents", ())]
            for thing in page:
                if self.where.prefix + thing.path <= last:
                    raise Unreadable("The store does not list its objects in order.")
                last = self.where.prefix + thing.path
            yield page
            if not found.get("IsTruncated"):
                return
            asked["ContinuationToken"] = found["NextContinuationToken"]

    def look(self, path: str) -> Thing:
        """One object. `Vanished` where there is none of this path."""
        found = self._patiently("head_object", Key=self.where.prefix + path)
        return self._thing({**found, "Key": self.where.prefix + path, "Size": found["ContentLength"]})

    def is_folder(self, path: str) -> bool:
        """Whether there is an object below this path."""
        return bool(self._patiently("list_objects_v2", Prefix=self._below(path), MaxKeys=1).get("Contents"))

    def folders(self, path: str, limit: int) -> tuple[list[str], bool]:
        """Names of the folders in a folder, sorted, without hidden ones; and whether there are more than `limit`."""
        below = self._below(path)
        asked = {"Prefix": below, "Delimiter": "/", "MaxKeys": min(limit + 1, _PAGE)}
        found = self._patiently("list_objects_v2", **asked)
        names = [str(each["Prefix"])[len(below) :].rstrip("/") for each in found.get("CommonPrefixes", ())]
        names = sorted(name for name in names if name and not name.startswith("."))
        return names[:limit], len(names) > limit or bool(found.get("IsTruncated"))

    def available(self) -> bool:
        """Whether it can be listed now; asked once only."""
        try:
            self._ask("list_objects_v2", Prefix=self.where.prefix, MaxKeys=1)
        except (BucketAway, FileError):
            return False
        return True

    def stream(self, thing: Thing, start: int, end: int) -> Generator[bytes, None, None]:
        """Bytes `start` to `end` (not empty) of an object that is still as it was seen. The first are asked for now."""
        ranged = {"Range": f"bytes={start}-{end - 1}"} if end > start else {}
        found = self._patiently("get_object", Key=self.where.prefix + thing.path, IfMatch=thing.etag, **ranged)
        return self._body(found["Body"])

    def get(self, path: str, offset: int, etag: str | None) -> tuple[Thing, Iterator[bytes]]:
        """An object as it is now and its bytes from `offset` on; asked once. With `etag` only if it has that one."""
        asked = {"IfMatch": etag} if etag else {}
        if offset:
            asked["Range"] = f"bytes={offset}-"
        found = self._ask("get_object", Key=self.where.prefix + path, **asked)
        if offset and found["ResponseMetadata"]["HTTPStatusCode"] != 206:
            raise Unreadable("The store gives no part of an object.")
        size = int(found["ContentLength"]) + offset
        thing = self._thing({**found, "Key": self.where.prefix + path, "Size": size})
        return thing, self._body(found["Body"])

    def _body(self, body: Any) -> Generator[bytes, None, None]:
        try:
            while True:
                with s3_errors():
                    piece = body.read(_PIECE)
                if not piece:
                    return
                yield piece
        finally:
            body.close()

    def _below(self, folder: str) -> str:
        return self.where.prefix + (f"{folder}/" if folder else "")

    def _thing(self, found: Mapping[str, Any]) -> Thing:
        changed: datetime = found["LastModified"]
        path, etag = str(found["Key"])[len(self.where.prefix) :], str(found.get("ETag", ""))
        return Thing(path, int(found["Size"]), round(changed.timestamp() * 1000) * 1_000_000, etag)

    def _ask(self, operation: str, **asked: Any) -> dict[str, Any]:
        with s3_errors():
            answer: dict[str, Any] = getattr(connect(self.settings), operation)(Bucket=self.where.bucket, **asked)
        return answer

    def _patiently(self, operation: str, **asked: Any) -> dict[str, Any]:
        for answer in self._trying(partial(self._ask, operation, **asked)):
            if answer is not None:
                return answer
        raise AssertionError("unreachable")

    def _trying(self, call: Callable[[], dict[str, Any]]) -> Iterator[dict[str, Any] | None]:
        """``None`` for each try that failed, then the answer."""
        for n in range(self.settings.tries - 1):
            try:
                yield call()
                return
            except BucketAway:
                yield None
                self._pause.wait(PAUSE_S * 2**n)
        yield call()
