"""``samplemind keys``: make, list, rotate, expire and revoke API keys."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from cli.jobs import AsJson, DataDir, Url, connect, quoted

keys = typer.Typer(
    name="keys",
    help="Make, list, rotate, expire and revoke API keys. Once one exists, every request needs one.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class Scope(StrEnum):
    """What a key may do; each holds the ones before it."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


@keys.command()
def create(
    name: Annotated[str, typer.Option("--name", help="What the key is for.")],
    owner: Annotated[str | None, typer.Option("--owner", help="Whose jobs it makes and sees.")] = None,
    scope: Annotated[
        list[Scope] | None,
        typer.Option(
            "--scope", help="What it may do: read, write, admin; by default read and write, for the first key admin."
        ),
    ] = None,
    days: Annotated[
        float | None, typer.Option("--days", min=0.001, help="Days until it expires; by default never.")
    ] = None,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Make an API key and print its secret, this once.

    The first key closes the door: from then on every request needs one. It may do everything, or nobody could make
    another.
    """
    with connect(url, data_dir) as gateway:
        first = scope is None and not list(gateway.pages("/v1/keys"))
        scopes = [each.value for each in scope or ((Scope.ADMIN,) if first else (Scope.READ, Scope.WRITE))]
        body = {"name": name, "owner": owner, "scopes": scopes, "ttl_s": days and days * 86400}
        made = gateway.call("POST", "/v1/keys", json={k: v for k, v in body.items() if v is not None})
    typer.echo(made["secret"])
    typer.echo("Keep it: it cannot be shown again. Use it with SAMPLEMIND_API_KEY=... or X-API-Key.", err=True)


@keys.command("list")
def list_keys(json: AsJson = False, url: Url = None, data_dir: DataDir = None) -> None:
    """List the keys, without their secrets."""
    from cli.show import json_lines, keys_table

    with connect(url, data_dir) as gateway:
        found = list(gateway.pages("/v1/keys"))
    if json:
        json_lines(found)
    else:
        keys_table(found)


@keys.command()
def rotate(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id.")],
    hours: Annotated[float, typer.Option("--hours", min=0, help="Hours for which the old secret still opens.")] = 0,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Give a key another secret and print it, this once; the old one ends."""
    with connect(url, data_dir) as gateway:
        made = gateway.call("POST", f"/v1/keys/{quoted(key_id)}/rotate", json={"overlap_s": hours * 3600})
    typer.echo(made["secret"])
    ends = f"in {hours:g} hours" if hours else "now"
    typer.echo(
        f"The new key is {made['key']['id']}; the old one ends {ends}. Keep it: it cannot be shown again.", err=True
    )


@keys.command()
def expire(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id.")],
    days: Annotated[float, typer.Option("--days", min=0, help="Days from now.")],
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Have a key end in so many days, unless it ends sooner anyway."""
    with connect(url, data_dir) as gateway:
        said = gateway.call("POST", f"/v1/keys/{quoted(key_id)}/expire", json={"in_s": days * 86400})
    typer.echo(f"Key {key_id} ends at {said['expires_at']}.")


@keys.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id.")],
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Forget a key: it opens nothing any more."""
    with connect(url, data_dir) as gateway:
        gateway.call("DELETE", f"/v1/keys/{quoted(key_id)}")
    typer.echo(f"Key {key_id} is revoked.")
