"""``samplemind push``: a folder of this machine into the library of a cluster elsewhere, only what it lacks."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from cli.analyze import gather
from cli.console import err, escape
from cli.errors import Interrupted, UsageError
from cli.found import find_cluster
from cli.gateway import Gateway, Json, Refused
from cli.place import Place
from cli.sending import Sending, Step, hash_file
from cli.submit import accepted, post_job

_AT_ONCE = 1000
_MOST_TOLD = 20


@dataclass(frozen=True)
class Local:
    """A file here, and where it lies below the folder that is pushed."""

    path: str
    below: str
    size: int
    sha256: str = ""


@dataclass
class Pushed:
    """What came of it."""

    sent: int = 0
    there: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)
    uploads: list[str] = field(default_factory=list)
    """Paths below the root `uploads` of what was sent."""

    def said(self, files: int) -> str:
        """In a line."""
        rest = f", {len(self.refused):,} refused" if self.refused else ""
        count = "1 file" if files == 1 else f"{files:,} files"
        return f"{count}: {self.sent:,} sent, {self.there:,} were there already{rest}."


def run(folder: str, root: str, path: str, *, analyze: bool, follow: bool, url: str | None, data: Path | None) -> bool:
    """Push, say what came of it, and follow the job if asked; whether every file is there."""
    with Gateway(find_cluster(url, data)) as gateway:
        made, files, job = push(gateway, folder, root, path, analyze=analyze)
        for name, why in made.refused[:_MOST_TOLD]:
            err().print(escape(f"{name}: {why}"))
        if len(made.refused) > _MOST_TOLD:
            err().print(f"... and {len(made.refused) - _MOST_TOLD:,} more.")
        err().print(made.said(files))
        well = job is None or accepted(gateway, job, follow=follow)
    return well and not made.refused


def push(gateway: Gateway, folder: str, root: str, path: str, *, analyze: bool) -> tuple[Pushed, int, Json | None]:
    """Send what the cluster lacks of a folder; what came of it, of how many files, and the job that analyses it.

    `root` is ``uploads``, or a library root that takes uploads, with the folder `path` in it.
    """
    files = list(_files(folder))
    made = Pushed()
    try:
        with _bar("hashing", sum(each.size for each in files)) as step:
            known = list(_hashed(files, made, step))
        missing = known if root != "uploads" else _missing(gateway, known, made)
        with _bar("sending", sum(each.size for each in missing)) as step:
            sending = Sending(gateway)
            for each in missing:
                _send(sending, each, root, path, made, step)
    except KeyboardInterrupt:
        raise Interrupted(f"Stopped: {made.said(len(files))} The same command goes on from there.") from None
    return made, len(files), _job(gateway, root, path, made) if analyze else None


def _files(folder: str) -> Iterator[Local]:
    if not os.path.exists(folder):
        raise UsageError(f"There is no folder {folder!r}.")
    top = folder if os.path.isdir(folder) else os.path.dirname(folder)
    for path in gather([folder], None):
        below = os.path.relpath(path, top or ".").replace(os.sep, "/")
        yield Local(path, below, os.path.getsize(path) if os.path.isfile(path) else 0)


def _hashed(files: Sequence[Local], made: Pushed, step: Step) -> Iterator[Local]:
    for each in files:
        try:
            if not os.path.isfile(each.path):
                raise OSError(None, "it is no regular file")
            each.below.encode()
            if each.size:
                yield Local(each.path, each.below, each.size, hash_file(each.path, step))
            else:
                made.refused.append((each.path, "The file is empty (0 bytes)."))
        except OSError as error:
            made.refused.append((each.path, f"It cannot be read: {error.strerror}."))
        except UnicodeEncodeError:
            made.refused.append((each.path, "Its name is not UTF-8: rename it."))


def _missing(gateway: Gateway, files: Sequence[Local], made: Pushed) -> list[Local]:
    """Those whose content the cluster lacks, equal ones once."""
    by_hash = {each.sha256: each for each in reversed(files)}
    hashes, missing = iter(by_hash), []
    while some := list(islice(hashes, _AT_ONCE)):
        missing += gateway.call("POST", "/v1/uploads/check", json={"sha256": some})["missing"]
    made.there += len(files) - len(missing)
    lacking = set(missing)
    return [each for each in by_hash.values() if each.sha256 in lacking][::-1]


def _send(sending: Sending, file: Local, root: str, path: str, made: Pushed, step: Step) -> None:
    where = "/".join(part for part in (path, file.below) if part)
    place = {"filename": file.below.rsplit("/", 1)[-1]} if root == "uploads" else {"root": root, "path": where}
    try:
        said = sending.send(file.path, {**place, "sha256": file.sha256, "analyze": "false"}, step)
    except (Refused, OSError) as error:
        if isinstance(error, Refused) and error.status in (401, 429):
            raise
        made.refused.append((file.path, str(error)))
        return
    made.sent += not said["known"]
    made.there += bool(said["known"])
    if root == "uploads":
        made.uploads.append(str(said["path"]))


def _job(gateway: Gateway, root: str, path: str, made: Pushed) -> Json | None:
    """Have what is new analysed; none where nothing was sent."""
    if not made.sent:
        return None
    if root != "uploads":
        return post_job(gateway, Place(root, path, "**/*"), "normal", rescan=True)
    lines = "".join(json.dumps({"root": "uploads", "path": each}) + "\n" for each in made.uploads)
    headers = {"Content-Type": "application/x-ndjson"}
    return gateway.call("POST", "/v1/jobs", content=lines.encode(), headers=headers)


@contextmanager
def _bar(what: str, total: int) -> Iterator[Step]:
    """Bytes, speed and time left on standard error, where that is a terminal."""
    if not err().is_terminal:
        yield lambda _: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=err(), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda bytes_: bar.update(task, advance=bytes_)
