"""Tables of jobs, files and keys."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from cli.console import err, escape, out
from cli.follow import COLOURS, conservation, counts_text
from cli.gateway import Json


def json_lines(rows: Iterable[Json]) -> None:
    """One JSON object a line."""
    for row in rows:
        out().print(json.dumps(row, ensure_ascii=False), markup=False, soft_wrap=True)


def table(*columns: str) -> Table:
    """A table in the house's style: light where there is a terminal, bare columns in a pipe."""
    plain = not out().is_terminal
    made = Table(box=None if plain else SIMPLE_HEAD, pad_edge=False, padding=(0, 2) if plain else (0, 1, 0, 0))
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def coloured(status: str) -> str:
    """A status in its colour."""
    colour = COLOURS.get(status)
    return f"[{colour}]{status}[/]" if colour else status


def jobs_table(jobs: Sequence[Json]) -> None:
    """Jobs with their counts."""
    if not jobs:
        err().print("There is no job yet: ./samplemind submit PATH --watch")
        return
    made = table("id", "state", "what", "submitted at", "counts")
    for job in jobs:
        at = str(job["created_at"])[:19].replace("T", " ")
        made.add_row(job["id"], job["state"], escape(job.get("label") or ""), at, counts_text(job["counts"]))
    out().print(made)


def job_panel(job: Json) -> None:
    """One job."""
    made = table("", "")
    made.show_header = False
    rows = [("id", job["id"]), ("what", job.get("label") or ""), ("state", job["state"]), ("priority", job["priority"])]
    rows += [("submitted at", job["created_at"]), ("ended at", job.get("finished_at") or "-")]
    rows.append(("counts", conservation(job["counts"])))
    if job.get("reason"):
        rows.append(("reason", job["reason"]["message"]))
    for name, value in rows:
        made.add_row(f"[bold]{name}[/]", escape(str(value)))
    out().print(made)


def files_table(rows: Sequence[Json], *, more: bool) -> None:
    """Files, how each ended and why."""
    made = table("status", "path", "reason")
    for row in rows:
        reason = row.get("reason") or {}
        said = f"{reason['code']}: {reason['message']}" if reason else ""
        made.add_row(coloured(row["status"]), escape(row["path"]), escape(said))
    out().print(made)
    if more:
        err().print("There are more: ask for them with --limit.")


def keys_table(keys: Sequence[Json]) -> None:
    """Keys without their secrets."""
    if not keys:
        err().print("There is no key: on loopback none is needed.")
        return
    made = table("id", "name", "owner", "scopes", "made at", "expires at")
    for key in keys:
        made.add_row(
            key["id"],
            escape(key["name"]),
            escape(key["owner"]),
            ", ".join(key["scopes"]),
            str(key["created_at"])[:19],
            str(key.get("expires_at") or "never")[:19],
        )
    out().print(made)


def failures_tables(causes: Sequence[Json], rows: Sequence[Json], *, more: bool) -> None:
    """What failed: how many of what, and the files."""
    if not causes:
        err().print("Nothing is in quarantine: every file ended well, or is being tried again.")
        return
    kinds = table("files", "cause", "what it means")
    for cause in causes:
        kinds.add_row(f"{cause['count']:,}", cause["code"], escape(cause["message"]))
    out().print(kinds)
    out().print()
    made = table("id", "path", "reason")
    for row in rows:
        made.add_row(row["id"], escape(f"{row['root']}:{row['path']}"), escape(row["reason"]["message"]))
    out().print(made)
    if more:
        err().print("There are more: ask for them with --limit.")
    err().print("See one: ./samplemind quarantine show ID. Try again: ./samplemind quarantine retry --cause CAUSE")


def failure_panel(failed: Json) -> None:
    """One file that failed."""
    made = table("", "")
    made.show_header = False
    rows = [("file", f"{failed['root']}:{failed['path']}"), ("reason", failed["reason"]["message"])]
    rows += [
        ("cause", failed["reason"]["code"]),
        ("tried", "once" if failed["attempts"] == 1 else f"{failed['attempts']} times"),
    ]
    rows += [("died of", of) for of in failed["died_of"]]
    rows += [("job", failed["job"]), ("see it fail", failed["reproduce"])]
    for name, value in rows:
        made.add_row(f"[bold]{name}[/]", escape(str(value)))
    out().print(made)
