"""What a supervisor tells its user of each part, a line each."""

from __future__ import annotations

import contextlib
import time

from cli.cluster.process import Process
from cli.console import err, escape


def say(text: str) -> None:
    """A line, with markup."""
    with contextlib.suppress(OSError):  # the terminal is gone; the parts must be taken down all the same
        err().print(text)


class Teller:
    """Tells of every part as it comes, dies and goes."""

    def __init__(self, stopping: str) -> None:
        self._stopping = stopping
        self._began = time.monotonic()
        self._stopped = False

    def ready(self, process: Process, took_s: float) -> None:
        part = process.part
        where = f" at {part.where}" if part.where else ""
        # what listens nowhere can only be seen to have been started
        took = f"({took_s:.1f} s)" if part.where or part.once else "(started)"
        say(f"[green]✓[/] {escape(part.title + where)} [dim]{took}[/]")

    def died(self, process: Process, how: str, pause_s: float, lines: list[str]) -> None:
        title = escape(process.part.title)
        say(f"[red]✗[/] {title} {how}; starting it again in {pause_s:g} s")
        if lines:
            say(f"  It died {process.backoff.deaths} times. The end of {escape(str(process.log))}:")
            for line in lines:
                say(f"  [dim]│[/] {escape(line)}")

    def stuck(self, process: Process, trouble: str) -> None:
        say(f"[red]✗[/] {escape(process.part.title)} {escape(trouble)}; it is replaced")

    def stopping(self) -> None:
        self._began = time.monotonic()
        self._stopped = True
        say(self._stopping)

    def killed(self, process: Process) -> None:
        say(f"[yellow]![/] {escape(process.part.title)} did not stop in time and was killed")

    def stopped(self) -> None:
        """Everything is down."""
        if self._stopped:
            say(f"[green]✓[/] everything is stopped [dim]({time.monotonic() - self._began:.1f} s)[/]")
