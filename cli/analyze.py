"""``samplemind analyze``: one JSON line a file, without a server."""

from __future__ import annotations

import glob
import json
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from cli.errors import INTERRUPTED, CommandError, UsageError
from cli.named import local_path

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


Alive = Callable[[str, float, float], object]


def analyze(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            help="Files, folders (with all below but what is hidden), patterns, ROOT:PATH; - reads a list from stdin."
        ),
    ] = None,
    jobs: Annotated[int, typer.Option("-j", "--jobs", help="Processes; -1 is one for each physical core.")] = -1,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the lines to this file instead of standard output.")
    ] = None,
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Read paths from standard input, one a line or separated by NUL.")
    ] = False,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Also draw each file into a PNG below this folder.", metavar="DIR")
    ] = None,
    progress: Annotated[
        bool,
        typer.Option(help="Show a progress bar on standard error, where it is a terminal and the lines go elsewhere."),
    ] = True,
) -> None:
    """Analyse files on this machine: one JSON line for each, in order. Goes on after a bad file."""
    named = list(paths or [])
    if not named and not stdin:
        raise UsageError("Nothing to analyse: name files or folders, or give a list with --stdin.")
    if jobs == 0 or jobs < -1:
        raise UsageError(f"--jobs is a number of processes or -1 for every core, not {jobs}.")
    named = [local_path(name) for name in named]
    files = list(gather(named, sys.stdin.buffer.read() if stdin or "-" in named else None))
    done = failed = 0
    given_up, rows = _end_quietly(), None
    try:
        with _lines(output) as lines, _bar(len(files), shown=progress and _apart(output)) as (step, alive):
            rows = _rows(files, jobs, plot, alive)
            for row in rows:
                _write(row, lines, output)
                done, failed = done + 1, failed + (row["status"] == "failed")
                step()
    except KeyboardInterrupt:
        _say(f"Stopped after {done:,} of {len(files):,} files; the lines written are whole.")
        raise typer.Exit(INTERRUPTED) from None
    except (BrokenPipeError, CommandError) as error:  # the reader (head, say) has enough, or there is no room left
        given_up.set()
        if rows is not None:
            rows.close()
        if isinstance(error, CommandError):
            raise
        return
    if failed:
        _say(f"{failed:,} of {len(files):,} files could not be analysed; the reason stands in the line of each.")
    elif not files:
        _say("There is no file below what was named.")


def analysed(named: Sequence[str], jobs: int) -> Generator[Any, None, None]:
    """The objects of every file meant, as they come, with a bar on standard error where that is a terminal."""
    files = list(gather(named, None))
    _end_quietly()
    with _bar(len(files), shown=sys.stderr.isatty()) as (step, alive):
        for row in _rows(files, jobs, None, alive):
            yield row
            step()


def _say(sentence: str) -> None:
    typer.echo(f"samplemind: {sentence}", err=True)


def _end_quietly() -> threading.Event:
    """What the pool's own threads say of work that is taken from them is noise, once the event is set; Ctrl-C does."""
    given_up = threading.Event()
    usual = threading.excepthook

    def interrupt(number: int, frame: object) -> None:
        given_up.set()
        raise KeyboardInterrupt

    def complain(found: threading.ExceptHookArgs) -> None:
        if not given_up.is_set():
            usual(found)

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, interrupt)
    threading.excepthook = complain
    warnings.filterwarnings("ignore", message=".*tasks which were still being processed")
    return given_up


def gather(named: Iterable[str], listed: bytes | None) -> Iterator[str]:
    """Every file meant, in order: as named, folders sorted and with all below them. What is not there is kept.

    Parameters
    ----------
    named : iterable of str
        Files, folders and patterns; ``-`` stands for `listed`.
    listed : bytes or None
        What standard input said: paths separated by NUL if there is one, else by newlines.
    """
    from_stdin = _paths_in(listed) if listed is not None else []
    names = list(named)
    if listed is not None and "-" not in names:
        names.append("-")
    for name in names:
        if name == "-" and listed is not None:
            for path in from_stdin:
                yield from _expand(path)
        else:
            yield from _expand(name)


