"""``samplemind tag``: tempo, key and root note into the files themselves. Shows what it would do; writes if told to."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.analyze import gather
from cli.console import escape, out
from cli.errors import FAILURE, INTERRUPTED, UsageError
from cli.named import local_path
from workers.model import TONICS

if TYPE_CHECKING:
    from workers.tagging.tagger import Tagger, Undoer


def tag(
    paths: Annotated[
        list[str] | None,
        typer.Argument(help="Files, folders (with all below but what is hidden), patterns; - reads a list from stdin."),
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Write. Without it nothing is changed, only shown.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Put back what the files were before the last --write.")] = False,
    at_least: Annotated[
        float, typer.Option("--at-least", min=0, max=1, help="Write only what is known with this confidence.")
    ] = 0.8,
    tempo: Annotated[bool, typer.Option(help="Write the tempo and, for loops, the number of beats.")] = True,
    key: Annotated[bool, typer.Option(help="Write the key.")] = True,
    note: Annotated[bool, typer.Option(help="Write the root note.")] = True,
    jobs: Annotated[int, typer.Option("-j", "--jobs", help="Processes; -1 is one for each physical core.")] = -1,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a file instead of a line to read.")] = False,
) -> None:
    """Write tempo, key and root note into WAV, AIFF, FLAC, Ogg, MP3 and M4A files, the sound untouched.

    WAV gets acid, smpl, inst and id3 chunks, AIFF INST and ID3, the others their own tags. Each new file is made beside
    the old one, heard by the decoder, and takes its place at once only if both sound the same to the last sample.
    What was there is kept in a journal in the data folder: --undo --write puts it back to the byte.
    """
    files = list(
        gather([local_path(path) for path in paths or []], sys.stdin.buffer.read() if "-" in (paths or []) else None)
    )
    if not files:
        raise UsageError("Nothing to tag: name files or folders.")
    if jobs == 0 or jobs < -1:
        raise UsageError(f"--jobs is a number of processes or -1 for every core, not {jobs}.")
    counts: Counter[str] = Counter()
    try:
        for row in _rows(files, jobs, _worker(write, undo, at_least, tempo, key, note)):
            counts[row["status"]] += 1
            if as_json:
                typer.echo(json.dumps(row, ensure_ascii=False, allow_nan=False))
            else:
                out().print(escape(_line(row)))
    except KeyboardInterrupt:
        typer.echo(f"samplemind: stopped; {_summary(counts)}. Each file is whole, old or new.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    typer.echo(f"samplemind: {_summary(counts)}.{_next(counts)}", err=True)
    if counts["failed"]:
        raise typer.Exit(FAILURE)


def _worker(write: bool, undo: bool, at_least: float, tempo: bool, key: bool, note: bool) -> Tagger | Undoer:
    from cli.found import load_settings
    from config.environment import cap_threads, use_kernel_cache

    cap_threads()
    use_kernel_cache()
    from workers.tagging.tagger import Tagger, Undoer

    journal = load_settings().data_dir / "tagging" / "journal.jsonl"
    return Undoer(journal, write) if undo else Tagger(journal, write, at_least, tempo, key, note)


def _rows(files: list[str], jobs: int, work: Tagger | Undoer) -> Iterator[dict[str, Any]]:
    from workers.batch import BatchAudioProcessor

    wanted = 1 if jobs == -1 and len(files) < 12 else jobs  # a second process costs a second to start
    yield from BatchAudioProcessor(wanted).iter_batch(files, work)


def _line(row: dict[str, Any]) -> str:
    said, says = row.get("said", {}), row.get("says")
    if says is None:
        return f"{row['path']}: {row['status']}" + (f" ({row['reason']['message']})" if row.get("reason") else "")
    changes = (
        f"{name} {_shown(field, said.get(field))} -> {_shown(field, value)}"
        for name, field in (("tempo", "bpm"), ("key", "key"), ("note", "root_midi"))
        if (value := says[field]) is not None
    )
    return f"{row['path']}: {row['status']} " + ", ".join(changes)


def _shown(field: str, value: Any) -> str:
    if value is None:
        return "none"
    return (
        f"{TONICS[value % 12]}{value // 12 - 1}" if field == "root_midi" else f"{value:g}" if field == "bpm" else value
    )


def _summary(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {status}" for status, count in sorted(counts.items())) or "nothing done"


def _next(counts: Counter[str]) -> str:
    if counts["would write"] or counts["would put back"]:
        return " Nothing was changed: add --write to do it."
    return " Taken back with --undo --write." if counts["written"] else ""
