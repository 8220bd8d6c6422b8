"""``samplemind report``: what is wrong in a job or a folder, worst first, and what to do about it."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.console import err
from cli.errors import UsageError

Json = dict[str, Any]
_JOB = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}|[0-9a-f]{8}-[0-9a-f-]{27}")


class Form(StrEnum):
    """How a report is written."""

    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"


def report(
    what: Annotated[
        str,
        typer.Argument(metavar="JOB|FOLDER", help="A job's id; or a folder, a file, what `analyze -o` wrote, or -."),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it there; .html, .md or .json.")
    ] = None,
    form: Annotated[
        Form | None, typer.Option("--format", help="By default what FILE's name says, else Markdown.")
    ] = None,
    jobs: Annotated[int, typer.Option("-j", "--jobs", help="For a folder: processes; -1 is one for each core.")] = -1,
    url: Annotated[str | None, typer.Option("--url", help="The gateway's address.")] = None,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", metavar="DIR", help="The data folder of the cluster meant.")
    ] = None,
) -> None:
    """Say what is wrong in a job or a folder, worst first, and what to do about it.

    A folder is analysed here, without a cluster; the lines that `analyze` wrote are not analysed again.
    """
    by_name = {".html": Form.HTML, ".htm": Form.HTML, ".json": Form.JSON}
    wanted = form or by_name.get(output.suffix.lower() if output else "", Form.MARKDOWN)
    local = what == "-" or os.path.lexists(what)
    if not local and not _JOB.fullmatch(what):
        raise UsageError(f"{what!r} is neither a file or folder here nor a job's id: ./samplemind jobs lists jobs.")
    text = _of_files(what, wanted, jobs) if local else _of_job(what, wanted, url, data_dir)
    if output is None:
        sys.stdout.write(text)
        return
    from cli.export import save

    save([text.encode("utf-8", "backslashreplace")], output)
    err().print(f"{output}: the report on {what}.", markup=False)


def _of_job(job: str, form: Form, url: str | None, data_dir: Path | None) -> str:
    from cli.jobs import connect, quoted

    with connect(url, data_dir) as gateway:
        pieces = list(gateway.download(f"/v1/jobs/{quoted(job)}/report", format=form.value))
    text = b"".join(pieces).decode()
    return json.dumps(json.loads(text), ensure_ascii=False, indent=1) + "\n" if form is Form.JSON else text


def _of_files(what: str, form: Form, jobs: int) -> str:
    from workers.doctor.pages import html, markdown
    from workers.doctor.report import Report

    made = Report("standard input" if what == "-" else os.path.basename(os.path.abspath(what)))
    for row in _rows(what, jobs):
        analysed = row.get("audio") is not None
        made.add(
            str(row.get("path", "")),
            str(row.get("status", "failed")),
            row if analysed else None,
            sample_id=row.get("sample_id"),
            reason=row.get("reason"),
        )
    said = made.to_dict()
    if form is Form.JSON:
        return json.dumps(said, ensure_ascii=False, indent=1) + "\n"
    return html(said) if form is Form.HTML else markdown(said)


def _rows(what: str, jobs: int) -> Iterator[Json]:
    """One object a file: read from lines where these are given, else analysed."""
    if what == "-":
        return _parsed(sys.stdin, "standard input")
    if os.path.isfile(what) and what.endswith((".ndjson", ".jsonl")):
        return _read(what)
    from cli.analyze import analysed

    return analysed([what], jobs)


def _read(path: str) -> Iterator[Json]:
    try:
        with open(path, encoding="utf-8") as lines:
            yield from _parsed(lines, path)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}.") from error


def _parsed(lines: Iterable[str], name: str) -> Iterator[Json]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise UsageError(f"{name}, line {number} is not what `analyze` writes: one JSON object a line.")
        yield row
