"""``samplemind jobs export``: a job's files into a file, which is there only when it is whole."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from cli.console import err
from cli.errors import UsageError
from cli.gateway import Gateway

_BY_NAME: Final = {".csv": "csv", ".parquet": "parquet", ".xml": "rekordbox"}


def export(gateway: Gateway, path: str, output: Path, form: str | None, location: str | None) -> None:
    """Save what is at `path`; `form` is by default what the name of `output` says, else NDJSON."""
    wanted = form or _BY_NAME.get(output.suffix.lower(), "ndjson")
    query = {"format": wanted, **({"location": location} if location else {})}
    pieces = gateway.download(path, **query)
    if str(output) == "-":
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
        return
    size = save(pieces, output)
    err().print(f"{output}: {size:,} bytes of {wanted}.", markup=False)


def save(pieces: Iterable[bytes], output: Path) -> int:
    """Write to a file beside `output` and move it there at the end; its size. Whatever fails, `output` is as it was."""
    part = output.with_name(f".{output.name}.part")
    size = 0
    try:
        with part.open("wb") as file:
            for piece in pieces:
                size += file.write(piece)
        part.replace(output)
    except OSError as error:
        raise UsageError(f"Cannot write {output}: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)
    return size
