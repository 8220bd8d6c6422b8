"""What `up` tells its user."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import time
from collections.abc import Callable

from rich.panel import Panel
from rich.table import Table

from cli.cluster.embedded import STAND_IN, outgrown
from cli.cluster.folder import DataFolder
from cli.cluster.parts import reachable
from cli.cluster.plan import Plan
from cli.cluster.probes import http_answer, why_not_ready
from cli.cluster.telling import Teller, say
from cli.console import escape, out
from config.settings import Settings

PATIENCE_S = 15.0
LOOK_S = 600.0


class Announcer(Teller):
    """Tells of every part as it comes, dies and goes, and of the cluster as a whole."""

    def __init__(self, plan: Plan) -> None:
        super().__init__("Stopping: workers finish what they hold, then the servers go.")
        self._plan = plan
        self._looked: float | None = None
        self._outgrown = False

    def final(self) -> Callable[[], bool]:
        """A probe of the whole cluster that says now and then what it is still waiting for."""
        gateway = self._plan.settings.gateway
        host = reachable(gateway.host)
        told: float | None = None

        def probe() -> bool:
            nonlocal told
            told = told or time.monotonic()
            missing = why_not_ready(host, gateway.port)
            if missing and time.monotonic() - told > PATIENCE_S:
                told = time.monotonic()
                say(f"  still waiting: {escape(missing)} [dim](logs: {escape(str(self._plan.folder.logs))})[/]")
            return not missing

        return probe

    def begin(self, *, unclean: bool) -> None:
        """The first lines: what will run, and from which data."""
        plan = self._plan
        say(f"Starting the cluster on {escape(str(plan.folder.path))}")
        if unclean:
            say("[yellow]![/] It was not stopped in order last time: what was open is checked and taken up again.")
        for name in ("redis", "mongo", "chroma"):
            if name not in plan.embedded:
                say(f"  {name}: your own server, as SAMPLEMIND_{name.upper()}__URL says")

    def watch_size(self) -> None:
        """Say once when the library outgrows the embedded ledger; looks at the gateway's figures now and then."""
        due = self._looked is None or time.monotonic() - self._looked > LOOK_S
        if self._outgrown or "mongo" not in self._plan.embedded or not due:
            return
        self._looked = time.monotonic()
        gateway = self._plan.settings.gateway
        samples = samples_in(http_answer(reachable(gateway.host), gateway.port, "/metrics"))
        if sentence := outgrown(samples or 0):
            self._outgrown = True
            say(f"[yellow]![/] {escape(sentence)}")

    def up(self) -> None:
        """Everything works: every address, and what to do next."""
        rows = _addresses(self._plan)
        notes = _notes(self._plan)
        took = f"ready in {time.monotonic() - self._began:.1f} s"
        if not out().is_terminal:
            _show(f"SampleMind is {took}", markup=False)
            for name, value in [*rows, *(("note", note) for note in notes)]:
                _show(f"{name}: {value}", markup=False)
            return
        grid = Table.grid(padding=(0, 2))
        for name, value in rows:
            grid.add_row(f"[bold]{name}[/]", escape(value))
        for note in notes:
            grid.add_row("[yellow]note[/]", f"[dim]{escape(note)}[/]")
        _show(Panel(grid, title=f"[bold green]SampleMind[/] is {took}", border_style="green", expand=False))


def _show(shown: object, *, markup: bool = True) -> None:
    with contextlib.suppress(OSError):
        out().print(shown, markup=markup)


def _addresses(plan: Plan) -> list[tuple[str, str]]:
    rows = [("gateway", plan.url), ("API docs", f"{plan.url}/docs"), ("Flower", plan.settings.flower.url)]
    rows += [(part.name, part.where) for part in plan.parts if part.server]
    workers = [part.title.partition(" on ")[2] or "any core" for part in plan.parts if part.name.startswith("worker-")]
    rows.append(("workers", f"{len(workers)} ({', '.join(workers)})"))
    rows += [(f"root {name}", str(path)) for name, path in plan.settings.roots.items()]
    rows += [("data", str(plan.folder.path)), ("logs", str(plan.folder.logs))]
    if plan.settings.roots:
        name = next(iter(plan.settings.roots))
        rows.append(("next", f"./samplemind submit {name}: --watch{_where(plan)}      (Ctrl-C here stops everything)"))
    else:
        rows.append(("next", "start again with --root NAME=PATH to offer it a library      (Ctrl-C stops everything)"))
    return rows


def _where(plan: Plan) -> str:
    """What a command must be told to find this cluster: nothing where it would look here by itself."""
    usual = Settings().data_dir.expanduser().resolve()
    return "" if usual == plan.folder.path else f" --data-dir {shlex.quote(str(plan.folder.path))}"


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


def samples_in(metrics: tuple[int, bytes] | None) -> int | None:
    """The number of samples in an answer of ``GET /metrics``."""
    if metrics is None or metrics[0] != 200:
        return None
    found = re.search(rb"^samplemind_samples ([0-9.e+]+)$", metrics[1], re.MULTILINE)
    return int(float(found[1])) if found else None
