"""``samplemind quarantine``: list, show, retry."""

from __future__ import annotations

import uuid
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.errors import FAILURE, UsageError
from cli.jobs import AsJson, DataDir, Url, connect, quoted

if TYPE_CHECKING:
    from cli.gateway import Json

quarantine = typer.Typer(
    name="quarantine", help="See what failed and why, see it fail again, and try it again.", rich_markup_mode=None
)
Cause = Annotated[str | None, typer.Option("--cause", help="Only what failed so, for example decode_failed.")]
FileId = Annotated[str, typer.Argument(metavar="ID", help="The file's id in the quarantine.")]


@quarantine.callback(invoke_without_command=True)
def list_default(context: typer.Context, url: Url = None, data_dir: DataDir = None) -> None:
    """See what failed and why, see it fail again, and try it again."""
    if context.invoked_subcommand is None:
        list_failed(url=url, data_dir=data_dir)
    elif url or data_dir:
        asked = f"./samplemind quarantine {context.invoked_subcommand} ..."
        raise UsageError(f"--url and --data-dir go behind the command: {asked}")


@quarantine.command("list")
def list_failed(
    cause: Cause = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many files.")] = 50,
    json: AsJson = False,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """List the causes, and the files that failed and were not tried again since, the newest job's first."""
    from cli.show import failures_tables, json_lines

    with connect(url, data_dir) as gateway:
        every = gateway.get("/v1/quarantine", limit=1)["causes"] or []
        causes = [each for each in every if cause in (None, each["code"])]
        asked = gateway.pages("/v1/quarantine", cause=cause, limit=min(limit, 1000))
        found = list(islice(asked, limit + 1)) if causes else []
    if json:
        json_lines(found[:limit])
    elif every and not causes:
        there = ", ".join(each["code"] for each in every)
        typer.echo(f"No file in quarantine failed as {cause!r}. There are: {there}.", err=True)
    else:
        failures_tables(causes, found[:limit], more=len(found) > limit)


@quarantine.command()
def show(file_id: FileId, json: AsJson = False, url: Url = None, data_dir: DataDir = None) -> None:
    """Show one file: why it failed, what workers died of at it, and the command that shows it fail."""
    from cli.show import failure_panel, json_lines

    with connect(url, data_dir) as gateway:
        failed = gateway.get(f"/v1/quarantine/{quoted(file_id)}")
    if json:
        json_lines([failed])
    else:
        failure_panel(failed)


@quarantine.command()
def retry(
    file_ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Files; or give --cause.")] = None,
    cause: Annotated[str | None, typer.Option("--cause", help="Everything that failed so.")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Show progress until the job ends.")] = False,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Try files again, as a new job of exactly those. They leave the quarantine, and come back if they fail again."""
    from cli.follow import watch as follow
    from cli.submit import ended

    if bool(file_ids) == (cause is not None):
        raise UsageError("Give either the ids of files or --cause; see ./samplemind quarantine list.")
    body = {"cause": cause} if cause is not None else {"files": file_ids}
    with connect(url, data_dir) as gateway:
        job = _again(gateway, body)
        count = job["counts"]["submitted"]
        typer.echo(f"Job {job['id']} tries {count:,} {'file' if count == 1 else 'files'} again.", err=True)
        if not watch:
            typer.echo(job["id"])
        elif not ended(follow(gateway, job["id"])):
            raise typer.Exit(FAILURE)


def _again(gateway: Any, body: dict[str, Any]) -> Json:
    """A lost answer is asked for again under the same key, so that no job is made twice."""
    from cli.gateway import Unreachable

    headers = {"Idempotency-Key": str(uuid.uuid4())}
    try:
        job: Json = gateway.call("POST", "/v1/quarantine/retry", json=body, headers=headers)
    except Unreachable:
        job = gateway.call("POST", "/v1/quarantine/retry", json=body, headers=headers)
    return job
