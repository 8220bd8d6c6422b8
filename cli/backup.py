"""`samplemind backup` and `restore`: the data folder of a cluster that is stopped, as one file.

Kept is what cannot be made again: the ledger, uploads, secrets, Flower's history. The queue is a hint and the vector
index is made from the ledger, so neither is in it.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from cli.cluster.folder import DataFolder
from cli.cluster.lock import FolderLock
from cli.errors import CommandError, UsageError

KEPT: Final = ("mongo", "uploads", "secrets", "flower", "RUNNING", "VERIFY")
"""The last two are marks: of a cluster that was not stopped in order, and of a ledger to be checked before use."""
_LAST: Final = "backup.json"
"""The last member: an archive without it broke off."""

File = Annotated[Path, typer.Argument(metavar="FILE", help="The archive, for instance samplemind.tar.gz.")]
DataDir = Annotated[Path | None, typer.Option("--data-dir", metavar="DIR", help="The data folder; by default yours.")]


def backup(file: File, data_dir: DataDir = None) -> None:
    """Write everything that cannot be made again into one file. The cluster must be stopped.

    Only you may read it: it holds the cluster's secrets.
    """
    folder = _folder(data_dir)
    if not (folder.path / "mongo").is_dir():
        raise CommandError(f"There is no ledger of a cluster in {folder.path}: choose another --data-dir.")
    if file.resolve().is_relative_to(folder.path):
        raise CommandError("The backup cannot lie in the data folder itself: choose another place for it.")
    with _alone(folder):
        count = _write(folder.path, file)
    typer.echo(f"{count} files of {folder.path} are in {file} ({file.stat().st_size / 1e6:.1f} MB).")


def restore(file: File, data_dir: DataDir = None) -> None:
    """Bring a backup into a data folder without a ledger. The index is made anew at the next `up`.

    Nothing is replaced: where a ledger is, move the folder away first.
    """
    if not file.is_file():
        raise UsageError(f"There is no file {file}.")
    folder = _folder(data_dir)
    folder.make()
    with _alone(folder):
        if (folder.path / "mongo").exists():
            raise CommandError(
                f"There is a ledger in {folder.path} already: move it away, or choose another --data-dir."
            )
        part = folder.path / "restore.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(mode=0o700)
        try:
            made = _read(file, part)
            _into_place(part, folder.path)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    typer.echo(f"{made['files']} files of {made['made']} are in {folder.path}. Start it with: ./samplemind up")


def _folder(data_dir: Path | None) -> DataFolder:
    from cli.found import load_settings

    given = {} if data_dir is None else {"data_dir": data_dir.expanduser().resolve()}
    return DataFolder(load_settings(**given).data_dir)


@contextmanager
def _alone(folder: DataFolder) -> Iterator[None]:
    """No cluster runs on the folder meanwhile: what a running ledger writes is not whole at any one moment."""
    with closing(FolderLock(folder)):
        yield


def _write(source: Path, file: Path) -> int:
    """The archive, in one step: under its name it is whole. How many files it holds."""
    part = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as raw:
            # Level 1: sounds and the ledger's pages are compressed already.
            with tarfile.open(fileobj=raw, mode="w:gz", compresslevel=1) as archive:
                for name in KEPT:
                    if (source / name).exists():
                        archive.add(source / name, name)
                count = sum(member.isfile() for member in archive.getmembers())
                said = json.dumps(
                    {"schema": 1, "files": count, "made": datetime.now(UTC).isoformat(timespec="seconds")}
                )
                last = tarfile.TarInfo(_LAST)
                last.size = len(said)
                archive.addfile(last, io.BytesIO(said.encode()))
            raw.flush()
            os.fsync(raw.fileno())
        part.replace(file)
    except OSError as error:
        raise CommandError(f"The backup could not be written to {file} ({error.strerror}).") from error
    finally:
        part.unlink(missing_ok=True)
    return count


def _read(file: Path, part: Path) -> dict[str, Any]:
    """Unpack a whole archive, and what it says of itself."""
    try:
        with tarfile.open(file, "r:gz") as archive:
            archive.extractall(part, filter="data")
        said: dict[str, Any] = json.loads((part / _LAST).read_text())
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, FileNotFoundError, ValueError) as error:
        raise CommandError(f"{file} is no whole backup: it broke off, or is something else.") from error
    except OSError as error:
        raise CommandError(f"{file} could not be unpacked to {part} ({error.strerror}).") from error
    found = sum(path.is_file() for path in part.rglob("*")) - 1
    if said.get("schema") != 1 or found != said["files"]:
        raise CommandError(f"{file} is no whole backup: {found} of {said.get('files')} files are in it.")
    return said


def _into_place(part: Path, target: Path) -> None:
    """The ledger last: until it is there, the folder has none and can be restored into again."""
    for name in reversed(KEPT):
        if (part / name).exists():
            old = target / name
            if old.is_dir():
                shutil.rmtree(old)
            (part / name).rename(old)
