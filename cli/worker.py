"""``samplemind worker``: this machine's cores as workers of a cluster that runs elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.errors import UsageError

if TYPE_CHECKING:
    from config.settings import Settings


def worker(
    broker: Annotated[
        str | None,
        typer.Option("--broker", metavar="URL", help="The cluster's Redis; by default SAMPLEMIND_REDIS__URL."),
    ] = None,
    mongo: Annotated[
        str | None,
        typer.Option("--mongo", metavar="URL", help="The cluster's ledger; by default SAMPLEMIND_MONGO__URL."),
    ] = None,
    ca: Annotated[
        Path | None,
        typer.Option("--ca", metavar="FILE", help="Your authority's certificate; by default the system's authorities."),
    ] = None,
    root: Annotated[
        list[str] | None,
        typer.Option("--root", metavar="NAME=PATH", help="Where a library is mounted here; once for each."),
    ] = None,
    uploads: Annotated[
        Path | None, typer.Option("--uploads", metavar="PATH", help="Where the cluster's uploads are mounted here.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", "-w", min=1, max=512, help="By default one for each physical core.")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="This machine in Flower; by default its host name.")
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option("--data-dir", metavar="DIR", help="For logs and state; by default `worker` in your data folder."),
    ] = None,
    plain: Annotated[bool, typer.Option("--plain", help="Allow addresses without TLS.")] = False,
    trust_roots: Annotated[
        bool, typer.Option("--trust-roots", help="Also where none of the files that the cluster knows is in them.")
    ] = False,
) -> None:
    """Join this machine to a cluster that runs elsewhere, one worker on each core, until Ctrl-C.

    For example:

    ./samplemind worker --broker rediss://queue.example:6379/0 --mongo 'mongodb://db.example/?tls=true'
    --root library=/mnt/library --uploads /mnt/uploads

    Before anything is started it looks whether broker and ledger let it in, whether both run the same analyser, and
    whether the libraries are here. Addresses with passwords are better given as SAMPLEMIND_REDIS__URL and
    SAMPLEMIND_MONGO__URL, or as files of SAMPLEMIND_SECRETS_DIR: a command line is seen by everybody on this machine.
    """
    from urllib.parse import urlsplit

    from cli.cluster.join import join
    from cli.console import err

    settings = _settings(broker, mongo, ca, root or [], data_dir)
    if name is not None and (not name or set(name) & set("@ \t\n")):
        raise UsageError("--name wants a name without @ and spaces, like rack-2.")
    if any(urlsplit(url).password for url in (broker, mongo) if url):
        err().print("[yellow]![/] A password stands on the command line, where everybody on this machine can read it.")
    join(settings, count=workers, host=name, uploads=_mounted(uploads), unencrypted=plain, trust_roots=trust_roots)


def _settings(
    broker: str | None, mongo: str | None, ca: Path | None, root: list[str], data_dir: Path | None
) -> Settings:
    """The settings of this process with what the command line says, which is stronger."""
    from cli.cluster.plan import parse_roots
    from cli.found import load_settings

    given: dict[str, Any] = {"redis": _said(broker, ca), "mongo": _said(mongo, ca), "roots": parse_roots(root)}
    chosen = data_dir or load_settings().data_dir / "worker"
    settings = load_settings(**given, data_dir=chosen.expanduser().resolve())
    for option, section in (("--broker", settings.redis), ("--mongo", settings.mongo)):
        if "url" not in section.model_fields_set:
            raise UsageError(f"Which cluster? Say {option} URL.")
    return settings


def _said(url: str | None, ca: Path | None) -> dict[str, object]:
    values = {"url": url, "tls_ca": None if ca is None else ca.expanduser().resolve()}
    return {name: value for name, value in values.items() if value is not None}


def _mounted(uploads: Path | None) -> Path | None:
    if uploads is None:
        return None
    path = uploads.expanduser().resolve()
    if not path.is_dir():
        raise UsageError(f"There is no folder {uploads}, where the cluster's uploads should be.")
    return path
