"""``samplemind jobs``: list, show, watch, files, export, cancel, pause, resume."""

from __future__ import annotations

from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import FAILURE, UsageError

if TYPE_CHECKING:
    from cli.gateway import Gateway

jobs = typer.Typer(
    name="jobs", help="List jobs; show, watch, pause or cancel one; list its files.", rich_markup_mode=None
)

JobId = Annotated[str, typer.Argument(metavar="ID", help="The job's id.")]
Url = Annotated[str | None, typer.Option("--url", help="The gateway's address.")]
DataDir = Annotated[
    Path | None, typer.Option("--data-dir", metavar="DIR", help="The data folder of the cluster meant.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON lines.")]


class Status(StrEnum):
    """How a file stands."""

    PENDING = "pending"
    DONE = "done"
    REUSED = "reused"
    DUPLICATE = "duplicate"
    SKIPPED = "skipped"
    FAILED = "failed"


class Form(StrEnum):
    """A format of exports."""

    NDJSON = "ndjson"
    CSV = "csv"
    PARQUET = "parquet"
    REKORDBOX = "rekordbox"


def connect(url: str | None, data_dir: Path | None) -> Gateway:
    """A connection to the gateway that is meant."""
    from cli.found import find_cluster
    from cli.gateway import Gateway

    return Gateway(find_cluster(url, data_dir))


@jobs.callback(invoke_without_command=True)
def list_default(context: typer.Context, url: Url = None, data_dir: DataDir = None) -> None:
    """List jobs; show, watch, pause or cancel one; see how its files ended."""
    if context.invoked_subcommand is None:
        list_jobs(url=url, data_dir=data_dir)
    elif url or data_dir:
        raise UsageError(
            f"--url and --data-dir go behind the command: ./samplemind jobs {context.invoked_subcommand} ..."
        )


@jobs.command("list")
def list_jobs(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many.")] = 20,
    json: AsJson = False,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """List jobs, the newest first."""
    from cli.show import jobs_table, json_lines

    with connect(url, data_dir) as gateway:
        found = list(islice(gateway.pages("/v1/jobs", limit=min(limit, 100)), limit))
    if json:
        json_lines(found)
    else:
        jobs_table(found)


@jobs.command()
def show(job_id: JobId, json: AsJson = False, url: Url = None, data_dir: DataDir = None) -> None:
    """Show one job and its counts."""
    from cli.show import job_panel, json_lines

    with connect(url, data_dir) as gateway:
        job = gateway.get(f"/v1/jobs/{quoted(job_id)}")
    if json:
        json_lines([job])
    else:
        job_panel(job)


@jobs.command()
def watch(job_id: JobId, url: Url = None, data_dir: DataDir = None) -> None:
    """Show a job's progress until it ends. Ctrl-C leaves it running."""
    from cli.follow import watch as follow
    from cli.submit import ended

    with connect(url, data_dir) as gateway:
        if not ended(follow(gateway, quoted(job_id))):
            raise typer.Exit(FAILURE)


@jobs.command()
def files(
    job_id: JobId,
    status: Annotated[Status | None, typer.Option("--status", help="Only files that stand so.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many.")] = 100,
    json: AsJson = False,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """List a job's files, how each ended and why."""
    from cli.show import files_table, json_lines

    with connect(url, data_dir) as gateway:
        wanted = status.value if status else None
        path = f"/v1/jobs/{quoted(job_id)}/files"
        found = list(islice(gateway.pages(path, status=wanted, limit=min(limit, 1000)), limit + 1))
    if json:
        json_lines(found[:limit])
    else:
        files_table(found[:limit], more=len(found) > limit)


@jobs.command()
def export(
    job_id: JobId,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where to; - is standard output.")],
    form: Annotated[
        Form | None, typer.Option("--format", help="Which format; by default what FILE's name says, else NDJSON.")
    ] = None,
    location: Annotated[
        str | None, typer.Option("--location", help="For Rekordbox: where the library is on its machine.")
    ] = None,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Save every file of a job with what was found, as NDJSON, CSV, Parquet or for Rekordbox."""
    from cli.export import export as run

    with connect(url, data_dir) as gateway:
        run(gateway, f"/v1/exports/{quoted(job_id)}", output, form.value if form else None, location)


@jobs.command()
def cancel(job_id: JobId, url: Url = None, data_dir: DataDir = None) -> None:
    """Cancel a job: what has not started ends as skipped."""
    with connect(url, data_dir) as gateway:
        before = gateway.get(f"/v1/jobs/{quoted(job_id)}")
        if before.get("finished_at"):
            typer.echo(f"Job {job_id} has ended already ({before['state']}): there is nothing left to cancel.")
            return
        gateway.call("DELETE", f"/v1/jobs/{quoted(job_id)}")
    typer.echo(f"Job {job_id} is being cancelled; what has not started ends as skipped.")


@jobs.command()
def pause(job_id: JobId, url: Url = None, data_dir: DataDir = None) -> None:
    """Pause a job: nothing more of it is begun until it is resumed."""
    _order("pause", job_id, url, data_dir)


@jobs.command()
def resume(job_id: JobId, url: Url = None, data_dir: DataDir = None) -> None:
    """Go on with a paused job."""
    _order("resume", job_id, url, data_dir)


def _order(what: str, job_id: str, url: str | None, data_dir: Path | None) -> None:
    with connect(url, data_dir) as gateway:
        job = gateway.call("POST", f"/v1/jobs/{quoted(job_id)}/{what}")
    typer.echo(f"Job {job_id} is {job['state']}.")


def quoted(identity: str) -> str:
    """An id as one part of a path."""
    from urllib.parse import quote

    return quote(identity, safe="")
