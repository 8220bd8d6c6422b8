"""The command `samplemind`. Nothing heavy is imported before a command runs: `--help` must be quick."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.analyze import analyze
from cli.backup import backup, restore
from cli.errors import FAILURE
from cli.find import find
from cli.jobs import jobs
from cli.keys import keys
from cli.quarantine import quarantine
from cli.report import report
from cli.tag import tag
from cli.worker import worker

if TYPE_CHECKING:
    from config.settings import Settings

app = typer.Typer(
    name="samplemind",
    help="SampleMind analyses audio sample libraries: tempo, key, note, loudness, timbre, similarity, defects.",
    epilog="Begin with: ./samplemind demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", metavar="DIR", help="Where everything is kept; by default your data folder."),
]
Url = Annotated[
    str | None, typer.Option("--url", help="The gateway's address; by default the cluster running on the data folder.")
]


class Priority(StrEnum):
    """Which queue a job goes to."""

    INTERACTIVE = "interactive"
    NORMAL = "normal"
    BULK = "bulk"


class Copies(StrEnum):
    """Which copies are shown."""

    EXACT = "exact"
    AUDIO = "audio"
    NEAR = "near"


@app.command(short_help="Start the whole cluster here; Ctrl-C stops it.")
def up(
    data_dir: DataDir = None,
    port: Annotated[
        int | None, typer.Option("--port", "-p", min=0, max=65535, help="The gateway's port; by default 8000 or near.")
    ] = None,
    root: Annotated[
        list[str] | None,
        typer.Option("--root", metavar="NAME=PATH", help="A library to offer; may be given several times."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", "-w", min=1, max=512, help="By default one for each physical core.")
    ] = None,
    host: Annotated[
        str | None, typer.Option("--host", help="Where the gateway listens; beyond loopback make an API key first.")
    ] = None,
    json_ready: Annotated[bool, typer.Option("--json-ready", help="Print one JSON line when ready.")] = False,
) -> None:
    """Start the whole cluster on this machine and keep it up until Ctrl-C.

    Servers whose address you set (SAMPLEMIND_MONGO__URL, SAMPLEMIND_REDIS__URL, SAMPLEMIND_CHROMA__URL) are used; the
    others are started from pip-installed parts, on loopback only, for trying and for small libraries.
    """
    from cli.cluster.plan import Options, parse_roots
    from cli.cluster.up import print_facts
    from cli.cluster.up import up as run

    given = {} if data_dir is None else {"data_dir": data_dir.expanduser().resolve()}
    options = Options(parse_roots(root or []), host, port, workers)
    run(_settings(**given), options, on_ready=print_facts if json_ready else None)


@app.command(short_help="Start a cluster, analyse a small library, show the result.")
def demo(
    library: Annotated[
        Path | None,
        typer.Option("--library", metavar="PATH", help="Your own folder of samples instead of the made one."),
    ] = None,
    exit_: Annotated[bool, typer.Option("--exit", help="Stop everything after the results.")] = False,
    data_dir: DataDir = None,
    port: Annotated[int | None, typer.Option("--port", "-p", min=0, max=65535, help="The gateway's port.")] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", "-w", min=1, max=512, help="By default one a core.")
    ] = None,
) -> None:
    """Start a cluster, analyse a small library through HTTP and the queue, and show what was found.

    The library is made on the spot: drums, bass, chords and loops whose tempo, key and note are known, so that the
    table can show what was expected, and some broken files. The cluster stays up until Ctrl-C unless --exit is given.
    """
    from cli.demo import demo as run

    given = {} if data_dir is None else {"data_dir": data_dir.expanduser().resolve()}
    if not run(_settings(**given), library=library, leave=exit_, port=port, workers=workers):
        raise typer.Exit(FAILURE)


@app.command()
def submit(
    path: Annotated[str, typer.Argument(help="A folder or file below a library root, or ROOT:PATH.")],
    watch: Annotated[bool, typer.Option("--watch", help="Show progress until the job ends.")] = False,
    pattern: Annotated[
        str | None, typer.Option("--pattern", help="Which files, for example '**/*.wav'; by default all.")
    ] = None,
    priority: Annotated[Priority, typer.Option("--priority", help="How urgent it is.")] = Priority.NORMAL,
    root: Annotated[str | None, typer.Option("--root", help="The library root that PATH is below.")] = None,
    rescan: Annotated[
        bool, typer.Option("--rescan", help="Read only what is new or changed since the last job over this folder.")
    ] = False,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Submit a folder of the library for analysis.

    Ctrl-C while watching leaves the job running and says how to come back.
    """
    from cli.submit import submit as run

    urgency = priority.value
    if not run(path, root=root, pattern=pattern, priority=urgency, follow=watch, rescan=rescan, url=url, data=data_dir):
        raise typer.Exit(FAILURE)