def _paths_in(listed: bytes) -> list[str]:
    separator = b"\0" if b"\0" in listed else b"\n"
    parts = listed.split(separator)
    if separator == b"\n":
        parts = [part.removesuffix(b"\r") for part in parts]
    return [os.fsdecode(part) for part in parts if part]


def _expand(name: str) -> Iterator[str]:
    if os.path.isdir(name):
        yield from _below(name)
    elif not os.path.lexists(name) and glob.has_magic(name):
        found = sorted(glob.glob(name, recursive=True))
        if not found:
            yield name
        for path in found:
            # `**` also matches the folders themselves; what is in them is matched anyway
            if not ("**" in name and os.path.isdir(path)):
                yield from _expand(path)
    else:
        yield name


def _below(folder: str) -> Iterator[str]:
    """Files below a folder, sorted, by the cluster's rules: nothing hidden, and no link to a folder is followed."""
    from tasks.walk import submitted

    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: os.fsencode(entry.name))
    except OSError:
        yield folder  # ends as a row that says why
        return
    for entry in entries:
        if not submitted(os.fsencode(entry.name)):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _below(entry.path)
        elif not (entry.is_symlink() and os.path.isdir(entry.path)):
            yield entry.path


def _rows(files: Sequence[str], jobs: int, plot: Path | None, alive: Alive) -> Generator[Any, None, None]:
    from config.environment import cap_threads, use_kernel_cache

    cap_threads()
    use_kernel_cache()
    from cli.found import load_settings
    from workers.batch import BatchAudioProcessor

    settings = load_settings().decode
    draw = None
    if plot is not None:
        from cli.plots.run import plotting

        draw = plotting(plot, files)
    # A second process costs a second to start: worth it from some dozen files on.
    wanted = 1 if jobs == -1 and len(files) < 12 else jobs
    yield from BatchAudioProcessor(wanted, settings, told=True, alive=alive).iter_batch(files, draw)


def _write(row: Any, lines: TextIO, output: Path | None) -> None:
    """One line, at once. Where that fails, nothing more is tried on that file, at exit neither."""
    try:
        lines.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")
        lines.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), lines.fileno())
        if isinstance(error, BrokenPipeError):
            raise
        place = "standard output" if output is None else output
        raise CommandError(f"Cannot write to {place}: {error.strerror}. The lines before are whole.") from error


@contextmanager
def _lines(output: Path | None) -> Iterator[TextIO]:
    if output is None:
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(encoding="utf-8")
        yield sys.stdout
        return
    _must_not_be_lost(output)
    try:
        file = output.open("w", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"Cannot write {output}: {error.strerror}.") from error
    with file:
        yield file


def _must_not_be_lost(output: Path) -> None:
    """Refuse to write over a sound: of ``-o loops/*.wav`` a shell makes the first file the output."""
    try:
        if not output.is_file():  # a pipe may be written to
            return
        with output.open("rb") as file:
            start = file.read(1)
    except OSError:
        return  # writing says what is wrong
    if start not in (b"", b"{"):
        raise UsageError(
            f"{output} is there already and holds no lines of an analysis: choose another name for --output, "
            "or move it away."
        )


def _apart(output: Path | None) -> bool:
    """Whether a bar on standard error would stay clear of the lines."""
    return sys.stderr.isatty() and (output is not None or not sys.stdout.isatty())


@contextmanager
def _bar(total: int, *, shown: bool) -> Iterator[Any]:
    if not shown:
        yield lambda: None, lambda path, done_s, whole_s: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from cli.console import escape

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar: Progress
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task: TaskID = bar.add_task("analysing", total=total)

        def alive(path: str, done_s: float, whole_s: float) -> None:
            name = escape(os.path.basename(path)[:40])
            bar.update(task, description=f"analysing {name}, {done_s / 60:.0f} of {whole_s / 60:.0f} minutes")

        def step() -> None:
            bar.update(task, advance=1, description="analysing")

        yield step, alive
