"""What `up` tells its user."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from cli.cluster.embedded import STAND_IN, outgrown
from cli.cluster.folder import DataFolder
from cli.cluster.parts import url_of
from cli.cluster.plan import Plan
from cli.cluster.probes import why_not_ready
from cli.cluster.process import Process
from cli.console import err, out

PATIENCE_S = 15.0


class Announcer:
    """Tells of every part as it comes, dies and goes, one line each."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._began = time.monotonic()
        self._stopped = False

    def ready(self, process: Process, took_s: float) -> None:
        part = process.part
        where = f" at {part.where}" if part.where else ""
        # what listens nowhere can only be seen to have been started; GET /ready says when it is at work
        took = f"({took_s:.1f} s)" if part.where or part.once else "(started)"
        err().print(f"[green]✓[/] {escape(part.title + where)} [dim]{took}[/]")

    def died(self, process: Process, how: str, pause_s: float, lines: list[str]) -> None:
        title = escape(process.part.title)
        err().print(f"[red]✗[/] {title} {how}; starting it again in {pause_s:g} s")
        if lines:
            err().print(f"  It died {process.backoff.deaths} times. The end of {escape(str(process.log))}:")
            for line in lines:
                err().print(f"  [dim]│[/] {escape(line)}")

    def stopping(self) -> None:
        self._began = time.monotonic()
        self._stopped = True
        err().print("Stopping: workers finish what they hold, then the servers go.")

    def killed(self, process: Process) -> None:
        err().print(f"[yellow]![/] {escape(process.part.title)} did not stop in time and was killed")

    def stopped(self) -> None:
        """Everything is down."""
        if self._stopped:
            err().print(f"[green]✓[/] everything is stopped [dim]({time.monotonic() - self._began:.1f} s)[/]")

    def final(self) -> Callable[[], bool]:
        """A probe of the whole cluster that says now and then what it is still waiting for."""
        gateway = self._plan.settings.gateway
        host = url_of(gateway.host, gateway.port).removeprefix("http://").rpartition(":")[0].strip("[]")
        told: float | None = None

        def probe() -> bool:
            nonlocal told
            told = told or time.monotonic()
            missing = why_not_ready(host, gateway.port)
            if missing and time.monotonic() - told > PATIENCE_S:
                told = time.monotonic()
                err().print(f"  still waiting: {escape(missing)} [dim](logs: {escape(str(self._plan.folder.logs))})[/]")
            return not missing

        return probe

    def begin(self, *, unclean: bool) -> None:
        """The first lines: what will run, and from which data."""
        plan = self._plan
        err().print(f"Starting the cluster on {escape(str(plan.folder.path))}")
        if unclean:
            err().print(
                "[yellow]![/] It was not stopped in order last time: what was open is checked and taken up again."
            )
        for name in ("redis", "mongo", "chroma"):
            if name not in plan.embedded:
                err().print(f"  {name}: your own server, as SAMPLEMIND_{name.upper()}__URL says")

    def up(self) -> None:
        """Everything works: every address, and what to do next."""
        rows = _addresses(self._plan)
        notes = _notes(self._plan)
        took = f"ready in {time.monotonic() - self._began:.1f} s"
        if not out().is_terminal:
            out().print(f"SampleMind is {took}", markup=False)
            for name, value in [*rows, *(("note", note) for note in notes)]:
                out().print(f"{name}: {value}", markup=False)
            return
        grid = Table.grid(padding=(0, 2))
        for name, value in rows:
            grid.add_row(f"[bold]{name}[/]", escape(value))
        for note in notes:
            grid.add_row("[yellow]note[/]", f"[dim]{escape(note)}[/]")
        out().print(Panel(grid, title=f"[bold green]SampleMind[/] is {took}", border_style="green", expand=False))


def _addresses(plan: Plan) -> list[tuple[str, str]]:
    rows = [("gateway", plan.url), ("API docs", f"{plan.url}/docs")]
    if any(part.name == "flower" for part in plan.parts):
        rows.append(("Flower", plan.settings.flower.url))
    rows += [(part.name, part.where) for part in plan.parts if part.server]
    workers = [part.title.partition(" on ")[2] or "any core" for part in plan.parts if part.name.startswith("worker-")]
    rows.append(("workers", f"{len(workers)} ({', '.join(workers)})"))
    rows += [(f"root {name}", str(path)) for name, path in plan.settings.roots.items()]
    rows += [("data", str(plan.folder.path)), ("logs", str(plan.folder.logs))]
    if plan.settings.roots:
        name = next(iter(plan.settings.roots))
        rows.append(("next", f"./samplemind submit {name}: --watch      (Ctrl-C here stops everything)"))
    else:
        rows.append(("next", "start again with --root NAME=PATH to offer it a library      (Ctrl-C stops everything)"))
    return rows


def _notes(plan: Plan) -> list[str]:
    if "mongo" not in plan.embedded:
        return []
    found = prepared(plan.folder)
    notes = [STAND_IN]
    samples = found.get("samples")
    if isinstance(samples, int) and (sentence := outgrown(samples)):
        notes.append(sentence)
    repaired = found.get("repaired")
    if isinstance(repaired, list) and repaired:
        notes.append(f"These indexes were cut short by the unclean stop and were made again: {', '.join(repaired)}.")
    return notes


def prepared(folder: DataFolder) -> dict[str, object]:
    """What `cli.cluster.prepare` found at this start."""
    try:
        found = json.loads(folder.prepared.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