@app.command(short_help="Send a folder of this machine to a cluster, only what it lacks.")
def push(
    folder: Annotated[str, typer.Argument(help="A folder, with all below but what is hidden; or one file.")],
    root: Annotated[
        str, typer.Option("--root", help="A library root that takes uploads (gateway.upload_roots).")
    ] = "uploads",
    path: Annotated[str, typer.Option("--path", help="The folder below that root; made where it is not there.")] = "",
    analyze: Annotated[bool, typer.Option(help="Have it analysed.")] = True,
    watch: Annotated[bool, typer.Option("--watch", help="Show progress until it is analysed.")] = False,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Send a folder of this machine to a cluster: hashes first, then only what it lacks.

    What broke off goes on where it was, also with the same command again after Ctrl-C.
    """
    from cli.push import run

    if not run(folder, root, path.strip("/"), analyze=analyze, follow=watch, url=url, data=data_dir):
        raise typer.Exit(FAILURE)


@app.command(short_help="Analyse anew what an older analyser said.")
def recompute(
    watch: Annotated[bool, typer.Option("--watch", help="Show progress until the job ends.")] = False,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Analyse anew what an older analyser said; its answers stay until the new ones are there."""
    from cli.submit import recompute as run

    if not run(follow=watch, url=url, data=data_dir):
        raise typer.Exit(FAILURE)


@app.command()
def warm(
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the figures of every kernel as JSON.")] = False,
) -> None:
    """Compile the kernels into the cache."""
    from cli.warm import warm as run

    run(quiet=quiet, as_json=json)


@app.command()
def doctor(url: Url = None, data_dir: DataDir = None) -> None:
    """Say what works, what does not, and what to do about it."""
    from cli.doctor import doctor as run

    if not run(url, data_dir):
        raise typer.Exit(FAILURE)


@app.command(short_help="Make the vector index anew, beside the old one.")
def reindex(
    watch: Annotated[bool, typer.Option("--watch/--no-watch", help="Wait until searches ask the new one.")] = True,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Make the vector index anew from the vectors in the ledger.

    The old one answers searches until the new one is whole; jobs go on meanwhile. Ctrl-C leaves it to be made.
    """
    from cli.reindex import reindex as run

    run(follow=watch, url=url, data_dir=data_dir)


@app.command(short_help="Show copies: the same bytes, samples or sound in another form.")
def duplicates(
    kind: Annotated[Copies | None, typer.Option("--kind", help="Only these; by default all.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many groups.")] = 100,
    json: Annotated[bool, typer.Option("--json", help="One JSON line a group.")] = False,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Show groups of copies, and which of each to keep and why. Nothing is ever merged or removed.

    exact: the same bytes at several places. audio: the same samples in different files, as in a WAV and the FLAC made
    of it. near: the same sound louder or softer, cut, faded, in another format, at another rate, in mono or stereo.
    """
    from cli.duplicates import run

    run(kind and kind.value, limit, json=json, url=url, data_dir=data_dir)


@app.command(short_help="Print the settings as they are now, secrets hidden.")
def settings(
    reference: Annotated[
        bool, typer.Option("--reference", help="Every setting with its meaning, as Markdown.")
    ] = False,
) -> None:
    """Print the settings as they are now, secrets hidden, and where each can be changed."""
    from cli.settings_reference import markdown, table

    if reference:
        typer.echo(markdown(), nl=False)
    else:
        table(_settings())


@app.command()
def version() -> None:
    """Print the versions of the analyser and of Python."""
    import platform

    from workers.model import ANALYZER_VERSION

    typer.echo(f"analyser {ANALYZER_VERSION}, Python {platform.python_version()}")


app.command(short_help="Analyse files on this machine, without a cluster.")(analyze)
app.command(short_help="Lend this machine's cores to a cluster that runs elsewhere.")(worker)
app.command(short_help="Find sounds by filters, by likeness, or by a saved search.")(find)
app.command(short_help="Say what is wrong in a job or a folder, and what to do.")(report)
app.command(short_help="Write tempo, key and note into the files, or take it back.")(tag)
app.command(short_help="Keep a stopped cluster's data in one file.")(backup)
app.command(short_help="Bring such a file back.")(restore)
app.add_typer(jobs)
app.add_typer(keys)
app.add_typer(quarantine)


def _settings(**given: object) -> Settings:
    from cli.found import load_settings

    return load_settings(**given)
