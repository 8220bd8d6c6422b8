"""Manifests: read as they arrive, all or nothing."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import tracemalloc
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from api.manifest import MAX_LINE, ManifestReader, chunk_size, receive
from stores.memory import MemoryStores
from stores.records import FileRef, FolderSource, JobState, NewJob, Priority
from tasks.pattern import compile_pattern
from tasks.walk import raw_path, walk
from tests.api.gateway import Gateway, counts, make_gateway

NDJSON = {"Content-Type": "application/x-ndjson"}


def line(path: str, root: str = "library") -> bytes:
    return json.dumps({"root": root, "path": path}).encode() + b"\n"


def send(gateway: Gateway, content: bytes | Iterable[bytes], key: str | None = None, **query: str) -> Any:
    headers = {**NDJSON, **({"Idempotency-Key": key} if key else {})}
    return gateway.client.post("/v1/jobs", content=content, headers=headers, params=query)


def paths(gateway: Gateway, job_id: str) -> list[str]:
    rows = gateway.stores.ledger.files(job_id, status=None, cursor=None, limit=100_000)
    return [row.file.path for row in rows.items]


def test_every_line_is_a_file_in_its_order(gateway: Gateway) -> None:
    names = [f"drums/{n}.wav" for n in range(1234)]
    answer = send(gateway, b"".join(map(line, names)), priority="interactive")
    assert answer.status_code == 202, answer.text
    job = answer.json()
    assert counts(job) == {"submitted": 1234, "pending": 1234}
    assert (job["state"], job["priority"], job["source"]) == ("running", "interactive", None)
    assert paths(gateway, job["id"]) == names


def test_it_may_be_cut_anywhere(gateway: Gateway) -> None:
    whole = b"\xef\xbb\xbf" + line("ä.wav") + b"\r\n\n" + line("b c.wav").rstrip()
    answer = send(gateway, (whole[n : n + 1] for n in range(len(whole))))
    assert answer.status_code == 202, answer.text
    assert paths(gateway, answer.json()["id"]) == ["ä.wav", "b c.wav"]


def test_rows_of_a_job_can_be_sent_back_whatever_their_names_are(gateway: Gateway, tmp_path: Path) -> None:
    for name in (b"caf\xe9.wav", b"caf\\xe9.wav", b"plain.wav", b"\xe9/a\\\xff.wav"):
        file = os.path.join(os.fsencode(tmp_path), b"tree", name)
        os.makedirs(os.path.dirname(file), exist_ok=True)
        open(file, "wb").close()
    source = FolderSource("library", "", "**/*")
    found = walk("library", tmp_path / "tree", source, compile_pattern(source.pattern), None)
    walked = [FileRef(file.root, file.path, file.raw) for file in found if file]
    assert [file.raw is None for file in walked].count(True) == 1
    rows = [{"root": "library", "path_b64": base64.b64encode(raw_path(file)).decode()} for file in walked]
    for _ in range(2):  # what was walked, then what came back of it
        job = send(gateway, "\n".join(map(json.dumps, rows)).encode()).json()
        kept = gateway.stores.ledger.files(job["id"], status=None, cursor=None, limit=10).items
        assert [row.file for row in kept] == walked
        files = gateway.client.get(job["links"]["files"]).json()["items"]
        rows = [{name: file.get(name) for name in ("root", "path", "path_b64")} for file in files]
    texts = [{"root": "library", "path": name} for name in ("caf\\xe9.wav", "caf\\\\xe9.wav")]
    job = send(gateway, "\n".join(map(json.dumps, texts)).encode()).json()
    kept = gateway.stores.ledger.files(job["id"], status=None, cursor=None, limit=10).items
    assert [raw_path(row.file) for row in kept] == [text["path"].encode() for text in texts]  # a text is what it says


def test_a_name_in_bytes_leads_no_further_than_one_in_text(tmp_path: Path) -> None:
    gateway = make_gateway(tmp_path, data_dir=tmp_path / "library" / ".data")
    with gateway.client:
        hidden = base64.b64encode(b".data/\xff.wav").decode()
        answer = send(gateway, json.dumps({"root": "library", "path": "a.wav", "path_b64": hidden}).encode())
    assert (answer.status_code, answer.json()["line"]) == (422, 1)
    assert "data folder" in answer.json()["detail"]


def test_even_a_short_list_is_shared_among_workers(gateway: Gateway) -> None:
    job = send(gateway, b"".join(line(f"{n}.wav") for n in range(40))).json()
    assert len(gateway.stores.ledger.unfed(job["id"], 100)) + len(gateway.sent.chunk_ids) == 5
    assert chunk_size(0, 100) == 8
    assert chunk_size(10_000, 100) == 100
    assert chunk_size(0, 3) == 3


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (b"{\n", "not JSON"),
        (b"[" * 60_000 + b"\n", "not JSON"),
        (b'"text"\n', "object"),
        (b"{}\n", "object"),
        (b'{"root": "library", "path": "a", "size": 1}\n', "object"),
        (b'{"root": "nowhere", "path": "a"}\n', "root"),
        (b'{"root": ["library"], "path": "a"}\n', "root"),
        (b'{"root": "library", "path": ""}\n', "empty"),
        (b'{"root": "library", "path": 7}\n', "text"),
        (b'{"root": "library", "path": "/etc/passwd"}\n', "relative"),
        (b'{"root": "library", "path": "../a"}\n', "down"),
        (b'{"root": "library", "path": "a\\u0000b"}\n', "NUL"),
        (b'{"root": "library", "path": "\\ud800"}\n', "Unicode"),
        (b'{"root": "library", "path": "\xff"}\n', "not JSON"),
        (b'{"root": "library", "path_b64": "/"}\n', "base64"),
        (b'{"root": "library", "path_b64": 7}\n', "text"),
        (b'{"root": "library", "path": "a", "path_b64": "L2V0Yy9wYXNzd2Q="}\n', "relative"),
        (b'{"root": "library", "path_b64": "Li4vYQ=="}\n', "down"),
        (b'{"root": "library", "path_b64": "YQBi"}\n', "NUL"),
        (b'{"root": "library"}\n', "object"),
        (b'{"root": "library", "path": null, "path_b64": null}\n', "text"),
        (line("x" * 4097), "4096"),
        (line("x" * MAX_LINE), "longer"),
        (b"x" * (MAX_LINE + 1), "longer"),
    ],
)
def test_a_bad_line_is_named_and_nothing_stays(gateway: Gateway, bad: bytes, said: str) -> None:
    answer = send(gateway, iter([line("a.wav") * 20, line("b.wav"), bad]))
    assert answer.status_code == 422, answer.text
    assert answer.json()["line"] == 22
    assert said in answer.json()["detail"]
    assert gateway.client.get("/v1/jobs").json()["items"] == []


@pytest.mark.parametrize("content", [b"", b"\n\n  \r\n"])
def test_an_empty_manifest_is_refused(gateway: Gateway, content: bytes) -> None:
    answer = send(gateway, content)
    assert (answer.status_code, answer.json()["code"]) == (422, "empty_manifest")
    assert gateway.client.get("/v1/jobs").json()["items"] == []


def test_an_unknown_priority_is_refused(gateway: Gateway) -> None:
    assert send(gateway, line("a.wav"), priority="yesterday").status_code == 422


def test_the_same_list_again_is_the_same_job(gateway: Gateway) -> None:
    content = b"".join(line(f"{n}.wav") for n in range(2500))
    first, again = send(gateway, content, "k"), send(gateway, content, "k")
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["id"] == again.json()["id"]
    assert len(gateway.client.get("/v1/jobs").json()["items"]) == 1


@pytest.mark.parametrize(
    "other",
    [
        b"".join(line(f"{n}.wav") for n in range(49)),
        b"".join(line(f"{n}.wav") for n in range(51)),
        b"".join(line(f"{n if n != 7 else 'x'}.wav") for n in range(50)),
        b"".join(line(f"{n}.wav", "uploads" if n == 49 else "library") for n in range(50)),
        b"",
    ],
)
def test_another_list_with_the_same_key_is_refused(gateway: Gateway, other: bytes) -> None:
    first = send(gateway, b"".join(line(f"{n}.wav") for n in range(50)), "k").json()
    answer = send(gateway, other, "k")
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert counts(gateway.client.get(first["links"]["self"]).json()) == {"submitted": 50, "pending": 50}


def test_a_key_of_a_folder_is_not_one_of_a_manifest(gateway: Gateway) -> None:
    headers = {"Idempotency-Key": "k"}
    assert gateway.client.post("/v1/jobs", json={"source": {"root": "library"}}, headers=headers).status_code == 202
    assert send(gateway, line("a.wav"), "k").json()["code"] == "idempotency_key_reused"


def request_of(messages: Iterator[Message]) -> Request:
    async def receive() -> Message:
        return next(messages)

    return Request({"type": "http", "method": "POST", "path": "/v1/jobs", "headers": []}, receive)


def body(data: bytes) -> Message:
    return {"type": "http.request", "body": data, "more_body": True}


NEW = NewJob("ann", Priority.NORMAL, None, "key", "f")


def test_a_client_that_goes_away_midway_leaves_nothing() -> None:
    stores = MemoryStores()
    request = request_of(iter([body(line("a.wav") * 50), {"type": "http.disconnect"}]))
    with pytest.raises(ClientDisconnect):
        asyncio.run(receive(request, stores.ledger, NEW, ManifestReader(["library"]), 10))
    assert stores.ledger.jobs(owner=None, cursor=None, limit=5).items == ()
    assert stores.ledger.create_job(NEW)[1]


def test_a_request_that_is_cut_off_by_us_leaves_nothing() -> None:
    stores = MemoryStores()

    async def forever() -> AsyncIterator[Message]:
        yield body(line("a.wav") * 50)
        await asyncio.Event().wait()

    async def run() -> None:
        source = forever()
        request = Request({"type": "http", "method": "POST", "path": "/", "headers": []}, lambda: anext(source))
        task = asyncio.create_task(receive(request, stores.ledger, NEW, ManifestReader(["library"]), 10))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert stores.ledger.jobs(owner=None, cursor=None, limit=5).items == ()


def test_while_the_first_is_coming_in_the_second_is_told_to_wait(gateway: Gateway) -> None:
    stores = gateway.stores
    job, _ = stores.ledger.create_job(NewJob("local", Priority.NORMAL, None, "k", _fingerprint(gateway)))
    answer = send(gateway, line("a.wav"), "k")
    assert (answer.status_code, answer.json()["code"]) == (409, "submission_in_flight")
    assert answer.headers["retry-after"]
    stores.ledger.drop_job(job.id)
    assert send(gateway, line("a.wav"), "k").status_code == 202


def _fingerprint(gateway: Gateway) -> str:
    """What the gateway gives a manifest of normal priority."""
    from api.security import Caller
    from api.submit import Submission

    submission = Submission(gateway.app.state.parts, Caller("local", frozenset()), "k")
    return submission._new(Priority.NORMAL, None, "manifest", "manifest", "normal").fingerprint


def test_a_reader_holds_no_more_than_what_was_not_taken() -> None:
    reader = ManifestReader(["library"])
    reader.feed(line("a.wav") * 10)
    assert len(reader.take(4)) == 4
    assert reader.waiting
    assert len(reader.take(100)) == 6
    assert not reader.waiting


class Forgetful(MemoryStores):
    """A ledger that counts files and keeps none."""

    def __init__(self) -> None:
        super().__init__()
        self.files = 0
        self.most = 0
        self.ledger.add_chunk = self._count  # type: ignore[method-assign]

    def _count(self, job_id: str, n: int, first: int, files: Sequence[FileRef]) -> bool:
        assert first == self.files
        self.files += len(files)
        self.most = max(self.most, len(files))
        return True


def test_memory_does_not_grow_with_the_list() -> None:
    stores = Forgetful()

    def messages() -> Iterator[Message]:
        for start in range(0, 100_000, 1000):
            yield body(b"".join(line(f"drums/{n:07d}.wav") for n in range(start, start + 1000)))
        yield {"type": "http.request", "body": b"", "more_body": False}

    async def run() -> tuple[int, int]:
        tracemalloc.start()
        job = await receive(request_of(messages()), stores.ledger, NEW, ManifestReader(["library"]), 100)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert job.state is JobState.RUNNING
        return stores.files, peak

    files, peak = asyncio.run(run())
    assert files == 100_000
    assert stores.most == 100
    assert peak < 3_000_000
