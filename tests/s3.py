"""Buckets for tests: filled with objects, and as the product sees them."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from config.buckets import BucketUrl
from config.settings import S3Settings
from stores.buckets import Bucket
from stores.s3 import connect

_numbers = itertools.count()


def settings_of(url: str, **more: Any) -> S3Settings:
    """Settings for a server at `url`."""
    said = {"endpoint": url, "access_key_id": "ada", "secret_access_key": "secret", "timeout_s": 30, **more}
    return S3Settings.model_validate(said)


def new_name() -> str:
    """A bucket's name that no other test of this run has."""
    return f"bucket-{os.getpid()}-{next(_numbers)}"


def put(url: str, bucket: str, objects: Mapping[str, bytes]) -> None:
    """Write objects into a bucket that is there."""
    client: Any = connect(settings_of(url))
    for key, content in objects.items():
        client.put_object(Bucket=bucket, Key=key, Body=content)


def remove(url: str, bucket: str, key: str) -> None:
    """Delete an object."""
    client: Any = connect(settings_of(url))
    client.delete_object(Bucket=bucket, Key=key)


def make(url: str, bucket: str, objects: Mapping[str, bytes]) -> None:
    """A new bucket with these objects in it."""
    client: Any = connect(settings_of(url))
    client.create_bucket(Bucket=bucket)
    put(url, bucket, objects)


def filled(url: str, objects: Mapping[str, bytes], *, prefix: str = "", **more: Any) -> Bucket:
    """A new bucket with these objects, whose paths are behind `prefix`; seen as a root."""
    name = new_name()
    where = BucketUrl.parse(f"s3://{name}/{prefix}")
    make(url, name, {where.prefix + path: content for path, content in objects.items()})
    return Bucket(where, settings_of(url, **more))


@contextmanager
def answering(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """The URL of a server that answers each GET as it is told: for what no good server does."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


class Stingy:
    """Answers with an object of which it sends at most `most` bytes at a time, whatever length it announced."""

    def __init__(self, content: bytes, most: int) -> None:
        self.content, self.most = content, most
        self.asked: list[str | None] = []

    def __call__(self, request: BaseHTTPRequestHandler) -> None:
        etag = f'"{hash(self.content)}"'
        self.asked.append(request.headers.get("Range"))
        wanted = request.headers.get("If-Match", etag) == etag
        begins = int((request.headers.get("Range") or "bytes=0-")[6:-1])
        rest = self.content[begins:] if wanted else b""
        request.send_response((206 if begins else 200) if wanted else 412)
        request.send_header("Content-Length", str(len(rest)))
        request.send_header("ETag", etag)
        request.send_header("Last-Modified", "Mon, 23 Nov 2026 03:00:00 GMT")
        request.end_headers()
        request.wfile.write(rest[: self.most])
