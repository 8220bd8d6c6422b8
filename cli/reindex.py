"""``samplemind reindex``: the vector index made anew, beside the old one."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

from cli.console import escape, out
from cli.gateway import Gateway, Json
from cli.jobs import connect

_LOOK_S: Final = 1.0


def reindex(*, follow: bool, url: str | None, data_dir: Path | None) -> None:
    """Ask for it, and wait until searches ask the new one unless `follow` is false."""
    with connect(url, data_dir) as gateway:
        said = gateway.call("POST", "/v1/index/rebuild")
        made = said["building"] or said["serving"]
        out().print(f"Generation {made} of the index is made beside generation {said['serving']}, which goes on.")
        if follow:
            _follow(gateway, made)


def _follow(gateway: Gateway, made: int) -> None:
    pause = threading.Event()
    shown = ""
    while (said := gateway.get("/v1/index"))["serving"] < made:
        now = _progress(said)
        if now != shown:
            out().print(f"  {escape(now)}")
            shown = now
        pause.wait(_LOOK_S)
    out().print(f"[green]✓[/] Searches ask generation {said['serving']} now: {said['indexed']:,} vectors.")


def _progress(said: Json) -> str:
    return f"{said['indexed']:,} of {said['samples']:,} samples"
