"""Watching a job: a progress bar where there is a terminal, a line now and then where there is none."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn

from cli.console import err, escape
from cli.errors import CommandError, Interrupted
from cli.gateway import Gateway, Json, Unreachable

ENDED = ("complete", "cancelled", "failed")
COLOURS = {"done": "green", "reused": "cyan", "duplicate": "blue", "skipped": "yellow", "failed": "red"}
PATIENCE_S = 120.0
_LINE_S = 5.0


def watch(gateway: Gateway, job_id: str, *, stop: threading.Event | None = None) -> Json:
    """Follow a job to its end; the job as it ended. Breaks of the connection are outlived for two minutes.

    `stop`, set from another thread, ends the watching when the connection breaks next.

    Raises
    ------
    Interrupted
        Ctrl-C: the job goes on, and the message says how to come back.
    """
    job = gateway.get(f"/v1/jobs/{job_id}")
    try:
        with _display() as show:
            show(job)
            for news in _news(gateway, job_id, stop or threading.Event()):
                job = news
                show(job)
    except KeyboardInterrupt:
        raise Interrupted(f"The job goes on without you. Come back with: ./samplemind jobs watch {job_id}") from None
    return gateway.get(f"/v1/jobs/{job_id}")


def _news(gateway: Gateway, job_id: str, stop: threading.Event) -> Iterator[Json]:
    last_id: str | None = None
    lost_at: float | None = None
    while True:
        try:
            for _, told, job in gateway.stream(f"/v1/jobs/{job_id}/events", last_id):
                last_id, lost_at = told, None
                yield job
                if job.get("state") in ENDED:
                    return
            if gateway.get(f"/v1/jobs/{job_id}").get("state") in ENDED:
                return
        except Unreachable:
            lost_at = lost_at or time.monotonic()
            if stop.is_set() or time.monotonic() - lost_at > PATIENCE_S:
                raise
        stop.wait(0.5)


@contextmanager
def _display() -> Iterator[Callable[[Json], None]]:
    if not err().is_terminal:
        yield _plain()
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[said]}"),
    )
    with Progress(*columns, console=err(), transient=True) as bar:
        task = bar.add_task("waiting", total=None, said="")

        def show(job: Json) -> None:
            counts = job["counts"]
            scanning = job["state"] == "scanning"
            settled = counts["submitted"] - counts["pending"]
            bar.update(
                task,
                # while the folder is walked the total still grows
                description="paused" if job["state"] == "paused" else "walking" if scanning else "analysing",
                total=counts["submitted"] or None,
                completed=settled,
                said=f"{speed(job)}  {counts_text(counts, markup=True)}",
            )

        yield show


def _plain() -> Callable[[Json], None]:
    told = 0.0
    last = ""

    def show(job: Json) -> None:
        nonlocal told, last
        line = f"{job['state']}: {counts_text(job['counts'])} {speed(job)}".rstrip()
        # how it ended says whoever watched
        if line != last and job["state"] not in ENDED and time.monotonic() - told >= _LINE_S:
            told, last = time.monotonic(), line
            err().print(line, markup=False)

    return show


def speed(job: Json) -> str:
    """Files a second and what is left, where the gateway knows."""
    rate, eta = job.get("files_per_s"), job.get("eta_s")
    said = f"{rate:.1f} files/s" if isinstance(rate, int | float) and rate > 0 else ""
    if isinstance(eta, int | float) and job["state"] == "running":
        said += f", {duration(eta)} left"
    return said


def duration(seconds: float) -> str:
    """``1 h 05 min``, ``3 min 20 s``, ``12 s``."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 60} min {whole % 60:02d} s" if whole >= 60 else f"{whole} s"


def counts_text(counts: Json, *, markup: bool = False) -> str:
    """``120 of 200: done 100, failed 20``; statuses that are nil are left out."""
    parts = []
    for name, colour in COLOURS.items():
        if counts.get(name):
            text = f"{name} {counts[name]:,}"
            parts.append(f"[{colour}]{text}[/]" if markup else text)
    if markup:
        return " ".join(parts)
    settled = counts["submitted"] - counts["pending"]
    return f"{settled:,} of {counts['submitted']:,}" + (f" ({', '.join(parts)})" if parts else "")


def conservation(counts: Json) -> str:
    """The law as a sum: ``75 submitted = 60 done + 5 reused + ...``. `CommandError` where it does not hold."""
    ends = [*COLOURS, *(["pending"] if counts["pending"] else [])]
    law = f"{counts['submitted']:,} submitted = " + " + ".join(f"{counts[name]:,} {name}" for name in ends)
    if counts["submitted"] != sum(counts[name] for name in ends):
        raise CommandError(f"The counts do not add up: {escape(law)}. Please report it.")
    return law
