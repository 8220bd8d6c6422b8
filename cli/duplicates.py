"""``samplemind duplicates``: groups of copies, and which of each to keep."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from cli.console import err, escape, out
from cli.jobs import connect
from cli.show import json_lines

if TYPE_CHECKING:
    from cli.gateway import Json


def run(kind: str | None, limit: int, *, json: bool, url: str | None, data_dir: Path | None) -> None:
    """Print the groups as they are found."""
    with connect(url, data_dir) as gateway:
        pages = gateway.pages("/v1/duplicates", kind=kind)
        groups = islice(pages, limit)
        if json:
            json_lines(groups)
            return
        count = 0
        for group in groups:
            count += 1
            for line in described(group):
                out().print(line)
        more = next(pages, None) is not None
    if not count:
        err().print("No copies were found.")
    elif more:
        err().print(f"There are more than these {count}: --limit shows more.")


def described(group: Json) -> Iterator[str]:
    """A group in lines: why one of it is to be kept, then every place, that of the one to be kept first."""
    yield f"[bold]{group['kind']}[/]  {escape(group['why'])}"
    samples = sorted(group["samples"], key=lambda sample: sample["sample_id"] != group["keep"])
    for sample in samples:
        for n, file in enumerate(sample["files"]):
            first = sample["sample_id"] == group["keep"] and not n
            place = escape(f"{file['root']}:{file['path']}")
            yield f"  {'keep' if first else '    '}  {place}  [dim]{_form(sample)}[/]"
    yield ""


def _form(sample: Json) -> str:
    audio = sample["audio"]
    channels = {1: "mono", 2: "stereo"}.get(audio["channels"], f"{audio['channels']} channels")
    rate = f"{audio['sample_rate_hz'] / 1000:g} kHz"
    return escape(f"{audio['duration_s']:.3f} s, {audio['container']} {audio['subtype']}, {rate}, {channels}")
