"""Analysing and drawing files, in this process or in a pool's."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from cli.errors import UsageError


def plotting(folder: Path, files: Sequence[str]) -> partial[dict[str, Any]]:
    """What `BatchAudioProcessor` is to do with each of `files`: analyse it, and draw it below `folder`.

    Raises
    ------
    UsageError
        Pillow is missing, or the folder cannot be made.
    """
    if find_spec("PIL") is None:
        raise UsageError(
            "--plot draws with Pillow, which this environment does not have: call ./samplemind, or pip install pillow."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"Cannot make the folder {folder}: {error.strerror}.") from error
    return partial(analyze_and_draw, folder=folder, above=_above(files))


def analyze_and_draw(path: str, *, folder: Path, above: str) -> dict[str, Any]:
    """The row that ``analyze`` prints, with ``plot``: the picture's path, or ``None`` where none could be made."""
    from cli.plots.page import draw
    from workers.audio.files import open_regular
    from workers.batch import decoder_of_process
    from workers.errors import FileError
    from workers.file import analyze_path

    decoder = decoder_of_process()
    row = analyze_path(decoder, path)
    if row["status"] != "done":
        return row
    target = folder / f"{_plain(os.path.relpath(os.path.abspath(path), above))}.png"
    try:
        fd = open_regular(path)
        try:
            decoded = decoder.decode(fd, os.path.basename(path))
            draw(target, row, decoded.y, decoded.info.sample_rate_hz)
        finally:
            os.close(fd)
    except (FileError, OSError):  # gone since, or the disk is full: the analysis is told all the same
        return {**row, "plot": None}
    return {**row, "plot": str(target)}


def _above(files: Sequence[str]) -> str:
    """The folder that all files are in: pictures are laid out below it as the files are."""
    folders = {os.path.dirname(os.path.abspath(path)) for path in files}
    return os.path.commonpath(folders) if folders else os.sep


def _plain(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode("utf-8")
