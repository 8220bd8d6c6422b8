"""Uploads that go on where they broke off: the parts on disk, and what is known of each beside it.

`<incoming>/<id>` has the bytes that came so far, `<id>.json` whose they are and what is to become of them. How far an
upload is, is the size of its file and nothing else: whatever died in between, it is the truth.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from starlette.concurrency import run_in_threadpool

from api.errors import Problem
from api.fence import UPLOADS
from api.placing import checked_path, hash_of, put, there
from api.uploads import Uploads, disk_problem, safe_name
from workers.errors import NotFound, OutsideRoot

_BUFFER: Final = 1 << 20
_ID: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload: what was said of it when it began, and where it is once it is whole."""

    id: str
    owner: str
    length: int
    root: str
    path: str
    """Below a library root; its name alone for the root `uploads`."""
    sha256: str | None
    analyze: bool
    offset: int = 0
    done: bool = False
    known: bool = False
    """This content was here already."""
    job: str | None = None


class Resumable:
    """Uploads that are coming in. Safe among threads, and among gateways on one disk."""

    def __init__(self, uploads: Uploads, roots: Mapping[str, Path], most_bytes: int) -> None:
        self._uploads = uploads
        self._incoming = uploads.incoming
        self._roots = roots
        self._most = most_bytes

    def begin(self, new: Upload) -> Upload:
        """Keep a place for `new`, whose id is empty. It is done at once where its content is in its place already.

        Said with its hash, the same upload by the same owner is the same one again, as far as it came.

        Raises
        ------
        Problem
            413 where it is too long, 422 for a name that is none, 409 where another file has it, 503 for the disk.
        OutsideRoot
            The root takes no uploads.
        """
        if new.length > self._most:
            raise Problem(
                413,
                "file_too_large",
                f"The file is larger than the {self._most} bytes allowed.",
                limit_bytes=self._most,
            )
        made = replace(new, id=_id_of(new), path=self._checked(new))
        here = self._here(made, made.sha256) if made.sha256 else None
        if here is not None:
            made = replace(made, path=here, offset=made.length, done=True, known=True)
        try:
            self._incoming.mkdir(parents=True, exist_ok=True)
            self._file(made.id).touch()
            self._keep(made)
            return made if made.done else replace(made, offset=os.path.getsize(self._file(made.id)))
        except OSError as error:
            raise disk_problem(error) from error

    def get(self, upload_id: str, owner: str) -> Upload:
        """How it stands. `NotFound` for somebody else's too."""
        try:
            if not _ID.fullmatch(upload_id):
                raise NotFound("upload")
            kept = Upload(**json.loads(self._note(upload_id).read_text("utf-8")))
            size = kept.length if kept.done else os.path.getsize(self._file(upload_id))
        except FileNotFoundError:
            raise NotFound("upload") from None
        if kept.owner != owner:
            raise NotFound("upload")
        return replace(kept, offset=size)

    async def append(self, upload: Upload, offset: int, body: AsyncIterator[bytes]) -> Upload:
        """Take bytes from `offset` on; at the last one it is put into its place. What came before a break stays.

        Raises
        ------
        Problem
            409 where `offset` is not how far it is; 423 while another request sends; 413 for more than was said;
            422 where the whole is not what was said.
        """
        if upload.done:
            return upload
        with self._locked(upload.id) as fd:
            at = os.fstat(fd).st_size
            if at != offset:
                raise Problem(409, "wrong_offset", f"{at} bytes are here: go on from there.", offset=at)
            held = bytearray()
            try:
                async for data in body:
                    held += data
                    if at + len(held) > upload.length:
                        raise Problem(413, "too_much", f"More than the {upload.length} bytes that were said.")
                    if len(held) >= _BUFFER:
                        at += await run_in_threadpool(_write, fd, bytes(held))
                        held.clear()
            finally:  # also when the connection broke: these bytes need not be sent again
                if at + len(held) <= upload.length:
                    at += _write(fd, bytes(held))
            if at < upload.length:
                return replace(upload, offset=at)
            return await run_in_threadpool(self._finish, replace(upload, offset=at), fd)

    def note_job(self, upload: Upload, job: str) -> Upload:
        """Remember which job analyses it."""
        made = replace(upload, job=job)
        self._keep(made)
        return made

    def drop(self, upload: Upload) -> None:
        """Forget it; what is in its place stays there."""
        self._file(upload.id).unlink(missing_ok=True)
        self._note(upload.id).unlink(missing_ok=True)

    def folder_of(self, root: str) -> Path | None:
        """The folder of a root that takes uploads, none for `uploads`. `OutsideRoot` where it takes none."""
        if root != UPLOADS and root not in self._roots:
            raise OutsideRoot(f"Nothing may be uploaded into the root {root!r}: see gateway.upload_roots.")
        return self._roots.get(root)

    def _checked(self, new: Upload) -> str:
        return safe_name(new.path) if self.folder_of(new.root) is None else checked_path(new.path)

    def _here(self, new: Upload, sha256: str) -> str | None:
        """Where this content is, if it is in its place or can be put there without being sent."""
        kept = self._uploads.held(new.owner, sha256)
        if new.root == UPLOADS:
            return None if kept is None else f"{sha256[:2]}/{sha256}/{kept.name}"
        root = self._roots[new.root]
        if there(root, new.path, sha256):
            return new.path
        if kept is None or kept.stat().st_size != new.length:
            return None
        put(root, new.path, kept, sha256)
        return new.path

    def _finish(self, upload: Upload, fd: int) -> Upload:
        os.fsync(fd)
        sha256 = hash_of(fd)
        if upload.sha256 not in (None, sha256):
            self.drop(upload)
            raise Problem(
                422, "hash_mismatch", "The content that arrived has another SHA-256 than was said.", sha256=sha256
            )
        file = self._file(upload.id)
        if upload.root == UPLOADS:
            stored = self._uploads.adopt(upload.owner, upload.path, file, sha256)
            path, known = stored.path, stored.known
        else:
            path, known = upload.path, put(self._roots[upload.root], upload.path, file, sha256)
            file.unlink()
        made = replace(upload, path=path, sha256=sha256, known=known, done=True)
        self._keep(made)
        return made

    @contextmanager
    def _locked(self, upload_id: str) -> Iterator[int]:
        try:
            fd = os.open(self._file(upload_id), os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        except FileNotFoundError:
            raise NotFound("upload") from None
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.utime(self._note(upload_id))  # still coming in: not to be swept
            yield fd
        except BlockingIOError:
            raise Problem(423, "upload_busy", "Another request is sending this file; wait for it to end.") from None
        finally:
            os.close(fd)

    def _keep(self, upload: Upload) -> None:
        fresh = self._note(upload.id).with_suffix(".new")
        fresh.write_text(json.dumps(asdict(upload)), "utf-8")
        fresh.replace(self._note(upload.id))

    def _file(self, upload_id: str) -> Path:
        return self._incoming / upload_id

    def _note(self, upload_id: str) -> Path:
        return self._incoming / f"{upload_id}.json"


def _id_of(new: Upload) -> str:
    if new.sha256 is None:
        return secrets.token_hex(16)
    said = json.dumps([new.owner, new.root, new.path, new.length, new.sha256])
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _write(fd: int, data: bytes) -> int:
    size = os.fstat(fd).st_size
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(fd, rest) :]
    except OSError as error:
        os.ftruncate(fd, size)  # all or none: what is told and what is there stay one
        raise disk_problem(error) from error
    return len(data)
